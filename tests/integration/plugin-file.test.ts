/** host:index:File on a real file system, through a real sshd: what can be in the way, and what must never be half done. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { resolveTarget } from "../../providers/host/src/config";
import { describe as describeError } from "../../providers/core/errors";
import { HostSession } from "../../providers/host/src/hostSession";
import type { Context } from "../../providers/host/src/resource";
import { file, type FileInputs, type FileOutputs } from "../../providers/host/src/resources/file";
import { forgetRecords, type Sshd, startSshd } from "./sshd";

let sshd: Sshd;
let session: HostSession;
let dir: string;
const outputs: FileOutputs = { sha256: "" };

beforeAll(async () => {
  sshd = await startSshd();
  session = new HostSession(resolveTarget(sshd.config(), "/"));
});
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-file-"));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
  forgetRecords(dir);
});
afterAll(async () => {
  await session.close();
  await sshd.stop();
});

const context = (secret = false): Context => ({
  session: async () => session,
  log: () => undefined,
  preview: false,
  isSecret: () => secret,
});
const inputs = (more: object): FileInputs =>
  file.schema.parse({ path: path.join(dir, "app.conf"), content: "ours\n", ...more });
const create = (more: object = {}) => file.create(context(), inputs(more));
const update = (more: object = {}) => file.update(context(), "", inputs({}), inputs(more), outputs);
const read = (more: object = {}, secret = false) => file.read(context(secret), "", inputs(more), outputs);
const remove = (more: object = {}) => file.delete(context(), "", inputs(more), outputs);
const text = (name = "app.conf") => fs.readFileSync(path.join(dir, name), "utf8");
const modeOf = (name = "app.conf") => (fs.statSync(path.join(dir, name)).mode & 0o7777).toString(8);
const failure = (action: Promise<unknown>) =>
  action.then(() => Promise.reject(new Error("it did not fail")), describeError);

test("content, mode, owner and group are as wanted and read back the same", async () => {
  const odd = "æøå $HOME `id` \\n 'quoted' \"twice\"\nno newline at the end";
  await create({ content: odd, mode: "640", owner: "daemon", group: "adm" });
  expect(text()).toBe(odd);
  const found = await read({ content: odd, mode: "640", owner: "daemon", group: "adm" });
  expect(found?.inputs).toEqual(inputs({ content: odd, mode: "640", owner: "daemon", group: "adm" }));
  expect(fs.readdirSync(dir)).toEqual(["app.conf"]);
});

test("a path with spaces and quotes in folders that are not there", async () => {
  const odd = path.join(dir, "a b", "it's", "$(touch pwned) conf");
  await create({ path: odd, validate: "test -s %s" });
  expect(fs.readFileSync(odd, "utf8")).toBe("ours\n");
  expect(modeOf("a b")).toBe("755");
  await remove({ path: odd });
  expect(fs.readdirSync(dir)).toEqual([]);
});

test("folders that were made go with the last file in them, and others stay", async () => {
  fs.mkdirSync(path.join(dir, "theirs"));
  const [one, two] = ["one", "two"].map((name) => path.join(dir, "theirs", "ours", name));
  await Promise.all([create({ path: one }), create({ path: two })]);
  await remove({ path: one });
  expect(fs.existsSync(two!)).toBe(true);
  await remove({ path: two });
  expect(fs.readdirSync(dir)).toEqual(["theirs"]);
});

test("what was there before comes back at delete, as it was", async () => {
  fs.writeFileSync(path.join(dir, "app.conf"), "theirs\n", { mode: 0o600 });
  fs.chownSync(path.join(dir, "app.conf"), 1, 1);
  await create();
  await update({ content: "ours, second\n" });
  await remove();
  expect(text()).toBe("theirs\n");
  expect(modeOf()).toBe("600");
  expect(fs.statSync(path.join(dir, "app.conf")).uid).toBe(1);
  // A second delete finds nothing and must not fail, because the first may have been cut off.
  fs.rmSync(path.join(dir, "app.conf"));
  await remove();
});

test("commands run after a change and not without one", async () => {
  const onChange = [`echo ran >> ${dir}/log`];
  await create({ onChange });
  await update({ onChange });
  expect(text("log")).toBe("ran\n");
  await update({ onChange, mode: "0600" });
  expect(text("log")).toBe("ran\nran\n");
  await update({ onChange, mode: "0600", content: "more\n" });
  expect(text("log")).toBe("ran\nran\nran\n");
});

test("a run that was cut off between the change and its commands has the next one run them", async () => {
  await create();
  const cut = update({ content: "new\n", onChange: [`echo $$ > ${dir}/pid; kill -9 $(ps -o ppid= -p $$)`] });
  await expect(cut).rejects.toThrow();
  expect(text()).toBe("new\n");
  await update({ content: "new\n", onChange: [`echo ran > ${dir}/log`] });
  expect(text("log")).toBe("ran\n");
});

test("after a cut-off run a failing command still brings back the last version that worked", async () => {
  await create({ content: "good\n" });
  await expect(update({ content: "half\n", onChange: ["kill -9 $(ps -o ppid= -p $$)"] })).rejects.toThrow();
  await failure(update({ content: "bad\n", onChange: ["false"] }));
  expect(text()).toBe("good\n");
});

test("a failing command restores the old file; a first file is removed again", async () => {
  const onChange = [
    `cat ${dir}/app.conf >> ${dir}/log`,
    `echo said something; ! grep -q bad ${dir}/app.conf`,
  ];
  const first = await failure(create({ path: path.join(dir, "x", "new.conf"), onChange: ["exit 4"] }));
  expect(first).toMatch(
    /'exit 4' failed with exit code 4 .* the file was taken away again, but 'exit 4' fails with it too/,
  );
  expect(fs.readdirSync(dir)).toEqual([]);
  await create({ content: "good\n", onChange });
  const message = await failure(update({ content: "bad\n", onChange }));
  expect(message).toContain("the file before it was put back and the commands were run again");
  expect(message).toContain("said something");
  expect(message).not.toContain("fails with it too");
  expect(text()).toBe("good\n");
  expect(text("log")).toBe("good\nbad\ngood\n");
});

test("what the check refuses is never in place", async () => {
  await create();
  const message = await failure(
    update({
      content: "wrong\n",
      validate: "echo line 1 is wrong; ! grep -q wrong %s",
      onChange: [`touch ${dir}/ran`],
    }),
  );
  expect(message).toMatch(/was refused by its check \(exit code 1\)/);
  expect(message).toContain("line 1 is wrong");
  expect(text()).toBe("ours\n");
  expect(fs.readdirSync(dir)).toEqual(["app.conf"]);
});

test("a link and a directory in the way are errors, and stay", async () => {
  fs.writeFileSync(path.join(dir, "real"), "theirs\n");
  fs.symlinkSync("real", path.join(dir, "app.conf"));
  expect(await failure(create())).toContain("app.conf is a symbolic link to real");
  expect((await read())?.inputs.content).toBe("(a symbolic link to real)");
  await remove();
  expect(text("app.conf")).toBe("theirs\n");
  fs.rmSync(path.join(dir, "app.conf"));
  fs.mkdirSync(path.join(dir, "app.conf"));
  expect(await failure(create())).toContain("app.conf is a directory");
  expect(await failure(create({ path: path.join(dir, "real", "below") }))).toContain(
    `the folder ${dir}/real cannot be made`,
  );
});

test("what cannot be shown as text is told by size and hash, and a secret by nothing else", async () => {
  await create();
  fs.writeFileSync(path.join(dir, "app.conf"), Buffer.from([0xff, 0xfe, 0x00]));
  expect((await read())?.inputs.content).toMatch(/^\(not text: 3 bytes, sha256 [0-9a-f]{64}\)$/);
  fs.writeFileSync(path.join(dir, "app.conf"), "x".repeat(1024 * 1024 + 1));
  expect((await read())?.inputs.content).toMatch(/^\(another content: 1048577 bytes, sha256/);
  fs.writeFileSync(path.join(dir, "app.conf"), "hand-made");
  expect((await read())?.inputs.content).toBe("hand-made");
  expect((await read({}, true))?.inputs.content).toMatch(/^\(another content: 9 bytes/);
});

test("a large file goes and comes whole", async () => {
  const content = Array.from({ length: 20_000 }, (_, index) => `line ${index} æøå`).join("\n");
  await create({ content });
  expect((await read({ content }))?.inputs.content).toBe(content);
  fs.appendFileSync(path.join(dir, "app.conf"), "!");
  expect((await read({ content }))?.inputs.content).toBe(`${content}!`);
});

const canMount =
  spawnSync("sh", ["-c", "d=$(mktemp -d) && mount -t tmpfs -o size=64k none $d && umount $d; rmdir $d"])
    .status === 0;

(canMount ? test : test.skip)("a full disk leaves the old file as it was", async () => {
  const disk = path.join(dir, "disk");
  fs.mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", disk]);
  try {
    const target = path.join(disk, "app.conf");
    await create({ path: target, content: "small\n" });
    const message = await failure(
      update({ path: target, content: "x".repeat(200_000), onChange: [`touch ${dir}/ran`] }),
    );
    expect(message).toContain("cannot be written; it is what it was");
    expect(message).toContain("No space left on device");
    expect(fs.readFileSync(target, "utf8")).toBe("small\n");
    expect(fs.readdirSync(disk)).toEqual(["app.conf"]);
    expect(fs.existsSync(path.join(dir, "ran"))).toBe(false);
    await remove({ path: target });
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("a connection lost while the content travels leaves the old file as it was", async () => {
  await create();
  const lost = failure(update({ content: "y".repeat(60_000_000), onChange: [`touch ${dir}/ran`] }));
  const others = (): string[] => fs.readdirSync(dir).filter((name) => name !== "app.conf");
  await until(() => others().some((name) => fs.statSync(path.join(dir, name)).size > 0));
  sshd.dropConnections();
  expect(await lost).toMatch(/lost in the middle/);
  // What runs on the host goes on for a moment: it has to find out by itself that not all has come.
  await until(() => others().length === 0);
  expect(text()).toBe("ours\n");
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 20_000) throw new Error(`timed out waiting for ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("onDelete runs after the file is gone", async () => {
  await create();
  await remove({ onDelete: [`ls ${dir}/app.conf > ${dir}/seen 2>&1 || true`] });
  expect(text("seen")).toContain("No such file");
  expect(await failure(remove({ onDelete: ["echo why; exit 5"] }))).toMatch(
    /'echo why; exit 5' failed with exit code 5[\s\S]*why/,
  );
});

/** The provider's one connection, against a real sshd: what it refuses, what it waits for and how long, how it is shared. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";
import { type ProviderConfig, resolveTarget } from "../../providers/host/src/config";
import { describe as describeError } from "../../providers/core/errors";
import { HostSession } from "../../providers/host/src/hostSession";
import { command } from "../../shared/quote";
import { freePort, keygen, type Sshd, startSshd } from "./sshd";

let sshd: Sshd;
const open: HostSession[] = [];
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  sshd = await startSshd();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
  for (const clean of cleanups.splice(0).reverse()) await clean();
});
afterAll(() => sshd.stop());

function session(config: ProviderConfig): HostSession {
  const made = new HostSession(resolveTarget(config, "/"));
  open.push(made);
  return made;
}

async function server(config: Parameters<typeof startSshd>[0]): Promise<Sshd> {
  const made = await startSshd(config);
  cleanups.push(() => made.stop());
  return made;
}

/** The whole message as a person sees it, and how long it took to come. */
async function failure(action: Promise<unknown>): Promise<{ text: string; ms: number }> {
  const started = Date.now();
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error("it did not fail");
  return { text: describeError(error), ms: Date.now() - started };
}

const step = { step: "say hello" };

test("a script gets its input as it is, binary too, and any value as one word", async () => {
  const host = session(sshd.config());
  const odd = "a'b\"c$HOME `id` \\ \n é ;*";
  expect((await host.run(command("printf", "%s", odd), step)).stdout).toBe(odd);
  const bytes = Buffer.from(Array.from({ length: 256 * 40 }, (_, index) => index % 256));
  const sum = execFileSync("sha256sum", { input: bytes }).toString();
  expect((await host.run("sha256sum", { ...step, stdin: bytes })).stdout).toBe(sum);
});

test("a stream goes to a script as it comes, and one that breaks fails the step", async () => {
  const host = session(sshd.config());
  const part = Buffer.alloc(1024 * 1024, "x");
  const parts = function* (count: number, failure?: Error) {
    for (let i = 0; i < count; i++) yield part;
    if (failure) throw failure;
  };
  const input = Readable.from(parts(40));
  expect((await host.run("wc -c", { ...step, input })).stdout.trim()).toBe(String(40 * part.length));
  const broken = Readable.from(parts(3, new Error("the other end is gone")));
  const { text } = await failure(host.run("cat > /dev/null", { ...step, input: broken }));
  expect(text).toContain("say hello: the other end is gone");
  // A script that does not want all of it is not failed by that.
  const unread = Readable.from(parts(40));
  expect((await host.run("head -c 1", { ...step, input: unread })).stdout).toBe("x");
  expect(unread.destroyed).toBe(true);
});

test("a script is in no process list", async () => {
  const { stdout } = await session(sshd.config()).run(": canary-5821; ps -eo args", step);
  expect(stdout).toContain("head -c");
  expect(stdout).not.toContain("canary-5821");
});

test("twenty parallel runs share one connection and at most eight channels", async () => {
  // A server that would bear all of them: what is counted is what we ask for.
  const wide = await server({ config: ["MaxSessions 100"] });
  const host = session(wide.config());
  const dir = fs.mkdtempSync(path.join(wide.dir, "running-"));
  const script = `me=$(mktemp ${command(path.join(dir, "XXXXXX"))}); sleep 0.4; ls ${command(dir)} | wc -l; sleep 0.2; rm "$me"`;
  const counts = await Promise.all(Array.from({ length: 20 }, () => host.run(script, step)));
  expect(wide.logins()).toBe(1);
  const most = Math.max(...counts.map(({ stdout }) => Number(stdout)));
  expect(most).toBeLessThanOrEqual(8);
  expect(most).toBeGreaterThan(3);
});

test("a host that bears fewer sessions gets fewer", async () => {
  const narrow = await server({ config: ["MaxSessions 2"] });
  const host = session(narrow.config());
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, index) => host.run(`sleep 0.1; echo ${index}`, step)),
  );
  expect(results.map(({ stdout }) => Number(stdout))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(narrow.logins()).toBe(1);
});

test("another host key: both fingerprints, and not one command run", async () => {
  const recorder = path.join(sshd.dir, "recorded");
  const other = await server({ config: [`ForceCommand touch ${recorder}`] });
  const pinned = keygen(path.join(sshd.dir, `other-${Date.now()}`));
  const { text, ms } = await failure(session(other.config({ hostKey: pinned })).run("true", step));
  const fingerprintOf = (key: string): string =>
    spawnSync("ssh-keygen", ["-lf", "-"], { input: key }).stdout.toString().split(" ")[1]!;
  expect(text).toContain(
    `pinned ${fingerprintOf(pinned)} (ssh-ed25519), offered ${fingerprintOf(other.hostKeys.ed25519!)} (ssh-ed25519)`,
  );
  expect(text).toContain("Nothing was sent");
  expect(text).toContain("what to do:");
  expect(text).not.toContain("    at ");
  expect(ms).toBeLessThan(3000);
  expect(other.log()).not.toContain("Accepted");
  expect(fs.existsSync(recorder)).toBe(false);
});

test("a key of a type that the host does not have: still both fingerprints", async () => {
  const pinned = keygen(path.join(sshd.dir, `rsa-${Date.now()}`), "rsa");
  const { text } = await failure(session(sshd.config({ hostKey: pinned })).run("true", step));
  expect(text).toMatch(/pinned SHA256:\S+ \(ssh-rsa\), offered SHA256:\S+ \(ssh-ed25519\)/);
});

test("of several host keys the pinned one is asked for", async () => {
  const many = await server({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
  for (const type of ["ed25519", "ecdsa", "rsa"]) {
    const host = session(many.config({ hostKey: many.hostKeys[type] }));
    expect((await host.run("echo hello", step)).stdout).toBe("hello\n");
  }
});

test("a host that takes the connection and says nothing: given up in time, by name", async () => {
  const silent = net.createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  cleanups.push(() => silent.close());
  const { port } = silent.address() as net.AddressInfo;
  const { text, ms } = await failure(session(sshd.config({ port, dialTimeoutSeconds: 2 })).run("true", step));
  expect(text).toContain(
    `cannot connect to root@127.0.0.1:${port}: no answer within 2 s, waiting for the SSH server's greeting`,
  );
  expect(ms).toBeGreaterThan(1500);
  expect(ms).toBeLessThan(3500);
});

test("an address that swallows everything: the default is given up within 15 s", async () => {
  // 192.0.2.0/24 is reserved for documentation: nothing answers there, where it is not refused at once.
  const { text, ms } = await failure(
    session(sshd.config({ host: "192.0.2.1", dialTimeoutSeconds: 10 })).run("true", step),
  );
  expect(text).toContain("cannot connect to root@192.0.2.1");
  expect(ms).toBeLessThan(15_000);
});

test("a refused connection is tried again for a while, for a host that is just booting", async () => {
  const port = await freePort();
  const refused = await failure(session(sshd.config({ port, dialTimeoutSeconds: 2 })).run("true", step));
  expect(refused.text).toMatch(/ECONNREFUSED.*attempts within 2 s/);
  expect(refused.ms).toBeLessThan(3000);

  const late = session(sshd.config({ port }));
  const answer = late.run("echo up", step);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const relay = net.createServer((socket) => {
    const upstream = net.connect(sshd.port, "127.0.0.1");
    socket.pipe(upstream).pipe(socket);
  });
  relay.listen(port, "127.0.0.1");
  cleanups.push(() => relay.close());
  expect((await answer).stdout).toBe("up\n");
});

test("a refused login is tried once, and not by each of many steps", async () => {
  const before = sshd.log().split("\n").length;
  const strangers = path.join(sshd.dir, `stranger-${Date.now()}`);
  keygen(strangers);
  const host = session(sshd.config({ privateKeyPath: strangers }));
  const failures = await Promise.all([1, 2, 3].map(() => failure(host.run("true", step))));
  for (const { text } of failures) expect(text).toContain("does not accept the given private key");
  const connections = sshd
    .log()
    .split("\n")
    .slice(before)
    .filter((line) => line.startsWith("Connection from"));
  expect(connections).toHaveLength(1);
});

test("an invalid key and a key with a passphrase have different errors", async () => {
  const none = path.join(sshd.dir, "not-a-key");
  fs.writeFileSync(none, "hello\n");
  expect((await failure(session(sshd.config({ privateKeyPath: none })).run("true", step))).text).toContain(
    "cannot be used",
  );
  const locked = path.join(sshd.dir, `locked-${Date.now()}`);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "a passphrase", "-f", locked]);
  expect((await failure(session(sshd.config({ privateKeyPath: locked })).run("true", step))).text).toContain(
    "ssh-add",
  );
});

test("a failing script: host, step, exit code, last lines", async () => {
  const { text } = await failure(
    session(sshd.config()).run("echo one; echo two >&2; exit 3", { step: "do a thing" }),
  );
  expect(text).toContain("do a thing: failed");
  expect(text).toContain(`root@127.0.0.1:${sshd.port}`);
  expect(text).toContain("(exit code 3)");
  expect(text).toMatch(/it printed:\n {4}one\n {4}two/);
});

test("a time-out ends the command on the host as well", async () => {
  const mark = `61.${process.pid}`;
  const { text, ms } = await failure(
    session(sshd.config()).run(`sleep ${mark}`, { step: "wait", timeoutSeconds: 1 }),
  );
  expect(text).toContain("wait: not done within 1 s");
  expect(ms).toBeLessThan(5000);
  expect(spawnSync("pgrep", ["-f", `^sleep ${mark}`]).stdout.toString()).toBe("");
});

test("a command that does not heed TERM is told for what it is", async () => {
  const { text } = await failure(
    session(sshd.config()).run("trap '' TERM; while :; do sleep 1; done", { ...step, timeoutSeconds: 1 }),
  );
  expect(text).toContain("went on when it was told to end (TERM), and was killed");
}, 30_000);

test("a connection lost in the middle is one clear error, and the next step connects anew", async () => {
  const own = await server({});
  const host = session(own.config());
  await host.run("true", step);
  const running = failure(host.run("sleep 20", { step: "sleep on the host" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  own.dropConnections();
  const { text, ms } = await running;
  expect(text).toMatch(/the connection to root@127.0.0.1:\d+ was lost in the middle/);
  expect(text).toContain("to sleep on the host");
  expect(ms).toBeLessThan(5000);
  expect((await host.run("echo back", step)).stdout).toBe("back\n");
  expect(own.logins()).toBe(2);
});

test("through a jump host, whose key is pinned too", async () => {
  const inner = await server({});
  const jump = {
    host: "127.0.0.1",
    port: sshd.port,
    user: "root",
    hostKey: sshd.hostKeys.ed25519!,
    privateKeyPath: sshd.privateKeyPath,
  };
  const through = session(inner.config({ jump }));
  const { stdout } = await through.run('echo "$SSH_CONNECTION"', step);
  expect(stdout.split(" ")[3]).toBe(`${inner.port}\n`);
  expect((await through.run("echo again", step)).stdout).toBe("again\n");
  expect(inner.logins()).toBe(1);

  const wrong = await failure(
    session(inner.config({ jump: { ...jump, hostKey: inner.hostKeys.ed25519! } })).run("true", step),
  );
  expect(wrong.text).toContain(`the host key of root@127.0.0.1:${sshd.port} is not the pinned one`);
  expect(inner.logins()).toBe(1);

  const closed = await freePort();
  const behind = await failure(
    session(inner.config({ port: closed, dialTimeoutSeconds: 2, jump })).run("true", step),
  );
  expect(behind.text).toContain(`cannot connect to root@127.0.0.1:${closed}: the jump host cannot reach it`);
});

test("a port of the host is reached over the same connection", async () => {
  const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => echo.once("listening", resolve));
  cleanups.push(() => echo.close());
  const before = sshd.logins();
  const host = session(sshd.config());
  await host.run("true", step);
  const stream = await host.forward("127.0.0.1", (echo.address() as net.AddressInfo).port);
  stream.write("ping");
  expect(await new Promise((resolve) => stream.once("data", (chunk) => resolve(String(chunk))))).toBe("ping");
  stream.destroy();
  expect(sshd.logins() - before).toBe(1);
  const closed = await freePort();
  expect((await failure(host.forward("127.0.0.1", closed))).text).toContain(
    `127.0.0.1:${closed} cannot be reached from the host`,
  );
});

test("writeFile: whole or not at all", async () => {
  const host = session(sshd.config());
  const file = path.join(sshd.dir, "a folder", "a file");
  await host.writeFile(file, "first\n", { mode: "0640", step: "write it" });
  expect(fs.readFileSync(file, "utf8")).toBe("first\n");
  expect(fs.statSync(file).mode & 0o777).toBe(0o640);
  const refused = await failure(
    host.writeFile(file, "second\n", { mode: "0640", validate: "! grep second %s", step: "write it" }),
  );
  expect(refused.text).toContain("was refused by its check");
  expect(fs.readFileSync(file, "utf8")).toBe("first\n");
  const unknown = await failure(
    host.writeFile(file, "x", { mode: "0644", owner: "nobody-such", step: "write it" }),
  );
  expect(unknown.text).toContain("there is no user nobody-such");
  expect(fs.readdirSync(path.dirname(file))).toEqual(["a file"]);
});

const sudoTest =
  spawnSync("sh", ["-c", "command -v sudo && command -v useradd && [ -d /etc/sudoers.d ]"]).status === 0
    ? test
    : test.skip;

sudoTest("who is not root goes through sudo, and is told when it wants a password", async () => {
  const user = `faas${process.pid}`;
  execFileSync("useradd", ["--shell", "/bin/sh", "--home-dir", "/tmp", user]);
  cleanups.push(() => execFileSync("userdel", [user]));
  // An account without a password is locked, and a sshd without PAM lets no locked account in.
  execFileSync("usermod", ["-p", "*", user]);
  const host = session(sshd.config({ user }));
  expect((await host.run("id -un", { ...step, root: false })).stdout).toBe(`${user}\n`);
  const { text } = await failure(host.run("id -un", step));
  expect(text).toContain(`${user} may not use sudo without a password`);
  expect(text).toContain("NOPASSWD");
  const rule = `/etc/sudoers.d/${user}`;
  fs.writeFileSync(rule, `${user} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
  cleanups.push(() => fs.rmSync(rule, { force: true }));
  expect((await host.run("id -un; cat", { ...step, stdin: "data" })).stdout).toBe("root\ndata");
});

sudoTest("a login shell that prints is refused before a command runs, and its file is named", async () => {
  const user = `talks${process.pid}`;
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-home-"));
  cleanups.push(() => fs.rmSync(home, { recursive: true }));
  execFileSync("useradd", ["--shell", "/bin/bash", "--home-dir", home, user]);
  cleanups.push(() => execFileSync("userdel", ["--force", user], { stdio: "ignore" }));
  execFileSync("usermod", ["-p", "*", user]);
  execFileSync("chown", [user, home]);
  fs.writeFileSync(path.join(home, ".bashrc"), "echo Velkommen\n", { mode: 0o644 });
  const mark = path.join(home, "ran");
  const { text } = await failure(
    session(sshd.config({ user })).run(`touch ${mark}`, { ...step, root: false }),
  );
  expect(text).toContain(
    `the login shell of ${user} prints text before the output of each command: "Velkommen"`,
  );
  expect(text).toContain(`it comes from ${home}/.bashrc`);
  expect(fs.existsSync(mark)).toBe(false);
  fs.writeFileSync(path.join(home, ".bashrc"), "case $- in *i*) ;; *) return ;; esac\necho Velkommen\n");
  const quiet = session(sshd.config({ user }));
  expect((await quiet.run("echo hei", { ...step, root: false })).stdout).toBe("hei\n");
});

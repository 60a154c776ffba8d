/** `npx oslo-faas preview` where the state can be reached, and a host: a small program on a real sshd. */
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { PreviewRepo, smallProgram, smallStack } from "./previewRepo";
import { type Sshd, startSshd } from "./sshd";

jest.setTimeout(300_000);

const STACK = "oslo-test";
const CANARY = "canary-password-91aa2c";
let repo: PreviewRepo;
let sshd: Sshd;
let folder: string;
let env: NodeJS.ProcessEnv;
let pulumi: (...args: string[]) => Promise<string>;

beforeAll(async () => {
  sshd = await startSshd();
  folder = path.join(sshd.dir, "files");
  repo = new PreviewRepo();
  for (const name of ["oslo-dev", "oslo-prod", "oslo-staging"])
    fs.rmSync(path.join(repo.dir, `stacks/Pulumi.${name}.yaml`));
  repo.write("index.ts", smallProgram(folder));
  repo.write(`stacks/Pulumi.${STACK}.yaml`, smallStack(sshd, `    privateKeyPath: ${sshd.privateKeyPath}\n`));
  const backend = path.join(sshd.dir, "backend");
  fs.mkdirSync(backend);
  env = { PULUMI_BACKEND_URL: `file://${backend}`, PULUMI_CONFIG_PASSPHRASE: "passphrase-of-the-test" };
  const toolchain = await resolveToolchain({ quiet: true, args: ["--stack", STACK] });
  pulumi = async (...args) => {
    const all = { ...toolchain.env, ...env };
    const ended = await repo.run([toolchain.pulumi, ...args, "--stack", STACK, "--non-interactive"], all);
    if (ended.code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${ended.out}${ended.err}`);
    return ended.out;
  };
  const init = await repo.run([toolchain.pulumi, "stack", "init", STACK], { ...toolchain.env, ...env });
  expect(init.code).toBe(0);
  await pulumi("config", "set", "--secret", "gatewayPassword", CANARY);
  repo.commit("base");
  await pulumi("up", "--yes", "--skip-preview");
});
afterAll(async () => {
  repo.remove();
  await sshd.stop();
});

test("compares with the state, shows drift as a section of its own, and saves a plan that `up` takes", async () => {
  repo.branch("drift");
  fs.writeFileSync(`${folder}/conf`, "one\nkeepalive 64\nsomebody was here\n");
  repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 64", "keepalive: 128");
  const args = ["--base", "main", "--refresh", "--plans", "plans", "--comments", "comments"];
  const { code, out, err } = await repo.preview(args, env);
  expect({ code, err: code === 0 ? "" : out + err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^\| oslo-test \| 0 \| 1 \| 0 \| 0 \| drift \| the stack's state \|$/m);
  const [before, drift] = out.split("### Drift");
  expect(before).toContain("-keepalive 64\n+keepalive 128");
  expect(before).not.toContain("somebody was here");
  expect(drift).toContain("-three\n+somebody was here");
  expect(out + err).not.toContain(CANARY);
  expect(out + err).not.toContain("passphrase-of-the-test");
  expect(fs.readFileSync(path.join(repo.dir, "comments", `${STACK}.md`), "utf8")).toContain("keepalive 128");
  // The host and the state are as they were.
  expect(fs.readFileSync(`${folder}/conf`, "utf8")).toContain("somebody was here");
  fs.writeFileSync(`${folder}/conf`, "one\nkeepalive 64\nthree\n");
  await pulumi("up", "--yes", "--skip-preview", "--plan", `plans/${STACK}.json`);
  expect(fs.readFileSync(`${folder}/conf`, "utf8")).toBe("one\nkeepalive 128\nthree\n");
  // A plan that was reviewed does no more than it says.
  repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 128", "keepalive: 256");
  await expect(pulumi("up", "--yes", "--skip-preview", "--plan", `plans/${STACK}.json`)).rejects.toThrow(
    /violates plan/,
  );
});

test("what was merged and not brought up is told apart from what the change does", async () => {
  // The state says 128 by now; the base still says 64, and so does this branch.
  repo.branch("untouched");
  const same = await repo.preview(["--base", "main", "--env", STACK], env);
  expect(same.out).toMatch(/^\| oslo-test \| 0 \| 0 \| 0 \| 0 \| 1 pending before \|/m);
  expect(same.out).toContain("`conf` (host:index:File): changed\n\n`content`:\n");
  expect(same.out).toContain("-keepalive 128\n+keepalive 64");
});

test("a plan puts back what drifted, where it is asked for, and tells it among what it does", async () => {
  repo.branch("repair");
  fs.writeFileSync(`${folder}/conf`, "one\nkeepalive 128\nsomebody was here\n");
  fs.writeFileSync(`${folder}/login`, "somebody's\n");
  const args = ["--base", "main", "--env", STACK, "--refresh", "--repair", "--plans", "plans"];
  const { code, out } = await repo.preview(args, env);
  expect(code).toBe(0);
  expect(out).toMatch(/^\| oslo-test \| 0 \| 2 \| 0 \| 0 \| drift \|/m);
  const [before, drift] = out.split("### Drift");
  expect(before).toContain("-keepalive 128\n-somebody was here\n+keepalive 64\n+three");
  expect(before).toContain("### Changed: `login`");
  expect(drift).toContain("The plan reverts it");
  expect(out).not.toMatch(new RegExp(`${CANARY}|somebody's`));
  await pulumi("up", "--yes", "--skip-preview", "--refresh", "--plan", `plans/${STACK}.json`);
  expect(fs.readFileSync(`${folder}/conf`, "utf8")).toBe("one\nkeepalive 64\nthree\n");
  expect(fs.readFileSync(`${folder}/login`, "utf8")).toBe(`${CANARY}\n`);
  // What drifts after the plan is in no plan.
  await repo.preview(args, env);
  fs.rmSync(`${folder}/conf`);
  const up = pulumi("up", "--yes", "--skip-preview", "--refresh", "--plan", `plans/${STACK}.json`);
  await expect(up).rejects.toThrow(/not allowed by the plan|violates plan/);
});

test("a secret that was merged and not brought up is pending; another one in its place is the change's own", async () => {
  repo.branch("merged-secret");
  await pulumi("up", "--yes", "--skip-preview");
  await pulumi("config", "set", "--secret", "gatewayPassword", `${CANARY}-merged`);
  repo.commit("another password");
  repo.git("branch", "-f", "main");
  const args = ["--base", "main", "--env", STACK];
  const same = await repo.preview(args, env);
  expect(same.out).toMatch(/^\| oslo-test \| 0 \| 0 \| 0 \| 0 \| 1 pending before \|/m);
  expect(same.out).toMatch(/### Pending: merged earlier[^]*`login`[^]*\(another secret\)/);
  await pulumi("config", "set", "--secret", "gatewayPassword", `${CANARY}-own`);
  const other = await repo.preview(args, env);
  expect(other.out).toMatch(/^\| oslo-test \| 0 \| 1 \| 0 \| 0 \| {2}\|/m);
  expect(other.out).toContain("### Changed: `login`");
  expect(other.out).toContain("perhaps to another secret");
  expect(same.out + same.err + other.out + other.err).not.toContain(CANARY);
});

test("drift cannot be shown without a state, and the report says why", async () => {
  repo.branch("no-state");
  repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 64", "keepalive: 65");
  const { code, out } = await repo.preview(["--base", "main", "--refresh"]);
  expect(code).toBe(1);
  expect(out).toContain("--refresh: the state of oslo-test cannot be read");
});

/** The options that @pulumi/docker's `ssh` gets, with the real program and an operator's own ssh_config that stands in the way. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { sshOptions } from "../../components/docker/ssh";
import { keygen, type Sshd, startSshd } from "./sshd";

let sshd: Sshd;
let other: string;
beforeAll(async () => {
  sshd = await startSshd();
  other = keygen(path.join(sshd.dir, "other"));
});
afterAll(() => sshd.stop());

/** Runs `ssh` with `config` in place of the operator's ssh_config, in the proxy command too. */
function ssh(config: string[], args: string[]) {
  const bin = path.join(sshd.dir, "bin");
  fs.mkdirSync(bin, { recursive: true });
  fs.writeFileSync(path.join(sshd.dir, "ssh_config"), `${config.join("\n")}\n`);
  fs.writeFileSync(
    path.join(bin, "ssh"),
    `#!/bin/sh\nexec /usr/bin/ssh -F ${path.join(sshd.dir, "ssh_config")} "$@"\n`,
    { mode: 0o755 },
  );
  return spawnSync("ssh", [...args], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    encoding: "utf8",
    timeout: 20_000,
  });
}

const call = (config: string[], values: Omit<Parameters<typeof sshOptions>[0], "privateKeyPath">) =>
  ssh(config, [
    ...sshOptions({ ...values, privateKeyPath: sshd.privateKeyPath }),
    "-p",
    String(sshd.port),
    "root@127.0.0.1",
    "echo reached",
  ]);

/** A connection that is kept for others, as ControlMaster leaves it. */
function shared(): string[] {
  const config = ["Host *", "ControlMaster auto", `ControlPath ${sshd.dir}/shared`];
  const known = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
  const options = known.flatMap((option) => ["-o", option]);
  const login = ["-i", sshd.privateKeyPath, "-p", String(sshd.port), "root@127.0.0.1"];
  const { status, stderr } = ssh(config, [...options, "-fN", ...login]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(fs.existsSync(`${sshd.dir}/shared`)).toBe(true);
  return config;
}

const jumpTo = (hostKey: string) => ({ address: "127.0.0.1", port: sshd.port, user: "root", hostKey });

test("the pinned key lets in, and another one does not", () => {
  expect(call([], { hostKey: sshd.hostKeys.ed25519! })).toMatchObject({ status: 0, stdout: "reached\n" });
  const refused = call([], { hostKey: other });
  expect(refused).toMatchObject({ status: 255, stdout: "" });
  expect(refused.stderr).toContain("Host key verification failed");
});

test("a shared connection is not used: the key is asked for all the same", () => {
  const config = shared();
  expect(call(config, { hostKey: other })).toMatchObject({ status: 255, stdout: "" });
  expect(call(config, { hostKey: sshd.hostKeys.ed25519! })).toMatchObject({ status: 0, stdout: "reached\n" });
});

test("nor is it used on the way to a jump host", () => {
  const config = shared();
  const hostKey = sshd.hostKeys.ed25519!;
  expect(call(config, { hostKey, jump: jumpTo(other) })).toMatchObject({ status: 255, stdout: "" });
  expect(call(config, { hostKey: other, jump: jumpTo(hostKey) })).toMatchObject({ status: 255, stdout: "" });
  expect(call(config, { hostKey, jump: jumpTo(hostKey) })).toMatchObject({ status: 0, stdout: "reached\n" });
});

test("an ssh_config that trusts what is local, or the DNS, changes nothing", () => {
  const config = [
    "NoHostAuthenticationForLocalhost yes",
    "VerifyHostKeyDNS yes",
    "StrictHostKeyChecking no",
    "CheckHostIP no",
  ];
  expect(call(config, { hostKey: other })).toMatchObject({ status: 255, stdout: "" });
  const jumped = call(config, { hostKey: sshd.hostKeys.ed25519!, jump: jumpTo(other) });
  expect(jumped).toMatchObject({ status: 255, stdout: "" });
});

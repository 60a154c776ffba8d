/**
 * Units, preflight and a swarm on a real host of their own: a disposable one with systemd, over real SSH, as root and as a user with
 * sudo. Takes the place of what no container without an init and no namespace can show.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { loadLab } from "../../lab/config";
import { configSchema, resolveTarget } from "../../providers/host/src/config";
import { HostSession } from "../../providers/host/src/hostSession";
import { getFacts } from "../../providers/host/src/resources/facts";
import { packages } from "../../providers/host/src/resources/packages";
import { preflight } from "../../providers/host/src/resources/preflight";
import { swarmMember } from "../../providers/host/src/resources/swarm";
import { systemdUnit } from "../../providers/host/src/resources/systemdUnit";
import { contextOf } from "../unit/providers/host/localSession";
import { ownLab } from "./ownLab";

jest.setTimeout(10 * 60_000);

const ENV = { ...process.env, ...ownLab("plugin") };
const lab = loadLab(ENV);

function cli(...args: string[]): void {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--import", "tsx", "lab/cli.ts", ...args], {
    cwd: lab.cloneDir,
    env: ENV,
    encoding: "utf8",
    timeout: 8 * 60_000,
  });
  if (status !== 0)
    throw new Error(`lab/cli.ts ${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`);
}

const sessions: HostSession[] = [];
function login(user: string): HostSession {
  const ssh = path.join(lab.cacheDir, "ssh");
  const config = configSchema.parse({
    host: "127.0.0.1",
    port: lab.ports.ssh,
    user,
    hostKey: fs.readFileSync(path.join(ssh, "host_ed25519.pub"), "utf8").trim(),
    privateKeyPath: path.join(ssh, "id_ed25519"),
  });
  const session = new HostSession(resolveTarget(config, lab.cloneDir));
  sessions.push(session);
  return session;
}

let root: HostSession;
const context = () => contextOf(root);
const look = async (script: string) => (await root.run(script, { step: "look", allow: "any" })).stdout.trim();

beforeAll(() => {
  cli("host");
  root = login("root");
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  cli("down", "--fast");
});

describe("preflight on a container", () => {
  it("refuses a container by name, and accepts it if the environment allows it", async () => {
    const refused = preflight.create(context(), preflight.schema.parse({ ports: [{ port: 22 }] }));
    await expect(refused).rejects.toThrow(
      /2 reasons:\n {2}1\. virtualization: docker;[^]*\n {2}2\. port 22: taken by sshd/,
    );
    const allowed = preflight.schema.parse({
      allowVirtualization: ["docker"],
      ports: [{ port: 22, ours: "sshd" }],
      minFsyncPerSecond: 1,
    });
    const { outputs } = await preflight.create(context(), allowed);
    expect(outputs.facts).toMatchObject({ osId: "debian", osVersion: "12", systemd: true, sudo: "root" });
    expect(outputs.facts.fsyncPerSecond).toBeGreaterThan(0);
    expect(await look("ls -A /var/lib | grep oslo-faas-fsync")).toBe("");
  });

  it("finds out by itself whether a user has sudo", async () => {
    const { facts } = (await getFacts.call(contextOf(login("ops")), {})) as { facts: object };
    expect(facts).toMatchObject({ sudo: "yes", user: "ops" });
  });
});

describe("a unit with content", () => {
  const unit = (command: string, more: object = {}) =>
    systemdUnit.schema.parse({
      unit: "demo.service",
      content: `[Unit]\nDescription=demo\n[Service]\nExecStart=${command}\n[Install]\nWantedBy=multi-user.target\n`,
      timeoutSeconds: 15,
      ...more,
    });
  const good = unit("/bin/sleep 1000", { dropIns: { env: "[Service]\nEnvironment=A=1\n" } });
  const pid = () => look("systemctl show --property=MainPID --value demo.service");

  afterEach(() =>
    look(
      "systemctl disable --now -q demo.service; rm -rf /etc/systemd/system/demo.service*; systemctl daemon-reload",
    ),
  );

  it("is written, enabled, started, left alone, repaired, and gone without a trace", async () => {
    const before = await look("ls -R /etc/systemd/system");
    const { outputs } = await systemdUnit.create(context(), good);
    expect(
      await look(
        "systemctl is-active demo; systemctl is-enabled demo; systemctl show --property=Environment --value demo",
      ),
    ).toBe("active\nenabled\nA=1");
    expect((await systemdUnit.read(context(), "", good, outputs))?.inputs).toEqual(good);
    const first = await pid();
    await systemdUnit.update(context(), "", good, good, outputs);
    expect(await pid()).toBe(first);

    await look("systemctl disable --now -q demo; rm /etc/systemd/system/demo.service.d/env.conf");
    const drifted = (await systemdUnit.read(context(), "", good, outputs))?.inputs;
    expect(drifted).toEqual({ ...good, active: false, enabled: false, dropIns: {} });
    await systemdUnit.update(context(), "", drifted as typeof good, good, outputs);
    expect((await systemdUnit.read(context(), "", good, outputs))?.inputs).toEqual(good);

    const second = await pid();
    await systemdUnit.update(context(), "", good, { ...good, restartOn: ["new"] }, outputs);
    expect(await pid()).not.toBe(second);

    await systemdUnit.delete(context(), "", good, outputs);
    expect(await look("ls -R /etc/systemd/system")).toBe(before);
    await expect(systemdUnit.read(context(), "", good, outputs)).resolves.toBeUndefined();
    await systemdUnit.delete(context(), "", good, outputs);
  });

  it("that does not stay up is an error with its journal, and is taken back", async () => {
    const attempt = systemdUnit.create(context(), unit("/bin/sh -c 'echo canary in the journal; exit 3'"));
    await expect(attempt).rejects.toMatchObject({
      details: { output: expect.stringContaining("canary in the journal") },
    });
    expect(await look("ls /etc/systemd/system | grep demo; systemctl --failed --no-legend | grep demo")).toBe(
      "",
    );
  });

  it("goes on running as it was when a change of it fails", async () => {
    const { outputs } = await systemdUnit.create(context(), good);
    await expect(systemdUnit.update(context(), "", good, unit("/bin/false"), outputs)).rejects.toThrow(
      "failed to become active",
    );
    expect(await look("systemctl is-active demo; systemctl show --property=Environment --value demo")).toBe(
      "active\nA=1",
    );
    expect(await look("grep ExecStart /etc/systemd/system/demo.service")).toBe("ExecStart=/bin/sleep 1000");
  });
});

describe("a unit of someone else", () => {
  it("is put back as it was", async () => {
    const inputs = systemdUnit.schema.parse({
      unit: "apt-daily.timer",
      enabled: false,
      active: false,
      dropIns: { ours: "[Timer]\nPersistent=false\n" },
    });
    const before = await look("systemctl is-enabled apt-daily.timer; systemctl is-active apt-daily.timer");
    expect(before).toBe("enabled\nactive");
    const { outputs } = await systemdUnit.create(context(), inputs);
    expect(await look("systemctl is-enabled apt-daily.timer; systemctl is-active apt-daily.timer")).toBe(
      "disabled\ninactive",
    );
    await systemdUnit.delete(context(), "", inputs, outputs);
    expect(
      await look(
        "systemctl is-enabled apt-daily.timer; systemctl is-active apt-daily.timer; ls -d /etc/systemd/system/apt-daily.timer.d 2>&1",
      ),
    ).toMatch(/^enabled\nactive\n.*No such file/);
  });

  it("is refused where it is masked, or not there", async () => {
    await look("systemctl mask -q apt-daily.timer");
    const masked = systemdUnit.create(context(), systemdUnit.schema.parse({ unit: "apt-daily.timer" }));
    await expect(masked).rejects.toThrow("apt-daily.timer is masked");
    expect(await look("systemctl is-enabled apt-daily.timer; systemctl unmask -q apt-daily.timer")).toBe(
      "masked",
    );
    const absent = systemdUnit.create(context(), systemdUnit.schema.parse({ unit: "nosuch.service" }));
    await expect(absent).rejects.toThrow("there is no unit nosuch.service");
  });
});

describe("a swarm of one", () => {
  const inputs = swarmMember.schema.parse({
    role: "manager-init",
    defaultAddrPool: ["10.202.0.0/16"],
    labels: { country: "NO" },
  });

  it("is initialised once, shows drift, is not left while in use, and ends without a trace", async () => {
    await packages.create(context(), packages.schema.parse({ packages: { "docker.io": "", iptables: "" } }));
    const { id, outputs } = await swarmMember.create(context(), inputs);
    expect(outputs).toMatchObject({
      adopted: false,
      nodeId: id,
      caDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await swarmMember.read(context(), id, inputs, outputs))?.inputs).toEqual(inputs);
    expect((await swarmMember.create(context(), inputs)).outputs).toEqual(outputs);

    await look(`docker node update --label-rm country --availability drain ${id}`);
    const drifted = (await swarmMember.read(context(), id, inputs, outputs))?.inputs as typeof inputs;
    expect(drifted).toEqual({ ...inputs, labels: {}, availability: "drain" });
    await swarmMember.update(context(), id, drifted, inputs, outputs);
    expect((await swarmMember.read(context(), id, inputs, outputs))?.inputs).toEqual(inputs);

    await look("docker service create --detach --replicas 0 --name web nothing:1");
    await expect(swarmMember.delete(context(), id, inputs, outputs)).rejects.toThrow(
      "still in use by service web",
    );
    await look("docker service rm web");

    // The identity in a token is that of the certificate on the host: another host's token is another swarm.
    const joiner = swarmMember.schema.parse({
      role: "manager",
      joinTokenFrom: { addr: "10.0.0.1:2377", token: outputs.joinTokens.manager },
    });
    await expect(swarmMember.create(context(), joiner)).resolves.toMatchObject({ id });

    await swarmMember.delete(context(), id, inputs, outputs);
    expect(
      await look(
        "docker info --format '{{.Swarm.LocalNodeState}}'; ls -d /var/lib/oslo-faas/swarm-member 2>&1",
      ),
    ).toMatch(/^inactive\n.*No such file/);
    await expect(swarmMember.read(context(), id, inputs, outputs)).resolves.toBeUndefined();
    await swarmMember.delete(context(), id, inputs, outputs);
  });

  it("stays where it was there before", async () => {
    await look("docker swarm init --advertise-addr 127.0.0.1");
    const { id, outputs } = await swarmMember.create(context(), inputs);
    expect(outputs.adopted).toBe(true);
    await swarmMember.delete(context(), id, inputs, outputs);
    expect(
      await look("docker info --format '{{.Swarm.LocalNodeState}}'; docker swarm leave --force >/dev/null"),
    ).toBe("active");
  });
});

it("all of it went over one connection for each user", () =>
  expect(sessions.map(({ dials }) => dials)).toEqual([1, 1]));

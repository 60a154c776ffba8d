/** The disposable host by itself: made, left alone, repaired after every kind of interruption, and gone without a trace. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type Docker from "dockerode";
import { Client } from "ssh2";
import { loadLab } from "../../lab/config";
import { connect, orMissing } from "../../lab/docker";
import { leftovers } from "../../lab/leftovers";
import { ownLab } from "./ownLab";

jest.setTimeout(20 * 60_000);

const ENV = { ...process.env, ...ownLab("lab") };
const lab = loadLab(ENV);
let docker: Docker;

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  text: string;
}

/** lab/cli.ts in its own process, as npm would start it. `stopWhen` sends a signal once a line matches. */
function cli(
  args: string[],
  stop?: { when: RegExp; signal: NodeJS.Signals },
  env: NodeJS.ProcessEnv = ENV,
): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["--import", "tsx", "lab/cli.ts", ...args], {
      cwd: lab.cloneDir,
      env,
    });
    let text = "";
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      if (stop?.when.test(text)) child.kill(stop.signal);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", fail);
    child.on("close", (code, signal) => done({ code, signal, text }));
  });
}

async function up(): Promise<string> {
  const ended = await cli(["host"]);
  if (ended.code !== 0) throw new Error(`lab/cli.ts host ended with ${ended.code}:\n${ended.text}`);
  return ended.text;
}

/** Logs in with the lab's key, verifying the lab's host key, and runs a command. */
function ssh(username: string, command: string): Promise<string> {
  const expected = fs.readFileSync(lab.ssh.hostPublicKey, "utf8").split(" ")[1]!;
  return new Promise((done, fail) => {
    const client = new Client();
    client
      .on("error", fail)
      .on("ready", () => {
        client.exec(command, (error, stream) => {
          if (error) return fail(error);
          let text = "";
          stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
          stream.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
          stream.on("close", () => (client.end(), done(text)));
        });
      })
      .connect({
        host: "127.0.0.1",
        port: lab.ports.ssh,
        username,
        privateKey: fs.readFileSync(lab.ssh.privateKey),
        hostVerifier: (key: Buffer) => key.toString("base64") === expected,
        readyTimeout: 15_000,
      });
  });
}

const networkInterfaces = () => fs.readdirSync("/sys/class/net");
const hostId = async () => (await orMissing(docker.getContainer(lab.container).inspect()))?.Id;
const works = async () =>
  expect((await ssh("root", "id -un; systemctl is-system-running")).trim()).toBe("root\nrunning");

beforeAll(async () => {
  const ended = await cli(["down", "--fast"]);
  if (ended.code !== 0) throw new Error(ended.text);
  docker = await connect();
});

afterAll(async () => {
  await cli(["down", "--fast"]);
});

test("a host is made: systemd, sshd, and root or a user with sudo by key alone", async () => {
  const text = await up();
  expect(text).toMatch(/host .* made/);
  await works();
  expect((await ssh("ops", "sudo -n id -un")).trim()).toBe("root");
  const services = await ssh(
    "root",
    "systemctl list-units --type=service --state=running --no-legend --plain",
  );
  const names = services
    .trim()
    .split("\n")
    .map((line) => line.split(/\s/)[0]);
  expect(names.sort()).toEqual(["dbus.service", "ssh.service", "systemd-journald.service"]);
  expect(await ssh("root", "sshd -T | grep -iE '^(passwordauthentication|loglevel) ' | sort")).toBe(
    "loglevel VERBOSE\npasswordauthentication no\n",
  );
  expect(fs.statSync(lab.ssh.privateKey).mode & 0o777).toBe(0o600);
});

test("its ports are open on 127.0.0.1 alone", async () => {
  const { NetworkSettings } = await docker.getContainer(lab.container).inspect();
  const bindings = Object.values(NetworkSettings.Ports).flatMap((list) => list ?? []);
  expect(bindings.map((binding) => binding.HostPort).sort()).toEqual(
    Object.values(lab.ports).map(String).sort(),
  );
  expect(new Set(bindings.map((binding) => binding.HostIp))).toEqual(new Set(["127.0.0.1"]));
});

test("packages can be installed in it, from where this machine has its own", async () => {
  expect(
    await ssh(
      "root",
      "apt-get update -qq && apt-get install -y -qq --no-install-recommends jq >/dev/null 2>&1; jq --version",
    ),
  ).toMatch(/jq-1/);
});

test("a second run leaves it as it is", async () => {
  const before = await docker.getContainer(lab.container).inspect();
  expect(await up()).toMatch(/host .* was there/);
  const after = await docker.getContainer(lab.container).inspect();
  expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
});

test("a host that was stopped is started again, with what was on it", async () => {
  const before = await hostId();
  await ssh("root", "echo kept >/root/mark");
  await docker.getContainer(lab.container).kill();
  await up();
  expect(await hostId()).toBe(before);
  expect(await ssh("root", "cat /root/mark")).toBe("kept\n");
  await works();
});

test("a host that lacks this lab's keys is made anew", async () => {
  const before = await hostId();
  fs.rmSync(path.dirname(lab.ssh.privateKey), { recursive: true });
  expect(await up()).toContain("does not have this lab's keys");
  expect(await hostId()).not.toBe(before);
  await works();
});

test.each(["SIGKILL", "SIGTERM"] as const)(
  "after %s while the host is being made, the next run repairs it",
  async (signal) => {
    await cli(["down", "--fast"]);
    const ended = await cli(["host"], { when: /making the host/, signal });
    expect(ended.code === 130 || ended.signal === signal).toBe(true);
    await up();
    await works();
  },
);

test("a second command at the same time is refused, naming the first", async () => {
  await cli(["down", "--fast"]);
  let second: Promise<Ended> | undefined;
  const first = new Promise<Ended>((done, fail) => {
    const child = spawn(process.execPath, ["--import", "tsx", "lab/cli.ts", "host"], {
      cwd: lab.cloneDir,
      env: ENV,
    });
    child.stdout.on("data", (chunk: Buffer) => {
      if (/making the host/.test(chunk.toString())) second ??= cli(["down"]);
    });
    child.on("error", fail);
    child.on("close", (code, signal) => done({ code, signal, text: "" }));
  });
  expect((await first).code).toBe(0);
  const refused = await second!;
  expect(refused.code).toBe(1);
  expect(refused.text).toMatch(/`lab\/cli.ts host` of this lab is running already \(process \d+\)/);
  await up();
});

describe("a lab of another clone that holds the ports", () => {
  const other = fs.mkdtempSync(path.join(os.tmpdir(), "other-clone-"));
  afterAll(() => fs.rmSync(other, { recursive: true, force: true }));

  test("is named and left alone while its folder is there, and removed once that is gone", async () => {
    const { Config } = await docker.getContainer(lab.container).inspect();
    await cli(["down", "--fast"]);
    const Labels = { ...lab.labels, "no.oslo-faas.clone": other };
    await docker.createContainer({ name: lab.container, Image: Config.Image, Labels });
    // One that is in nobody's way, of the same clone: with that gone, nobody else would ever remove it.
    const stray = `${lab.instance}-stray`;
    const named = {
      Name: `oslo-faas-${stray}-docker`,
      Labels: { ...Labels, "no.oslo-faas.instance": stray },
    };
    await docker.createVolume(named);
    await docker.createContainer({ name: `oslo-faas-${stray}`, Image: Config.Image, Labels: named.Labels });
    for (const command of ["host", "down"]) {
      const refused = await cli([command]);
      expect(refused.code).toBe(1);
      expect(refused.text).toContain(other);
      expect(refused.text).not.toMatch(/\n\s+at /);
    }
    fs.rmSync(other, { recursive: true });
    expect(await up()).toContain(`left over from the deleted clone ${other}`);
    const filters = { label: [`no.oslo-faas.clone=${other}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect((await docker.listVolumes({ filters })).Volumes ?? []).toEqual([]);
    await works();
  });
});

test("down leaves nothing, whatever runs in the host, and can be repeated", async () => {
  await cli(["down", "--fast"]);
  await up();
  const { Id: network } = await docker.getNetwork(lab.network).inspect();
  const bridge = `br-${network.slice(0, 12)}`;
  expect(networkInterfaces()).toContain(bridge);
  for (let times = 0; times < 2; times += 1) {
    const ended = await cli(["down"]);
    expect(ended.text).toContain(`The lab ${lab.instance} is gone.`);
    expect(ended.code).toBe(0);
  }
  expect(await leftovers(lab, docker)).toEqual([]);
  expect(networkInterfaces()).not.toContain(bridge);
});

test("a command that does not exist is one line with the nearest one, not a stack", async () => {
  const ended = await cli(["upp"]);
  expect(ended.code).toBe(1);
  expect(ended.text).toBe("\nerror: unknown command 'upp' (Did you mean up?)\n→ npx tsx lab/cli.ts --help\n");
});

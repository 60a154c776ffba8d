/**
 * What happens on a host that has nothing of ours yet: what is refused before anything is changed, and Docker's own apt repository
 * (made and signed by this test; its docker-ce is the distribution's engine under that name, so that a real one runs in the end).
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { writeStackFile } from "../../lab/stackfile";
import { makeRepository, type SignedRepository, stopAgents } from "../unit/providers/host/signedRepository";
import { CLONE, FRONT_DOOR, lab, npm, ok, onHostOk, pulumi, pulumiOk, run, variant } from "./lib";

jest.setTimeout(15 * 60_000);

const FOOTPRINT = `dpkg-query -W -f '\${Package} \${db:Status-Abbrev}\\n' | sort
ls /etc/apt/sources.list.d /etc/apt/keyrings /etc/systemd/system /etc/sysctl.d /etc/docker 2>/dev/null; true`;
// A resource can only be made with its parent.
const PARENT = ["--target", "**index:OsloFaas::oslo-faas"];
const DOCKER = [...PARENT, "--target", "**index:Host**", "--target", "**index:DockerEngine**"];

let folder: string;
let before: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-e2e-"));
  await ok(npm("down"), { timeoutSeconds: 300 });
  await ok(["npx", "tsx", "lab/cli.ts", "host"], { timeoutSeconds: 900, echo: true });
  writeStackFile(lab);
  await pulumiOk(["stack", "init", "--no-select", "--secrets-provider", "passphrase"]).catch(() => undefined);
  // The engine's salt, which this lab has in a file of its own.
  fs.rmSync(path.join(CLONE, "stacks", `Pulumi.${lab.stack}.yaml`), { force: true });
  before = await onHostOk(FOOTPRINT);
});

afterAll(async () => {
  stopAgents(folder);
  fs.rmSync(folder, { recursive: true, force: true });
  if (!process.env.OSLO_FAAS_KEEP) await run(npm("down"), { timeoutSeconds: 600 });
});

/** An `up` that has to be refused, with the host as it was. */
async function refused(changes: Record<string, unknown>, ...messages: RegExp[]): Promise<void> {
  const up = await pulumi(["up", "--yes", "--skip-preview", ...DOCKER], {
    config: variant("refused", changes),
  });
  expect(up.code).not.toBe(0);
  for (const message of messages) expect(up.all).toMatch(message);
  expect(up.all).not.toMatch(/^\s+at .*\.(ts|js):\d+/m);
}

/** A program of our own in place of one of the host's, for as long as `body` takes. */
async function pretending(file: string, content: string, body: () => Promise<void>): Promise<void> {
  await onHostOk(
    `mkdir -p $(dirname ${file}); [ ! -e ${file} ] || cp -p ${file} ${file}.kept; cat >${file}; chmod 755 ${file}`,
    { input: content },
  );
  try {
    await body();
  } finally {
    await onHostOk(`rm -f ${file}; [ ! -e ${file}.kept ] || mv ${file}.kept ${file}`);
  }
}

describe("an up is refused before anything is changed", () => {
  afterEach(async () => expect(await onHostOk(FOOTPRINT)).toBe(before));

  test("on a container, unless the environment allows it", () =>
    refused({ "preflight.allowVirtualization": [] }, /virtualization: docker/, /KVM machine or bare metal/));

  test.each([
    ["openvz", "container"],
    ["lxc", "container"],
  ])("on %s", (name, kind) =>
    pretending(
      "/usr/local/bin/systemd-detect-virt",
      `#!/bin/sh\ncase "$*" in *--vm*) echo none; exit 1;; *) echo ${name};; esac\n# ${kind}\n`,
      () => refused({}, new RegExp(`virtualization: ${name}`)),
    ),
  );

  test("on a release that is not supported", () =>
    pretending(
      "/etc/os-release",
      'ID=ubuntu\nVERSION_ID="16.04"\nPRETTY_NAME="Ubuntu 16.04 LTS"\nVERSION_CODENAME=xenial\n',
      () => refused({}, /release: Ubuntu 16\.04/, /18\.04/),
    ));

  test("with too little memory and disk, both said at once", () =>
    refused(
      { "preflight.minMemoryMiB": 10_000_000, "preflight.minDiskMiB": 1_000_000_000 },
      /1\. memory: \d+ MiB/,
      /2\. free space under \/var\/lib: \d+ MiB/,
    ));

  test("when somebody else has the port", async () => {
    await onHostOk("systemd-run --unit=other-server --collect -q /usr/sbin/sshd -D -p 80");
    try {
      await refused({}, /port 80: taken by sshd/);
    } finally {
      await onHostOk("systemctl stop other-server");
    }
  });

  test("for a user without sudo", async () => {
    await onHostOk(
      "useradd -m -s /bin/sh nosudo && mkdir -p ~nosudo/.ssh && cp /root/.ssh/authorized_keys ~nosudo/.ssh/ && chown -R nosudo ~nosudo/.ssh",
    );
    try {
      await refused({ "host.user": "nosudo" }, /sudo/, /NOPASSWD/);
    } finally {
      await onHostOk("pkill -u nosudo; sleep 1; userdel -r nosudo 2>/dev/null; true");
    }
  });

  test("when the host shows another key: both fingerprints, and not one command run", async () => {
    const sessions = () =>
      onHostOk("journalctl -u ssh --no-pager -o cat | grep -c 'Starting session' || true").then(Number);
    const start = await sessions();
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
    await refused(
      { "host.hostKey": other, "host.hostKeyFile": undefined },
      /SHA256:.*SHA256:/s,
      new RegExp(`127\\.0\\.0\\.1:${lab.ports.ssh}`),
    );
    // The one session since is the one that counts.
    expect((await sessions()) - start).toBe(1);
  });

  test("when the host cannot be reached, naming it", async () => {
    const started = Date.now();
    await refused({ "host.port": 2 }, /127\.0\.0\.1:2\b/);
    // The plugin's own limit is 15 s (tests/integration/plugin-transport.test.ts); this one is only against waiting for ever.
    expect(Date.now() - started).toBeLessThan(60_000);
  });
});

describe("Docker Engine from Docker's own apt repository", () => {
  let repository: SignedRepository;
  const version = "5:24.0.7-1~debian.12~bookworm";
  const settings = (more: Record<string, unknown> = {}) => ({
    "docker.source": "docker",
    "docker.repository": { uri: "file:///srv/docker", fingerprint: repository.fingerprint, ...more },
  });
  /** As oslo-prod has it: somebody with sudo logs in, HTTP sends on to HTTPS, and management is for a network that this is not. */
  const asInProduction = () =>
    variant("production", {
      ...settings(),
      "host.user": "ops",
      "nginx.tls.redirect": true,
      "nginx.managementAllow": ["198.51.100.0/24"],
    });

  beforeAll(async () => {
    // Debian's engine conflicts with one of the name docker-ce, so it comes under that name.
    await ok(["sh", "-c", `cd ${folder} && apt-get -qq download docker.io`], { timeoutSeconds: 300 });
    const from = path.join(
      folder,
      fs.readdirSync(folder).find((name) => name.startsWith("docker.io_"))!,
    );
    const packages = {
      "docker-ce": { version, from },
      "docker-ce-cli": version,
      "containerd.io": "1.6.26-1",
    };
    repository = makeRepository(folder, "bookworm", packages, "stable");
    fs.writeFileSync(path.join(folder, "repo", "gpg"), repository.key);
    const archive = path.join(folder, "repo.tar");
    await ok(["tar", "-cf", archive, "-C", path.join(folder, "repo"), "."]);
    await onHostOk("mkdir -p /srv/docker/debian && base64 -d | tar -x -C /srv/docker/debian", {
      input: fs.readFileSync(archive).toString("base64"),
    });
  });

  test("a key with another fingerprint is refused, and nothing is installed", async () => {
    await refused(settings({ fingerprint: "0".repeat(40) }), /0{40}/, new RegExp(repository.fingerprint));
    expect(
      await onHostOk("ls /etc/apt/sources.list.d /etc/apt/keyrings 2>/dev/null | grep -c docker || true"),
    ).toBe("0\n");
    expect(
      await onHostOk("dpkg-query -W -f '${Package}\\n' 'docker*' containerd.io 2>/dev/null | wc -l"),
    ).toBe("0\n");
  });

  test("the right key: docker-ce and its companions, held, and an engine that answers; all of it as a user with sudo", async () => {
    await ok(["npx", "tsx", "lab/cli.ts", "images"], { timeoutSeconds: 900, echo: true });
    const config = asInProduction();
    await pulumiOk(["up", "--yes", "--skip-preview"], { config, timeoutSeconds: 900 });
    expect(await onHostOk("cat /etc/apt/sources.list.d/docker.list")).toMatch(
      /^deb \[.*signed-by=\/etc\/apt\/keyrings\/docker\.gpg.*\] file:\/\/\/srv\/docker\/debian bookworm stable$/m,
    );
    expect(await onHostOk("dpkg-query -W -f '${Version}' docker-ce")).toBe(version);
    expect((await onHostOk("apt-mark showhold")).split("\n")).toEqual(
      expect.arrayContaining(["containerd.io", "docker-ce", "docker-ce-cli"]),
    );
    expect(await onHostOk("docker version --format '{{.Server.Os}}'")).toBe("linux\n");
    expect((await onHostOk("id -nG ops")).trim().split(" ")).toContain("docker");
    await pulumiOk(["up", "--yes", "--refresh", "--skip-preview", "--expect-no-changes"], { config });
  });

  test("HTTP sends on to HTTPS, which serves functions and keeps the management API to its network", async () => {
    const status = async (url: string) =>
      (await ok(["curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", url])).stdout;
    expect(await status(`${FRONT_DOOR}/function/hello`)).toBe("308 https://127.0.0.1/function/hello");
    const secure = `https://127.0.0.1:${lab.ports.https}`;
    expect(await status(`${secure}/function/hello`)).toBe("200 ");
    expect(await status(`${secure}/system/functions`)).toBe("403 ");
  });

  test("destroy takes source, key, packages and holds off again", async () => {
    await pulumiOk(["destroy", "--yes", "--skip-preview"], {
      config: asInProduction(),
      timeoutSeconds: 600,
    });
    expect(await onHostOk(FOOTPRINT)).toBe(before);
    expect(await onHostOk("id -nG ops")).toBe("ops\n");
    expect(await onHostOk("apt-mark showhold")).toBe("");
  });
});

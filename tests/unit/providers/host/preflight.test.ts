import { gatherFacts, keepFluctuating, parseFacts } from "../../../../providers/host/src/resources/facts";
import { preflight } from "../../../../providers/host/src/resources/preflight";
import { judge } from "../../../../providers/host/src/resources/preflightChecks";
import type { PreflightInputs } from "../../../../providers/host/src/resources/preflightInputs";
import { LocalSession, ScriptedSession, contextOf } from "./localSession";

const GOOD = {
  sudo: "yes",
  user: "ops",
  osId: "ubuntu",
  osVersion: "22.04",
  codename: "jammy",
  osName: "Ubuntu 22.04.5 LTS",
  hostname: "oslo-1",
  kernel: "5.15.0-100-generic",
  arch: "amd64",
  cpus: "4",
  memoryKiB: "8132000",
  diskFreeKiB: "52428800",
  systemd: "yes",
  virtualization: "kvm",
  virtualizationKind: "vm",
  overlayfs: "yes",
  vxlan: "yes",
  nfTables: "yes",
  ipTables: "yes",
  ipvs: "yes",
  cgroup: "v2",
  apparmor: "yes",
  apparmorParser: "yes",
  defaultInterface: "ens3",
  ipv6: "yes",
  dockerSnap: "no",
  client: "198.51.100.9",
  sshPort: "22",
};

/** What facts.sh prints, with some of it changed, and further lines. */
function output(
  changes: Partial<Record<keyof typeof GOOD | "fsyncPerSecond" | "sudoSays", string>> = {},
  ...lines: string[]
): string {
  const values = Object.entries({ ...GOOD, ...changes }).map(([key, value]) => `${key}=${value}`);
  return [...values, ...lines, "end=ok", ""].join("\n");
}

const wanted = (more: object = {}): PreflightInputs => preflight.schema.parse(more);
const verdict = (text: string, more: object = {}) => judge(parseFacts(text), wanted(more));

describe("what facts.sh prints", () => {
  it("becomes values, with units that people use", () => {
    const { facts, listeners } = parseFacts(
      output(
        {},
        "address=ens3 10.0.0.7",
        "address=ens3 2001:db8::7",
        "listen=80 0.0.0.0 nginx",
        "listen=5432 [::] ",
      ),
    );
    expect(facts).toMatchObject({
      osId: "ubuntu",
      memoryMiB: 7941,
      diskFreeMiB: 51200,
      cpus: 4,
      sudo: "yes",
      apparmor: true,
    });
    expect(facts.addresses).toEqual(["10.0.0.7", "2001:db8::7"]);
    expect(listeners).toEqual([
      { port: 80, address: "0.0.0.0", name: "nginx" },
      { port: 5432, address: "[::]", name: "" },
    ]);
  });

  it("refuses incomplete output of a lost connection", () => {
    expect(() => parseFacts(output().replace("end=ok", ""))).toThrow("incomplete");
  });

  it("can be gathered from this very machine by the real script", async () => {
    const { facts } = await gatherFacts(new LocalSession());
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.memoryMiB).toBeGreaterThan(100);
    expect(facts.kernel).toMatch(/^\d+\.\d+/);
  });

  it("keeps what fluctuates by itself, and shows a host that became another one", () => {
    const stored = parseFacts(output()).facts;
    const later = parseFacts(
      output({ diskFreeKiB: "100", fsyncPerSecond: "12", memoryKiB: "8131000" }),
    ).facts;
    expect(keepFluctuating(stored, later)).toEqual(stored);
    const other = parseFacts(output({ kernel: "6.8.0", memoryKiB: "4000000" })).facts;
    expect(keepFluctuating(stored, other)).toMatchObject({ kernel: "6.8.0", memoryMiB: 3906 });
  });
});

describe("preflight", () => {
  it("accepts a KVM host with a supported release", () => {
    expect(verdict(output())).toEqual({ refusals: [], warnings: [] });
  });

  const one: [string, Parameters<typeof output>[0], string[], object, RegExp][] = [
    [
      "OpenVZ",
      { virtualization: "openvz", virtualizationKind: "container" },
      [],
      {},
      /openvz.*shares its host's kernel: no overlay/,
    ],
    [
      "LXC",
      { virtualization: "lxc", virtualizationKind: "container" },
      [],
      {},
      /lxc.*a swarm forms, but its overlay networks/,
    ],
    [
      "a Docker container",
      { virtualization: "docker", virtualizationKind: "container" },
      [],
      {},
      /docker.*add "docker" to allowVirtualization/,
    ],
    [
      "an unknown machine",
      { virtualization: "unknown", virtualizationKind: "unknown" },
      [],
      {},
      /virtualization unknown/,
    ],
    [
      "a release that is not in the table",
      { osVersion: "16.04", osName: "Ubuntu 16.04.7 LTS" },
      [],
      {},
      /release Ubuntu 16.04.7 LTS one of Ubuntu 18.04, .*Debian 12/,
    ],
    [
      "another distribution",
      { osId: "alpine", osVersion: "3.20", osName: "" },
      [],
      {},
      /release alpine 3.20/,
    ],
    ["another architecture", { arch: "riscv64" }, [], {}, /architecture riscv64 one of amd64, arm64/],
    [
      "an engine later than what was published for the release",
      { osVersion: "18.04", osName: "Ubuntu 18.04.6 LTS" },
      [],
      { engineVersion: "5:27.1.0-1~ubuntu.18.04~bionic" },
      /Docker Engine 5:27.1.0-1~ubuntu.18.04~bionic for .* 20.10.10 to 24.0/,
    ],
    [
      "an engine earlier than what was published for the release",
      { osVersion: "24.04", osName: "Ubuntu 24.04.1 LTS" },
      [],
      { engineVersion: "5:24.0.2-1~ubuntu.18.04~bionic" },
      /Docker Engine 5:24.0.2.* 26.0 or later/,
    ],
    [
      "a later release than the last of the table",
      { osId: "debian", osVersion: "14", osName: "Debian GNU/Linux 14 (forky)" },
      [],
      {},
      /release Debian GNU\/Linux 14 .* add "debian 14" to preflight\.allowReleases/,
    ],
    [
      "Debian's development release",
      { osId: "debian", osVersion: "", osName: "Debian GNU/Linux forky/sid" },
      [],
      {},
      /add "debian" to preflight\.allowReleases/,
    ],
    [
      "an engine that refuses clone3",
      {},
      [],
      { engineVersion: "5:20.10.9~3-0~ubuntu-jammy" },
      /Docker Engine 5:20\.10\.9.* 20\.10\.10 or later/,
    ],
    [
      "an engine from before 26.04",
      { osVersion: "26.04", osName: "Ubuntu 26.04 LTS" },
      [],
      { engineVersion: "5:28.5.2-1~ubuntu.26.04~resolute" },
      /29\.3 or later/,
    ],
    [
      "a kernel without nf_tables, where ports are to be closed",
      { nfTables: "no" },
      [],
      { nfTables: true },
      /without nf_tables \(closed ports\) overlayfs, vxlan, and nf_tables boot/,
    ],
    ["a kernel without IPv6", { ipv6: "no" }, [], { ipv6: true }, /without IPv6 .* set nginx\.ipv6 to false/],
    ["Docker as a snap", { dockerSnap: "yes" }, [], {}, /as a snap.* snap remove --purge docker/],
    [
      "sudo that wants a terminal",
      { sudo: "no", sudoSays: "sudo: sorry, you must have a tty to run sudo" },
      [],
      {},
      /wants a terminal of user ops \(Defaults requiretty\).*'Defaults:ops !requiretty'/,
    ],
    [
      "ufw's limit on logins",
      {},
      [
        "ufw=allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in",
        "ufw=limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in",
      ],
      {},
      /ufw limits new connections to port 22.* ufw insert 1 allow from 198\.51\.100\.9 to any port 22/,
    ],
    ["no sudo", { sudo: "no" }, [], {}, /user ops cannot run sudo without a password.*NOPASSWD/],
    ["no systemd", { systemd: "no" }, [], {}, /systemd is not running/],
    [
      "little memory",
      { memoryKiB: "524288" },
      [],
      { minMemoryMiB: 1024 },
      /memory 512 MiB at least 1024 MiB/,
    ],
    [
      "little disk",
      { diskFreeKiB: "1048576" },
      [],
      { minDiskMiB: 5000 },
      /\/var\/lib 1024 MiB at least 5000 MiB/,
    ],
    [
      "a taken port",
      {},
      ["listen=80 0.0.0.0 apache2"],
      { ports: [{ port: 80, ours: "nginx" }] },
      /port 80 taken by apache2 on 0.0.0.0 free, or taken by nginx/,
    ],
    [
      "a port taken by nobody knows whom",
      {},
      ["listen=443 [::] "],
      { ports: [{ port: 443 }] },
      /port 443 taken by an unknown process/,
    ],
    ["a kernel without VXLAN", { vxlan: "no" }, [], {}, /kernel features .*without vxlan/],
    [
      "a kernel without any packet filter",
      { nfTables: "no", ipTables: "no" },
      [],
      {},
      /nf_tables or ip_tables/,
    ],
    [
      "a slow disk",
      { fsyncPerSecond: "80" },
      [],
      { minFsyncPerSecond: 300 },
      /80 a second at least 300 a second/,
    ],
    ["a disk that could not be measured", {}, [], { minFsyncPerSecond: 300 }, /could not be measured/],
  ];
  it.each(one)("refuses %s, and only that", (_what, changes, lines, more, message) => {
    const { refusals } = verdict(output(changes, ...lines), more);
    expect(
      refusals.map(({ what, found, wanted: asked, remedy }) => `${what} ${found} ${asked} ${remedy}`),
    ).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    [
      "docker, where the environment allows it",
      { virtualization: "docker", virtualizationKind: "container" },
      [],
      { allowVirtualization: ["docker"] },
    ],
    [
      "a port that is taken by ours",
      {},
      ["listen=80 0.0.0.0 nginx"],
      { ports: [{ port: 80, ours: "nginx" }] },
    ],
    [
      "a port published by the engine",
      {},
      ["listen=8080 127.0.0.1 docker-proxy"],
      { ports: [{ port: 8080, ours: ["dockerd"] }] },
    ],
    ["another port that is taken", {}, ["listen=8081 0.0.0.0 java"], { ports: [{ port: 80 }] }],
    ["nf_tables alone", { ipTables: "no" }, [], { nfTables: true }],
    ["no IPv6, where nothing asks for it", { ipv6: "no" }, [], {}],
    ["the first engine with clone3", {}, [], { engineVersion: "5:20.10.10~3-0~ubuntu-jammy" }],
    [
      "the last line of 18.04",
      { osVersion: "18.04" },
      [],
      { engineVersion: "5:24.0.9-1~ubuntu.18.04~bionic" },
    ],
    ["Debian 13", { osId: "debian", osVersion: "13" }, [], {}],
    ["Ubuntu 26.04", { osVersion: "26.04" }, [], {}],
    [
      "ufw's limit, where an earlier rule lets this machine in",
      {},
      ["ufw=allow any any 0.0.0.0/0 any 198.51.100.0/24 in", "ufw=limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"],
      {},
    ],
    ["ufw's limit on another port", {}, ["ufw=limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in"], {}],
  ])("accepts %s", (_what, changes, lines, more) => {
    expect(verdict(output(changes, ...(lines as string[])), more).refusals).toEqual([]);
  });

  it.each([
    ["18.04 is past its free support", { osVersion: "18.04" }, /18\.04 is past its free support/],
    ["there is no IP_VS", { ipvs: "no" }, /no IP_VS/],
    ["AppArmor is on without its package", { apparmorParser: "no" }, /apparmor_parser/],
    ["VXLAN is unknown", { vxlan: "unknown" }, /could not be found out/],
  ])("goes on with a warning where %s", (_what, changes, warning) => {
    const { refusals, warnings } = verdict(output(changes));
    expect(refusals).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("goes on with a warning on a release that the environment allows", () => {
    const changes = { osId: "debian", osVersion: "14", osName: "Debian GNU/Linux 14 (forky)" };
    const { refusals, warnings } = verdict(output(changes), { allowReleases: ["debian 14"] });
    expect(refusals).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("has not been tried on Debian GNU/Linux 14")]);
  });

  describe("the networks that the engine is going to make", () => {
    const OVERLAY = { overlay: ["10.201.0.0/16"] };
    const asked = (lines: string[], networks: object, client = "198.51.100.9") =>
      verdict(output({ client }, ...lines), { engineNetworks: networks }).refusals.map(
        ({ what, found, remedy }) => `${what}: ${found}; ${remedy}`,
      );

    it.each([
      [
        "a host inside of the swarm's range",
        ["interface=ens3 10.201.4.7/24"],
        OVERLAY,
        undefined,
        /^the network of the swarm's networks: 10\.201\.0\.0\/16 contains the host's own 10\.201\.4\.7\/24 on ens3; set swarm\.addressPool/,
      ],
      [
        "an operator behind the bridge of the swarm",
        [],
        {},
        "172.18.0.5",
        /^the network of docker_gwbridge: 172\.18\.0\.0\/16 contains 172\.18\.0\.5, where this.*; set docker\.defaultAddressPools/,
      ],
      [
        "an operator behind docker0",
        [],
        {},
        "172.17.3.4",
        /^the network of docker0: 172\.17\.0\.0\/16 .*set docker\.bip/,
      ],
      [
        "a bip over the host's network",
        ["interface=ens3 192.168.127.9/24"],
        { bip: "192.168.127.1/24" },
        undefined,
        /docker0: 192\.168\.127\.1\/24 contains the host's own/,
      ],
      [
        "what comes next where a network is taken",
        ["interface=eth0 172.17.0.2/16", "route=172.17.0.0/16"],
        {},
        "172.19.0.1",
        /docker_gwbridge: 172\.19/,
      ],
      [
        "the second part of a pool",
        [],
        { pools: [{ base: "10.213.0.0/16", size: 24 }] },
        "10.213.1.200",
        /docker_gwbridge: 10\.213\.1\.0\/24/,
      ],
      [
        "the bridge of the swarm, with the other one there",
        ["interface=docker0 172.17.0.1/16"],
        {},
        "172.18.0.5",
        /docker_gwbridge: 172\.18/,
      ],
    ] as [string, string[], object, string | undefined, RegExp][])(
      "refuses %s",
      (_what, lines, networks, client, message) =>
        expect(asked(lines, networks, client)).toEqual([expect.stringMatching(message)]),
    );

    it.each([
      ["networks that lie apart", ["interface=ens3 10.0.0.7/24", "route=10.0.0.0/24"], OVERLAY, undefined],
      [
        "what exists already",
        ["interface=docker0 172.17.0.1/16", "interface=docker_gwbridge 172.18.0.1/16"],
        OVERLAY,
        "172.18.0.5",
      ],
      [
        "a bridge that keys have moved",
        [],
        { bip: "192.168.127.1/24", pools: [{ base: "10.213.0.0/16", size: 24 }] },
        "172.18.0.5",
      ],
      ["a client by IPv6", [], OVERLAY, "2001:db8::5"],
      ["a client that is not known", [], OVERLAY, ""],
    ] as [string, string[], object, string | undefined][])("accepts %s", (_what, lines, networks, client) =>
      expect(asked(lines, networks, client)).toEqual([]),
    );
  });

  it("says everything at once, and changes nothing", async () => {
    const session = new ScriptedSession(() => ({
      stdout: output({ osVersion: "16.04", sudo: "no", memoryKiB: "1024" }),
    }));
    const attempt = preflight.create(contextOf(session), wanted());
    await expect(attempt).rejects.toThrow(
      /3 reasons:\n {2}1\. release[^]*\n {2}2\. root privileges[^]*\n {2}3\. memory/,
    );
    expect(session.runs).toHaveLength(1);
    expect(session.runs[0]!.options.root).toBe(false);
  });

  it("does not write to the disk unless a minimum asks for it", async () => {
    const session = new ScriptedSession(() => ({ stdout: output({ fsyncPerSecond: "900" }) }));
    await preflight.create(contextOf(session), wanted());
    await preflight.create(contextOf(session), wanted({ minFsyncPerSecond: 300 }));
    expect(session.runs.map(({ script }) => /^FSYNC_COUNT=(\d+)/.exec(script)?.[1])).toEqual(["0", "200"]);
  });

  it("never drifts by itself: a refresh connects to nothing", async () => {
    const outputs = { facts: parseFacts(output()).facts, warnings: [] };
    const context = contextOf(async () => Promise.reject(new Error("connected")));
    await expect(preflight.read(context, "preflight", wanted(), outputs)).resolves.toEqual({
      inputs: wanted(),
      outputs,
    });
  });

  it("rejects unknown keys and impossible ports with their paths", () => {
    const result = preflight.schema.safeParse({ minMemory: 3, ports: [{ port: 70000 }] });
    expect(result.error?.issues.map(({ path }) => path.join("."))).toEqual(
      expect.arrayContaining(["ports.0.port", ""]),
    );
  });
});

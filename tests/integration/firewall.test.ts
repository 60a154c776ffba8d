/** The closed ports, with real packets: a host, a container and neighbours as network namespaces (firewall-net.sh). */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { renderFirewall } from "../../components/host/render";

const NET = path.join(__dirname, "firewall-net.sh");
const SCRIPT = path.join(__dirname, "../../components/host/scripts/firewall.sh");
const PREFIX = `fw${process.pid}`;
const VALUES = {
  closedTcp: [8080, 2377, 7946],
  closedUdp: [4789, 7946],
  peers: [],
  openTcp: [80, 443],
  containersReach: [],
};

const HOST = "198.51.100.1";
const HOST6 = "[2001:db8:1::1]";
/** Namespace → ports that something listens on there. */
const LISTENERS: Record<string, number[]> = {
  host: [22, 80, 443, 2377, 7946, 9100],
  function: [4222, 8080, 9000],
  compose: [8080],
  other: [80, 2377, 5432, 8080],
  outside: [80, 8080],
};

let dir: string;
let watch: ChildProcess | undefined;
const listeners: ChildProcess[] = [];

const inside = (name: string, command: string[]) => ["netns", "exec", `${PREFIX}-${name}`, ...command];
const on = (name: string, command: string[], input = "") =>
  spawnSync("ip", inside(name, command), { encoding: "utf8", timeout: 20_000, input });

/** Bash's own /dev/tcp needs no further program. */
function connects(from: string, address: string, port: number): boolean {
  const to = address.replace(/^\[|\]$/g, "");
  return on(from, ["timeout", "0.7", "bash", "-c", `exec 3<>/dev/tcp/${to}/${port}`]).status === 0;
}

/** [address, port]s of a list that answer. */
const answering = (from: string, targets: [string, number][]) =>
  targets.filter(([address, port]) => connects(from, address, port)).map(([a, p]) => `${a}:${p}`);

const loadRules = (values: Partial<typeof VALUES> | { peers: string[] } = {}) => {
  fs.writeFileSync(path.join(dir, "rules.nft"), renderFirewall({ ...VALUES, ...values }));
  firewall("load");
};

function firewall(verb: string): number | null {
  const { status } = on("host", ["env", ...variables(), "sh", SCRIPT, verb]);
  return status;
}

const variables = () => [`RULES=${dir}/rules.nft`, `RUN=${dir}/run`];

/** VXLAN as an overlay network speaks it, from `from` to the host's 4789: whether 10.99.0.1 in it answers. */
function tunnels(from: string, remote: string, more: string[] = []): boolean {
  const device = ["id", "4097", "dstport", "4789", "remote", remote, "nolearning", "dev", "eth0"];
  const setUp = [
    ["ip", "link", "add", "trick", "type", "vxlan", ...device],
    ["ip", "link", "set", "trick", "address", "02:00:00:00:00:02"],
    ["ip", "addr", "add", "10.99.0.2/24", "dev", "trick"],
    ["ip", "link", "set", "trick", "up"],
    ["ip", "neigh", "add", "10.99.0.1", "lladdr", "02:00:00:00:00:01", "dev", "trick"],
    ...(more.length > 0 ? [more] : []),
  ];
  const answer = `${from === "function" ? "172.18.0.2" : "198.51.100.2"}`;
  on("host", ["bridge", "fdb", "replace", "02:00:00:00:00:02", "dev", "vx0", "dst", answer]);
  on("host", ["ip", "neigh", "replace", "10.99.0.2", "lladdr", "02:00:00:00:00:02", "dev", "vx0"]);
  for (const command of setUp) expect(on(from, command)).toMatchObject({ status: 0, stderr: "" });
  const counted = () => Number(on("host", ["cat", "/sys/class/net/vx0/statistics/rx_packets"]).stdout);
  const before = counted();
  on(from, ["timeout", "1", "ping", "-c", "2", "-i", "0.2", "-W", "0.5", "10.99.0.1"]);
  on(from, ["ip", "link", "del", "trick"]);
  // A packet that is in the network has done its harm, answered or not.
  return counted() > before;
}

async function until(what: string, done: () => boolean, limitMs = 10_000): Promise<number> {
  const started = Date.now();
  while (!done()) {
    if (Date.now() - started > limitMs) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Date.now() - started;
}

const hasTable = (name: string) => on("host", ["nft", "list", "table", "inet", name]).status === 0;

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-firewall-"));
  execFileSync("sh", [NET, PREFIX, "up"], { stdio: ["ignore", "ignore", "inherit"] });
  for (const [name, ports] of Object.entries(LISTENERS)) {
    const program = `for (const p of ${JSON.stringify(ports)}) require("net").createServer((s) => s.on("error", () => {}).end("hi")).listen(p, "::")`;
    listeners.push(spawn("ip", inside(name, [process.execPath, "-e", program]), { stdio: "inherit" }));
  }
  for (const [name, ports] of Object.entries(LISTENERS))
    for (const port of ports) await until(`${name}:${port}`, () => connects(name, "127.0.0.1", port), 20_000);
});
afterEach(() => {
  if (watch) process.kill(-watch.pid!, "SIGKILL");
  watch = undefined;
  on("host", ["nft", "delete", "table", "inet", "oslo_faas"]);
});
afterAll(() => {
  for (const child of listeners) child.kill("SIGKILL");
  execFileSync("sh", [NET, PREFIX, "down"]);
  fs.rmSync(dir, { recursive: true, force: true });
});

describe("from outside", () => {
  const CLOSED: [string, number][] = [HOST, HOST6].flatMap((address) =>
    [8080, 2377, 7946].map((port): [string, number] => [address, port]),
  );

  test("the gateway's and the swarm's ports do not answer, Nginx's and ssh's do", () => {
    expect(answering("outside", CLOSED)).toContain(`${HOST}:8080`);
    expect(answering("outside", CLOSED)).toContain(`${HOST6}:2377`);
    loadRules();
    expect(answering("outside", CLOSED)).toEqual([]);
    const open: [string, number][] = [
      [HOST, 22],
      [HOST, 80],
      [HOST6, 443],
      // Published by somebody for the world.
      [HOST, 9000],
    ];
    expect(answering("outside", open)).toHaveLength(open.length);
  });

  test("nobody routes to a container's own address", () => {
    const containers: [string, number][] = [
      ["172.18.0.2", 4222],
      ["172.18.0.2", 8080],
      ["[fd00:18::2]", 4222],
    ];
    expect(answering("outside", containers)).toHaveLength(3);
    loadRules();
    expect(answering("outside", containers)).toEqual([]);
    expect(answering("compose", containers)).toEqual([]);
  });

  test("what goes to other machines is left alone", () => {
    loadRules();
    const others: [string, number][] = [
      ["10.20.0.2", 8080],
      ["10.20.0.2", 2377],
      ["172.19.0.2", 8080],
      ["[fd00:20::2]", 8080],
    ];
    expect(answering("outside", others)).toHaveLength(others.length);
  });

  test("nobody puts a packet into an overlay network, by broadcast neither, and a peer does", () => {
    expect(tunnels("outside", HOST)).toBe(true);
    loadRules();
    expect(tunnels("outside", HOST)).toBe(false);
    expect(tunnels("outside", "198.51.100.255")).toBe(false);
    loadRules({ peers: ["198.51.100.0/24"] });
    expect(tunnels("outside", HOST)).toBe(true);
    expect(answering("outside", [[HOST, 2377]])).toHaveLength(1);
  });
});

describe("a function", () => {
  test("puts no packet into an overlay network, by no address of the host", () => {
    expect(tunnels("function", HOST)).toBe(true);
    loadRules();
    for (const address of [HOST, "172.18.0.1", "10.20.0.1", "172.18.0.255"])
      expect([address, tunnels("function", address)]).toEqual([address, false]);
  });

  test("does not get to a peer's by the trust in this host", () => {
    on("other", ["ip", "link", "add", "vx0", "type", "vxlan", "id", "4097", "dstport", "4789", "nolearning"]);
    loadRules({ peers: ["10.20.0.0/24"], containersReach: ["10.20.0.0/24"] } as never);
    expect(answering("function", [["10.20.0.2", 5432]])).toHaveLength(1);
    expect(answering("function", [["10.20.0.2", 2377]])).toEqual([]);
  });

  test("reaches Nginx and the internet, and of the host, its segment and the metadata address nothing else", () => {
    const all: [string, number][] = [
      [HOST, 22],
      [HOST, 2377],
      [HOST, 7946],
      [HOST, 8080],
      [HOST, 9000],
      [HOST, 9100],
      [HOST6, 9100],
      ["172.18.0.1", 22],
      ["169.254.169.254", 80],
      ["10.20.0.2", 5432],
      ["[fd00:20::2]", 5432],
      ["172.19.0.2", 8080],
    ];
    expect(answering("function", all).length).toBeGreaterThan(9);
    loadRules();
    expect(
      answering(
        "function",
        all.filter(([, port]) => port !== 80),
      ),
    ).toEqual([]);
    expect(on("function", ["ping", "-c", "1", "-W", "1", "172.18.0.1"]).status).toBe(0);
    const allowed: [string, number][] = [
      [HOST, 80],
      [HOST6, 443],
      ["198.51.100.2", 8080],
      ["[2001:db8:1::2]", 80],
    ];
    expect(answering("function", allowed)).toHaveLength(allowed.length);
    expect(connects("host", "172.18.0.2", 8080)).toBe(true);
  });

  test("reaches a private network that is named", () => {
    loadRules({ containersReach: ["10.20.0.0/24", "fd00:20::/64"] } as never);
    expect(
      answering("function", [
        ["10.20.0.2", 5432],
        ["[fd00:20::2]", 5432],
      ]),
    ).toHaveLength(2);
    expect(
      answering("function", [
        ["172.19.0.2", 8080],
        ["169.254.169.253", 80],
      ]),
    ).toEqual([]);
  });
});

describe("the watch", () => {
  const start = async () => {
    loadRules();
    watch = spawn("ip", inside("host", ["env", ...variables(), "sh", SCRIPT, "watch"]), {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    await until("the held table", () => hasTable("oslo_faas_held"));
  };
  const stop = async () => {
    process.kill(-watch!.pid!, "SIGKILL");
    watch = undefined;
    await until("the held table to go", () => !hasTable("oslo_faas_held"));
  };

  test("a flush opens nothing, and is undone", async () => {
    await start();
    on("host", ["nft", "flush", "ruleset"]);
    // Its own table is there all along.
    expect(hasTable("oslo_faas_held")).toBe(true);
    expect(answering("outside", [[HOST, 2377]])).toEqual([]);
    await until("the table to come back", () => firewall("check") === 0);
    await stop();
    expect(answering("outside", [[HOST, 2377]])).toEqual([]);
  });

  test("a rule that somebody puts before ours goes", async () => {
    await start();
    expect(on("host", ["nft", "insert", "rule", "inet", "oslo_faas", "guard", "accept"]).status).toBe(0);
    await until("the rule to go", () => firewall("check") === 0);
    expect(on("host", ["nft", "list", "chain", "inet", "oslo_faas", "guard"]).stdout).not.toMatch(
      /^\s*accept$/m,
    );
    await stop();
  });

  test("check says what is not as loaded", () => {
    loadRules();
    expect(firewall("check")).toBe(0);
    on("host", ["nft", "flush", "chain", "inet", "oslo_faas", "guard"]);
    expect(firewall("check")).not.toBe(0);
    on("host", ["nft", "delete", "table", "inet", "oslo_faas"]);
    expect(firewall("check")).not.toBe(0);
    loadRules();
    expect(firewall("check")).toBe(0);
  });
});

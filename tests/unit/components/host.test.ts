import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
  KEEP_ZONE,
  renderFirewall,
  renderFirewallUnit,
  renderSysctl,
  ZONE_BACK,
} from "../../../components/host/render";

const values = {
  closedTcp: [8080, 2377, 7946],
  closedUdp: [4789, 7946],
  peers: [] as string[],
  openTcp: [80, 443],
  containersReach: [] as string[],
};
const files = { rules: "/etc/x.nft", script: "/etc/x.sh" };

test("the closed ports", () => expect(renderFirewall(values)).toMatchSnapshot());

test("a packet is judged before Docker renames its port", () => {
  const priority = Number(/hook prerouting priority (-?\d+);/.exec(renderFirewall(values))![1]);
  expect(priority).toBeLessThan(-100);
});

test("peers are let in before the ports are closed, each family in its own words", () => {
  const text = renderFirewall({ ...values, peers: ["10.0.0.0/8", "2001:db8::/32"] });
  expect(text).toContain("ip saddr { 10.0.0.0/8 } accept");
  expect(text).toContain("ip6 saddr { 2001:db8::/32 } accept");
  expect(text.indexOf("ip6 saddr")).toBeLessThan(text.lastIndexOf("tcp dport"));
});

test("loading the table twice is loading it once", () => {
  const [first, second] = renderFirewall(values).split("\n").slice(1);
  expect([first, second]).toEqual(["table inet oslo_faas", "delete table inet oslo_faas"]);
});

test("a container's way to the peers' closed ports is shut before a network that it may call is opened", () => {
  const text = renderFirewall({ ...values, peers: ["10.0.0.0/8"], containersReach: ["10.1.0.0/16"] });
  expect(text).toContain("ip daddr { 10.0.0.0/8 } udp dport { 4789, 7946 } drop");
  expect(text.indexOf("ip daddr { 10.0.0.0/8 } udp")).toBeLessThan(
    text.indexOf("ip daddr { 10.1.0.0/16 } accept"),
  );
});

test("the ports are closed before the engine opens any", () => {
  expect(renderFirewallUnit(files)).toMatch(/^Before=.*docker\.service$/m);
});

test("neither a stop nor a restart of the unit takes the table away", () => {
  expect(renderFirewallUnit(files)).not.toContain("ExecStop");
  expect(renderFirewallUnit(files)).not.toContain("PartOf");
});

test("the kernel's backlog is Nginx's, and the environment has the last word", () => {
  expect(renderSysctl({ backlog: 16384, overrides: {} })["net.core.somaxconn"]).toBe("16384");
  const own = renderSysctl({
    backlog: 16384,
    overrides: { "net.core.somaxconn": 4096, "vm.swappiness": 10 },
  });
  expect(own).toMatchObject({ "net.core.somaxconn": "4096", "vm.swappiness": "10" });
});

describe("the time zone goes back to what it was", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-zone-"));
    for (const zone of ["Asia/Tokyo", "Europe/Oslo", "Etc/UTC"]) {
      const file = path.join(folder, "usr/share/zoneinfo", zone);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, zone);
    }
    for (const name of ["etc", "var/lib"]) fs.mkdirSync(path.join(folder, name), { recursive: true });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const etc = (name: string) => path.join(folder, "etc", name);
  const run = (command: string) =>
    execFileSync("sh", ["-euc", command.replace(/\/(etc|usr\/share|var\/lib)\b/g, `${folder}/$1`)]);
  const zone = () => fs.readlinkSync(etc("localtime")).replace(`${folder}/`, "/");
  /** What the File resource does around its commands: the time zone is set twice. */
  const thereAndBack = (before?: string) => {
    for (const name of ["Europe/Oslo", "Etc/UTC"]) {
      run(KEEP_ZONE);
      run(`ln -sfn /usr/share/zoneinfo/${name} /etc/localtime`);
    }
    if (before) fs.writeFileSync(etc("timezone"), `${before}\n`);
    run(ZONE_BACK);
    return zone();
  };

  test("where only /etc/localtime says it, as on Debian 13", () => {
    fs.symlinkSync("../usr/share/zoneinfo/Asia/Tokyo", etc("localtime"));
    expect(thereAndBack()).toBe("../usr/share/zoneinfo/Asia/Tokyo");
    expect(fs.readdirSync(path.join(folder, "var/lib"))).toEqual([]);
  });

  test("where /etc/timezone alone says it", () => {
    fs.writeFileSync(etc("localtime"), "a copy");
    expect(thereAndBack("Asia/Tokyo")).toBe("/usr/share/zoneinfo/Asia/Tokyo");
  });

  test("UTC where nothing says it", () => expect(thereAndBack()).toBe("/usr/share/zoneinfo/Etc/UTC"));
});

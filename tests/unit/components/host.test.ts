import { renderFirewall, renderFirewallUnit, renderSysctl } from "../../../components/host/render";

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

import { canBePrivileged, machineMtu } from "../../../lab/machine";

const HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n";

describe("machineMtu", () => {
  const mtus: Record<string, string> = { eth0: "1400\n", wg0: "1280\n", big0: "9000\n" };
  const mtuOf = (name: string) => mtus[name] ?? "";

  test("is that of the default route's interface, not of any interface", () => {
    const routes = `${HEADER}wg0\t0000FEA9\t00000000\t0001\neth0\t00000000\t010200C0\t0003\n`;
    expect(machineMtu(routes, mtuOf)).toBe(1400);
  });

  test("is never more than what containers take by default", () => {
    expect(machineMtu(`${HEADER}big0\t00000000\t010200C0\t0003\n`, mtuOf)).toBe(1500);
  });

  test("is 1500 without a default route, or where the interface's own cannot be read", () => {
    expect(machineMtu(HEADER, mtuOf)).toBe(1500);
    expect(machineMtu(`${HEADER}gone0\t00000000\t010200C0\t0003\n`, mtuOf)).toBe(1500);
  });
});

describe("canBePrivileged", () => {
  test("asks for CAP_SYS_RESOURCE in the bounding set", () => {
    expect(canBePrivileged("CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n")).toBe(true);
    expect(canBePrivileged("CapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n")).toBe(false);
  });

  test("takes an unknown set for the smaller one", () => {
    expect(canBePrivileged("")).toBe(false);
  });
});

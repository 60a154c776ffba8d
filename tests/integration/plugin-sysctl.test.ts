/**
 * Sysctl with a real kernel: in a network namespace of its own (whose settings are not the machine's), with /etc/sysctl.d in a folder
 * of the test. Needs root.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type SysctlInputs, type SysctlOutputs, sysctl } from "../../providers/host/src/resources/sysctl";
import { LocalSession, contextOf } from "../unit/providers/host/localSession";

const usable = (() => {
  try {
    execFileSync("unshare", ["-m", "-n", "true"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();

(usable ? describe : describe.skip)("kernel settings in a real kernel", () => {
  let folder: string;
  let namespace: string;
  const session = () => {
    const enter = `mount --bind "${path.join(folder, "sysctl.d")}" /etc/sysctl.d && exec nsenter "--net=${namespace}" "$@"`;
    return new LocalSession(["unshare", "-m", "--propagation", "private", "sh", "-c", enter, "sh"]);
  };
  const context = () => contextOf(session());
  const kernel = async (name: string) =>
    (await session().run(`cat /proc/sys/${name}`, { step: "look" })).stdout.trim();
  const wanted = (values: SysctlInputs["values"], optional: string[] = []) =>
    sysctl.schema.parse({ name: "test", values, optional });
  const file = () => path.join(folder, "sysctl.d", "60-oslo-faas-test.conf");

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-sysctl-"));
    fs.mkdirSync(path.join(folder, "sysctl.d"));
    fs.mkdirSync("/etc/sysctl.d", { recursive: true });
    namespace = path.join(folder, "net");
    fs.writeFileSync(namespace, "");
    execFileSync("unshare", [`--net=${namespace}`, "true"]);
  });
  afterEach(() => {
    execFileSync("umount", [namespace]);
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("takes effect at once, shows drift, is repaired, and leaves the kernel as it was", async () => {
    const before = [await kernel("net/ipv4/ip_local_port_range"), await kernel("net/ipv4/ip_forward")];
    const inputs = wanted({
      "net.ipv4.ip_local_port_range": "20000 30000",
      "net.ipv4.ip_forward": before[1] === "1" ? 0 : 1,
    });
    const { outputs } = await sysctl.create(context(), inputs);
    expect(await kernel("net/ipv4/ip_local_port_range")).toBe("20000\t30000");
    expect(fs.readFileSync(file(), "utf8")).toContain("net.ipv4.ip_local_port_range = 20000 30000\n");
    expect((await sysctl.read(context(), "test", inputs, outputs))?.inputs).toEqual(inputs);

    await session().run("echo 21000 31000 >/proc/sys/net/ipv4/ip_local_port_range", { step: "drift" });
    const drifted = (await sysctl.read(context(), "test", inputs, outputs))?.inputs as SysctlInputs;
    expect(drifted.values["net.ipv4.ip_local_port_range"]).toBe("21000 31000");
    const repaired = await sysctl.update(context(), "test", drifted, inputs, outputs);
    expect((await sysctl.read(context(), "test", inputs, repaired))?.inputs).toEqual(inputs);

    await sysctl.delete(context(), "test", inputs, repaired);
    expect([await kernel("net/ipv4/ip_local_port_range"), await kernel("net/ipv4/ip_forward")]).toEqual(
      before,
    );
    expect(fs.readdirSync(path.join(folder, "sysctl.d"))).toEqual([]);
    await sysctl.delete(context(), "test", inputs, repaired);
  });

  it("sets none where one does not exist, and names them all", async () => {
    const before = await kernel("net/ipv4/ip_local_port_range");
    const inputs = wanted({
      "net.ipv4.ip_local_port_range": "20000 30000",
      "net.nosuch.a": 1,
      "net.nosuch.b": 1,
    });
    await expect(sysctl.create(context(), inputs)).rejects.toThrow(
      "net.nosuch.a does not exist, net.nosuch.b does not exist",
    );
    expect(await kernel("net/ipv4/ip_local_port_range")).toBe(before);
    expect(fs.existsSync(file())).toBe(false);
  });

  it("puts back what it had set where the kernel refuses a later value", async () => {
    const before = await kernel("net/ipv4/ip_local_port_range");
    const inputs = wanted({
      "net.ipv4.ip_local_port_range": "20000 30000",
      "net.ipv4.tcp_syncookies": "many",
    });
    await expect(sysctl.create(context(), inputs)).rejects.toThrow(
      /refused net\.ipv4\.tcp_syncookies = many \(it is \d\)/,
    );
    expect(await kernel("net/ipv4/ip_local_port_range")).toBe(before);
  });

  it("skips an unsupported optional setting with a warning and without drift", async () => {
    const inputs = wanted({ "net.ipv4.ip_local_port_range": "20000 30000", "net.nosuch.a": 1 }, [
      "net.nosuch.a",
    ]);
    const log = context();
    const { outputs } = (await sysctl.create(log, inputs)) as { outputs: SysctlOutputs };
    expect(outputs.skipped).toEqual({ "net.nosuch.a": "does not exist" });
    expect(log.logged[0]!.message).toContain("net.nosuch.a does not exist on this host: skipped");
    expect((await sysctl.read(context(), "test", inputs, outputs))?.inputs).toEqual(inputs);
  });
});

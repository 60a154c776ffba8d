import {
  type SysctlInputs,
  parseFile,
  procPath,
  renderFile,
  sysctl,
} from "../../../../providers/host/src/resources/sysctl";
import { ScriptedSession, contextOf } from "./localSession";

const wanted = (values: SysctlInputs["values"], optional: string[] = []): SysctlInputs =>
  sysctl.schema.parse({ name: "network", values, optional });
const none = { skipped: {}, previous: {}, effective: {} };

/** A host of which sysctl-read.sh says: these values, and this file. */
const hostWith = (kernel: Record<string, string>, file?: string) =>
  contextOf(
    new ScriptedSession(() => ({
      stdout: [
        ...(file === undefined ? [] : [`file=${Buffer.from(file).toString("base64")}`]),
        ...Object.entries(kernel).map(([key, value]) => `value\t${key}\t${value}`),
        "",
      ].join("\n"),
    })),
  );

describe("names of kernel settings", () => {
  it.each([
    ["net.ipv4.ip_forward", "net/ipv4/ip_forward"],
    ["net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"],
    ["net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"],
  ])("%s lies at /proc/sys/%s", (name, path) => expect(procPath(name)).toBe(path));

  it.each(["", "plain", "../../etc/passwd", "net.ipv4.x y", "net..x"])("%p is none", (name) => {
    expect(sysctl.schema.safeParse({ name: "x", values: { [name]: 1 } }).success).toBe(false);
  });
});

describe("the file", () => {
  it("lists the settings in order, without skipped ones, and reads back", () => {
    const text = renderFile({ "vm.b": 2, "net.a": "1\t 2" }, {});
    expect(text).toMatch(/^# Managed by oslo-faas[^\n]*\nnet\.a = 1 2\nvm\.b = 2\n$/);
    expect(parseFile(text)).toEqual({ "net.a": "1 2", "vm.b": "2" });
    expect(renderFile({ "net.a": 1, "vm.b": 2 }, { "vm.b": "does not exist" })).not.toContain("vm.b");
  });
});

describe("drift", () => {
  const inputs = wanted({ "net.a": 5, "net.b": "1 2" });
  const file = renderFile(inputs.values, {});
  it.each([
    ["nothing", { "net.a": "5", "net.b": "1 2" }, file, inputs.values],
    ["a value in the kernel", { "net.a": "7", "net.b": "1 2" }, file, { "net.a": 7, "net.b": "1 2" }],
    [
      "a line in the file",
      { "net.a": "5", "net.b": "1 2" },
      file.replace("net.a = 5", "net.a = 6"),
      { "net.a": 6, "net.b": "1 2" },
    ],
    [
      "a line that is gone",
      { "net.a": "5", "net.b": "1 2" },
      file.replace("net.a = 5\n", ""),
      { "net.b": "1 2" },
    ],
    ["the whole file gone", { "net.a": "5", "net.b": "1 2" }, undefined, {}],
    ["a setting gone with its module", { "net.b": "1 2" }, file, { "net.b": "1 2" }],
  ])("shows %s", async (_what, kernel, text, values) => {
    const found = await sysctl.read(hostWith(kernel, text), "network", inputs, none);
    expect(found?.inputs.values).toEqual(values);
  });

  it("is none where a setting was skipped, or where the kernel rounded it", async () => {
    const rounded = { ...none, effective: { "net.a": "4" }, skipped: { "net.b": "does not exist" } };
    const text = renderFile(inputs.values, rounded.skipped);
    const found = await sysctl.read(hostWith({ "net.a": "4" }, text), "network", inputs, rounded);
    expect(found?.inputs).toEqual(inputs);
  });
});

describe("previous values", () => {
  it("are those from before the first write, whatever was written since", async () => {
    const session = new ScriptedSession(() => ({ stdout: "set\tnet.a\t5\t6\nset\tnet.c\t1\t2\n" }));
    const outputs = await sysctl.update(
      contextOf(session),
      "network",
      wanted({ "net.a": 5 }),
      wanted({ "net.a": 6, "net.c": 2 }),
      {
        ...none,
        previous: { "net.a": "3" },
      },
    );
    expect(outputs.previous).toEqual({ "net.a": "3", "net.c": "1" });
  });

  it("come back for a setting that is dropped", async () => {
    const session = new ScriptedSession(() => ({ stdout: "" }));
    await sysctl.update(
      contextOf(session),
      "network",
      wanted({ "net.a": 5, "net.b": 1 }),
      wanted({ "net.a": 5 }),
      {
        ...none,
        previous: { "net.a": "3", "net.b": "9" },
      },
    );
    expect(session.runs.map(({ options }) => options.stdin)).toContain("net.b\tnet/b\tmay\t9\n");
  });
});

import {
  type SystemdUnitInputs,
  filesOf,
  inputsFound,
  parseUnit,
  systemdUnit,
} from "../../../../providers/host/src/resources/systemdUnit";

const inputs = (more: object = {}): SystemdUnitInputs =>
  systemdUnit.schema.parse({ unit: "demo.service", ...more });
const base64 = (text: string) => Buffer.from(text).toString("base64");

const shown = (changes: Record<string, string> = {}, ...files: string[]): string =>
  [
    ...Object.entries({
      LoadState: "loaded",
      ActiveState: "active",
      Type: "simple",
      Result: "success",
      RemainAfterExit: "no",
      ExecMainExitTimestampMonotonic: "0",
      enabled: "enabled",
      ...changes,
    }).map(([key, value]) => `${key}=${value}`),
    ...files,
  ].join("\n");

describe("what a unit is", () => {
  it.each([
    ["running", {}, true],
    ["reloading", { ActiveState: "reloading" }, true],
    ["down", { ActiveState: "inactive" }, false],
    ["failed", { ActiveState: "failed", Result: "exit-code" }, false],
    [
      "a oneshot that ended well",
      { ActiveState: "inactive", Type: "oneshot", ExecMainExitTimestampMonotonic: "99" },
      true,
    ],
    ["a oneshot that never ran", { ActiveState: "inactive", Type: "oneshot" }, false],
    [
      "a oneshot that should have remained",
      {
        ActiveState: "inactive",
        Type: "oneshot",
        RemainAfterExit: "yes",
        ExecMainExitTimestampMonotonic: "99",
      },
      false,
    ],
  ])("%s", (_what, changes, active) => expect(parseUnit(shown(changes)).active).toBe(active));

  it("is done where a oneshot has run: another run does not put it back", () => {
    const ran = { ActiveState: "inactive", Type: "oneshot", ExecMainExitTimestampMonotonic: "99" };
    expect(parseUnit(shown(ran)).done).toBe(true);
    expect(parseUnit(shown({ ...ran, Result: "exit-code" })).done).toBe(false);
    expect(parseUnit(shown()).done).toBe(false);
  });

  it("includes the text of our files, and whether there is one at all", () => {
    const state = parseUnit(shown({ LoadState: "not-found" }, `file\t/etc/x\t${base64("a\nb\n")}`));
    expect(state).toMatchObject({ exists: false, files: { "/etc/x": "a\nb\n" } });
  });
});

describe("our files", () => {
  it("lie under /etc/systemd/system, drop-ins with their ending", () => {
    expect(filesOf(inputs({ content: "[Unit]\n", dropIns: { limits: "a", "x.conf": "b" } }))).toEqual({
      "/etc/systemd/system/demo.service": "[Unit]\n",
      "/etc/systemd/system/demo.service.d/limits.conf": "a",
      "/etc/systemd/system/demo.service.d/x.conf": "b",
    });
  });
});

describe("drift", () => {
  const wanted = inputs({ content: "[Unit]\n", dropIns: { limits: "a" } });
  const ours = [
    `file\t/etc/systemd/system/demo.service\t${base64("[Unit]\n")}`,
    `file\t/etc/systemd/system/demo.service.d/limits.conf\t${base64("a")}`,
  ];
  it.each([
    ["nothing", shown({}, ...ours), {}],
    ["stopped", shown({ ActiveState: "inactive" }, ...ours), { active: false }],
    ["a unit whose work is gone", shown({ works: "no" }, ...ours), { active: false }],
    ["disabled", shown({ enabled: "disabled" }, ...ours), { enabled: false }],
    ["masked", shown({ enabled: "masked" }, ...ours), { enabled: false }],
    ["a unit that cannot be switched is none", shown({ enabled: "static" }, ...ours), {}],
    [
      "another text",
      shown({}, ours[0]!, ours[1]!.replace(base64("a"), base64("b"))),
      { dropIns: { limits: "b" } },
    ],
    ["a drop-in that is gone", shown({}, ours[0]!), { dropIns: {} }],
  ])("%s", (_what, output, change) => {
    expect(inputsFound(wanted, parseUnit(output))).toEqual({ ...wanted, ...change });
  });
});

it.each(["nginx", "a b.service", "../x.service", "--version.service ", ""])("%p is no unit", (unit) => {
  expect(systemdUnit.schema.safeParse({ unit }).success).toBe(false);
});

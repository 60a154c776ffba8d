import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { listed, shown, triggersOf, triggersOfOne } from "../../../../cli/functions/triggers";
import { main } from "../../../../cli/main";

const ROOT = path.resolve(__dirname, "../../../..");
const STACK = `provider: { name: openfaas }
functions:
  hello: { image: example/x:1, skip_build: true }
  report:
    image: example/y:1
    skip_build: true
    annotations: { topic: cron-function, schedule: "30 2 * * *", com.oslo-faas.access: internal }
`;
// Two nights before clocks go from 02:00 to 03:00.
const NOW = Date.parse("2027-03-26T12:00:00Z");

let root: string;
let out: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-triggers-"));
  for (const part of ["templates", "stacks/Pulumi.oslo-dev.yaml", "stacks/base.yaml"])
    fs.cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
  write(STACK);
  out = "";
  jest.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

const write = (text: string) => {
  fs.mkdirSync(path.join(root, "functions"), { recursive: true });
  fs.writeFileSync(path.join(root, "functions/stack.yml"), text);
};
const where = () => ({ root, stack: "oslo-dev" });

test("the list says what starts a call of each function, and when next", () => {
  expect(listed(triggersOf(where(), NOW))).toEqual([
    "FUNCTION  HTTP      SCHEDULE    NEXT",
    "hello     public    -           -",
    "report    internal  30 2 * * *  Sat 2027-03-27 02:30 +01:00",
  ]);
  expect(listed([])).toEqual(["The environment has no function."]);
});

test("one function is shown with the next three times, through a change of clocks", () => {
  const lines = shown(triggersOfOne("report", where(), NOW));
  expect(lines[0]).toBe("report");
  expect(lines).toContain("  file          functions/stack.yml:4");
  expect(lines.slice(-4)).toEqual([
    "  schedule      30 2 * * * (Europe/Oslo)",
    "  next          Sat 2027-03-27 02:30 +01:00",
    "                Sun 2027-03-28 03:00 +02:00",
    "                Mon 2027-03-29 02:30 +02:00",
  ]);
});

test("JSON has the times in UTC, and nothing of a schedule where there is none", async () => {
  expect(triggersOf(where(), NOW)[1]!.schedule).toEqual({
    times: "30 2 * * *",
    timezone: "Europe/Oslo",
    next: ["2027-03-27T01:30:00.000Z", "2027-03-28T01:00:00.000Z", "2027-03-29T00:30:00.000Z"],
  });
  expect(await main(["functions", "list", "-s", "oslo-dev", "--json"], { root })).toBe(0);
  const [hello, report] = JSON.parse(out) as Record<string, unknown>[];
  expect(hello).toEqual({
    name: "hello",
    file: "functions/stack.yml:3",
    image: "example/x:1",
    url: expect.stringMatching(/\/function\/hello$/),
    access: "public",
  });
  expect(report).toMatchObject({ name: "report", schedule: { times: "30 2 * * *" } });
  out = "";
  expect(await main(["functions", "show", "report", "-s", "oslo-dev", "--json"], { root })).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ name: "report", access: "internal" });
});

test("a schedule that is wrong, and a function that is not there, are named", () => {
  expect(() => triggersOfOne("reprot", where())).toThrow("did you mean report?");
  write(STACK.replace("30 2 * * *", "30 2 31 2 *"));
  expect(() => triggersOf(where())).toThrow('annotations.schedule: "30 2 31 2 *" never comes');
});

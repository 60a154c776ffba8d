import type { EngineEvent, OpType } from "@pulumi/pulumi/automation";
import { condense } from "../../../lab/pulumi";

const urnOf = (what: string) => `urn:pulumi:s::p::parent$${what.replace(" ", "::")}`;
type Told = Partial<EngineEvent>;
const step = (op: OpType, what: string) => ({ metadata: { op, urn: urnOf(what) } as never });
const begins = (op: OpType, what: string, planning = false): Told => ({
  resourcePreEvent: { ...step(op, what), planning },
});
const ends = (op: OpType, what: string): Told => ({ resOutputsEvent: step(op, what) });

describe("condense", () => {
  /** @param times when each event comes, in milliseconds */
  const through = (events: Told[], times: number[] = []) => {
    const said: string[] = [];
    const statuses: string[] = [];
    let at = 0;
    const each = condense(
      { say: (line) => said.push(line), status: (line) => statuses.push(line) },
      () => times[at] ?? 1e9 + at * 2000,
    );
    for (const event of events) {
      each(event as EngineEvent);
      at++;
    }
    return { said, statuses };
  };

  test("says what was done, counted, and notes what is being done", () => {
    const { said, statuses } = through([
      begins("create", "host:index:Packages docker", true),
      begins("same", "host:index:File kept"),
      begins("create", "host:index:Packages docker"),
      ends("create", "host:index:Packages docker"),
      ends("same", "host:index:File kept"),
      ends("update", "docker:index:Service gateway"),
    ]);
    expect(statuses).toEqual(["creating host:index:Packages docker"]);
    expect(said).toEqual([
      "  1 done: host:index:Packages docker created (2s)",
      "  2 done: docker:index:Service gateway updated (0s)",
    ]);
  });

  test("what is being done is what began and has not ended", () => {
    const { said, statuses } = through([
      begins("create", "pulumi:pulumi:Stack oslo-faas-lab"),
      begins("create", "oslo-faas:index:OpenFaaS openfaas"),
      begins("create", "docker:index:Service nats"),
      begins("create", "host:index:File nginx"),
      ends("create", "host:index:File nginx"),
      { resOpFailedEvent: { ...step("create", "docker:index:Service nats"), status: 1, steps: 1 } },
    ]);
    expect(statuses).toEqual([
      "creating docker:index:Service nats",
      "creating docker:index:Service nats and 1 more",
      "creating docker:index:Service nats",
    ]);
    expect(said.at(-1)).toBe("  2 done: docker:index:Service nats **creating failed**");
  });

  test("a burst of quick ones gives one line, and a slow one always has its own", () => {
    const burst = Array.from({ length: 20 }, (_, n) => ends("create", `host:index:File f${n}`));
    const slow = "host:index:Packages p";
    const times = [5_000_000, ...Array<number>(20).fill(5_030_000), 5_030_000];
    const { said } = through([begins("create", slow), ...burst, ends("create", slow)], times);
    expect(said).toEqual([
      "  1 done: host:index:File f0 created (0s)",
      " 21 done: host:index:Packages p created (30s)",
    ]);
  });

  test("errors and warnings come through, and no mere information", () => {
    const diagnostic = (severity: string, message: string) =>
      ({ diagnosticEvent: { severity, message } }) as Told;
    const { said } = through([
      diagnostic("error", "no sudo\nmore\n"),
      diagnostic("info", "nothing"),
      diagnostic("warning", "old release"),
    ]);
    expect(said).toEqual(["error: no sudo", "warning: old release"]);
  });
});

import { Reporter, seconds } from "../../../lab/progress";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const later = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

describe("Reporter", () => {
  test("prints a line at least every five seconds while a phase lasts, with what is being done", async () => {
    const printed: string[] = [];
    const reporter = new Reporter((line) => printed.push(line));
    const phase = reporter.phase("images", async () => {
      reporter.status("building gateway");
      await later(16_000);
    });
    await jest.advanceTimersByTimeAsync(16_000);
    await phase;
    expect(printed).toHaveLength(3);
    for (const line of printed) expect(line).toMatch(/images .*… building gateway \(.* so far\)/);
  });

  test("says nothing on its own while others print", async () => {
    const printed: string[] = [];
    const reporter = new Reporter((line) => printed.push(line));
    const phase = reporter.phase("stack", async () => {
      for (let step = 0; step < 8; step += 1) {
        await later(2000);
        reporter.say(`step ${step}`);
      }
    });
    await jest.advanceTimersByTimeAsync(16_000);
    await phase;
    expect(printed).toHaveLength(8);
  });

  test("the heartbeat ends with a phase that fails, and the phase is in the table", async () => {
    const printed: string[] = [];
    const reporter = new Reporter((line) => printed.push(line));
    const phase = reporter.phase("host", async () => {
      await later(1000);
      throw new Error("no host");
    });
    const failed = expect(phase).rejects.toThrow("no host");
    await jest.advanceTimersByTimeAsync(1000);
    await failed;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(printed).toEqual([]);
    expect(reporter.table()).toMatch(/^ {2}host +1\.0 s/m);
  });

  test("the table has every phase with its time and note, and the total", async () => {
    const reporter = new Reporter(() => undefined);
    for (const [name, time] of [
      ["engine", 500],
      ["host", 4000],
    ] as const) {
      const phase = reporter.phase(name, async () => {
        reporter.note(`${name} note`);
        await later(time);
      });
      await jest.advanceTimersByTimeAsync(time);
      await phase;
    }
    expect(reporter.table().split("\n")).toEqual([
      "  engine     0.5 s  engine note",
      "  host       4.0 s  host note",
      "  total      4.5 s",
    ]);
  });
});

test("seconds", () => {
  expect(seconds(1234)).toBe("1.2 s");
  expect(seconds(245_900)).toBe("4 min 05 s");
});

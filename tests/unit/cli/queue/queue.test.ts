import { listed, shown } from "../../../../cli/queue/render";
import { main } from "../../../../cli/main";
import type { DeadCall } from "../../../../shared/deadCalls";

const DEAD: DeadCall = {
  id: 17,
  function: "resize",
  callId: "c-1",
  acceptedMs: Date.UTC(2026, 10, 28, 3),
  diedMs: Date.UTC(2026, 10, 28, 4, 5, 6),
  status: 503,
  reason: "the last answer was 503",
  attempts: 10,
  bytes: 4,
  answer: "no paper\n\u001b[2Jgone",
};

test("the list has a line for each call, and what is not done", () => {
  const lines = listed({
    count: 3,
    calls: [DEAD, { ...DEAD, id: 118, function: "a" }],
    waiting: { mail: 2 },
  });
  expect(lines).toEqual([
    "ID   DIED (UTC)           FUNCTION  STATUS  ATTEMPTS  REASON",
    "17   2026-11-28 04:05:06  resize    503     10        the last answer was 503",
    "118  2026-11-28 04:05:06  a         503     10        the last answer was 503",
    "",
    "3 calls failed for good, the newest 2 shown. Not done: mail 2.",
  ]);
  expect(listed({ count: 0, calls: [], waiting: {} })).toEqual([
    "No call failed for good.",
    "No call waits or is under way.",
  ]);
});

test("one call is shown without what would move a terminal's cursor", () => {
  const body = Buffer.from("Kari").toString("base64");
  const lines = shown({ ...DEAD, target: "/function/resize?w=64", headers: { "X-A": ["1", "2"] }, body });
  expect(lines).toEqual(
    expect.arrayContaining([
      "  X-A: 1",
      "  X-A: 2",
      "  no paper",
      "  ␛[2Jgone",
      "path       /function/resize?w=64",
    ]),
  );
  expect(lines.at(-1)).toBe("body       4 bytes: oslo-faas queue show 17 --body");
});

describe("a command line that cannot be meant is refused before the host is asked", () => {
  let err = "";
  beforeEach(() => {
    err = "";
    jest.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += String(text))));
  });
  afterEach(() => jest.restoreAllMocks());

  test.each([
    [["retry"], "Which ones? Numbers, --function, --since or --all."],
    [["drop", "--all", "--function", "resize"], "--all goes with nothing else."],
    [["retry", "17", "--function", "resize"], "not both"],
    [["drop", "17x"], '"17x" is not a number from the list.'],
    [["show", "0"], '"0" is not a number from the list.'],
    [["list", "--since", "yesterday"], '--since is "yesterday"'],
    [["list", "--function", "../x"], "is not the name of a function"],
    [["list", "--limit", "0"], '--limit is "0"'],
  ])("queue %j", async (words, message) => {
    expect(await main(["queue", ...words, "-s", "local"])).toBe(2);
    expect(err).toContain(message);
  });
});

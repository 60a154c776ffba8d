/** What is made again, and what is not. */
import type * as http from "node:http";
import type { QueueSettings } from "../../../../shared/queueSettings";
import { callback, fails, ok, type Seen, serve, queued, setUp } from "./gateway";

/** Up to a quarter shorter, by chance: calls that failed together do not come back together. */
function expectWaits(putBack: number[], longest: number[]): void {
  expect(putBack).toHaveLength(longest.length);
  putBack.forEach((ms, i) => {
    expect(ms).toBeLessThanOrEqual(longest[i]!);
    expect(ms).toBeGreaterThanOrEqual(0.75 * longest[i]!);
  });
}

test("a failed call is put back with a longer wait each time, and told of when the last attempt failed", async () => {
  const gateway = await serve(fails(503));
  const back = await serve(ok);
  const { worker, message, putBack, acks } = setUp(gateway.port);
  await worker.take(message(queued(callback(back.port))));
  await worker.take(message(queued(callback(back.port)), "m1", 2));
  expectWaits(putBack, [2000, 3000]);
  expect([back.seen, acks()]).toEqual([[], 0]);
  await worker.take(message(queued(callback(back.port)), "m1", 3));
  expect(gateway.seen.map(({ headers }) => headers["x-retry-attempt"])).toEqual([undefined, "2", "3"]);
  expect(putBack).toHaveLength(2);
  expect(back.seen[0]!.headers["x-function-status"]).toBe("503");
  expect(acks()).toBe(1);
  expect(await worker.metrics()).toContain('queue_failed_total{function_name="hello"} 1');
});

test.each([
  ["what a function itself failed", 500, {}, 0],
  ["a missing function", 404, {}, 0],
  ["too many at a time", 429, {}, 1],
  ["a function that says to come later", 503, {}, 1],
  ["a function that was reached and ended in the middle", 502, {}, 0],
  ["anything with one attempt, as upstream", 503, { retry_attempts: "1" }, 0],
  ["a code that was asked for", 500, { retry_codes: "500" }, 1],
  ["that a function may do a thing twice", 502, { retry_codes: "429,502,503" }, 1],
  ["no code", 503, { retry_codes: "" }, 0],
])("%s (%d): put back or not", async (_name, status, env, times) => {
  const gateway = await serve(fails(status));
  const { worker, message, putBack, acks } = setUp(gateway.port, env);
  await worker.take(message(queued()));
  expect([putBack.length, acks()]).toEqual([times, 1 - times]);
});

/** The gateway, where it answers without a connection to the function: it does not ask for the body. */
async function alone(status: number, text: string) {
  const gateway = await serve(ok);
  gateway.server.on("checkContinue", (_, response: http.ServerResponse) =>
    response.writeHead(status).end(text),
  );
  return gateway;
}

const FINDING = "error finding function hello.openfaas-fn: ";

test.each([
  ["a function that does not listen", 502, "", 1],
  ["a provider that is away", 404, `${FINDING}Get "http://provider": connect: connection refused`, 1],
  ["a provider that fails", 404, `${FINDING}server returned non-200 status code (500) for function`, 1],
  ["a function that cannot be scaled from zero", 500, `${FINDING}unable to scale function [hello]`, 1],
  ["no such function", 404, `${FINDING}server returned non-200 status code (404) for function`, 0],
  ["what a function says of its input's headers alone", 404, "no such picture", 0],
])("not reached (%s, %d): put back or not, whatever the codes", async (_name, status, text, times) => {
  const gateway = await alone(status, text);
  const { worker, message, putBack, acks } = setUp(gateway.port, { retry_codes: "429" });
  for (const Body of [Buffer.from("Kari").toString("base64"), null])
    await worker.take(message(queued({ Body }), `m${String(Body)}`));
  expect([putBack.length, acks()]).toEqual([2 * times, 2 * (1 - times)]);
});

test("a call without a body is made with none, and its function is known to be reached", async () => {
  const gateway = await serve(fails(502));
  const { worker, message, putBack } = setUp(gateway.port);
  await worker.take(message(queued({ Body: null })));
  // Of a body whose length is 0 no server has to ask for.
  expect(gateway.seen).toMatchObject([{ body: "", headers: { "transfer-encoding": "chunked" } }]);
  expect(putBack).toEqual([]);
});

const breaks = (_: Seen, response: http.ServerResponse) => void response.destroy();

test("a call whose connection broke is repeated only if 502 is in the codes", async () => {
  const gateway = await serve(breaks);
  const back = await serve(ok);
  for (const [codes, times] of [
    ["429,503", 0],
    ["429,502,503", 1],
  ] as const) {
    const { worker, message, putBack, acks } = setUp(gateway.port, { retry_codes: codes });
    await worker.take(message(queued(callback(back.port))));
    expect([putBack.length, acks()]).toEqual([times, 1 - times]);
  }
  expect(back.seen.map(({ headers }) => headers["x-function-status"])).toEqual(["502"]);
});

test("a gateway that broke before it had the function is asked again", async () => {
  const gateway = await serve(ok);
  gateway.server.on("checkContinue", (_, response: http.ServerResponse) => response.destroy());
  const { worker, message, putBack } = setUp(gateway.port);
  await worker.take(message(queued()));
  expect(putBack).toHaveLength(1);
});

test.each([502, 503])(
  "a call that ran to the time limit (%d) is not made again, whatever the codes",
  async (status) => {
    const gateway = await serve((_, response) => void setTimeout(() => fails(status)(_, response), 320));
    const env = { upstream_timeout: "300ms", retry_codes: "502,503" };
    const { worker, message, putBack, acks } = setUp(gateway.port, env);
    await worker.take(message(queued()));
    expect([gateway.seen.length, putBack.length, acks()]).toEqual([1, 0, 1]);
    expect(await worker.metrics()).toContain('queue_failed_total{function_name="hello"} 1');
  },
);

test.each([
  ["0", 0],
  ["7", 7000],
  ["86400", 3_600_000],
  ["Sat, 01 Jan 2000 00:00:00 GMT", 0],
])("a function that answers 503 with Retry-After: %s is asked again after %d ms", async (said, ms) => {
  const gateway = await serve((_, response) => void response.writeHead(503, { "Retry-After": said }).end());
  const { worker, message, putBack } = setUp(gateway.port);
  await worker.take(message(queued()));
  expect(putBack).toEqual([ms]);
});

test("a Retry-After that is neither seconds nor a date counts for nothing", async () => {
  const gateway = await serve((_, response) => void response.writeHead(503, { "Retry-After": "soon" }).end());
  const { worker, message, putBack } = setUp(gateway.port);
  await worker.take(message(queued()));
  expectWaits(putBack, [2000]);
});

describe("what a function says itself", () => {
  const own =
    (settings: QueueSettings, status: number, attempt = 1) =>
    async () => {
      const gateway = await serve(fails(status));
      const { worker, message, putBack, kept, acks } = setUp(gateway.port, {}, undefined, settings);
      await worker.take(message(queued(), "m1", attempt));
      return { putBack, kept, acks: acks() };
    };

  test("attempts", async () => {
    expect(await own({ attempts: 1 }, 503)()).toMatchObject({ putBack: [], acks: 1 });
    expect(await own({ attempts: 5 }, 503, 4)()).toMatchObject({ putBack: [expect.any(Number)], acks: 0 });
  });

  test("codes", async () => {
    expect(await own({ codes: [500] }, 500)()).toMatchObject({ putBack: [expect.any(Number)], acks: 0 });
    expect(await own({ codes: [] }, 503)()).toMatchObject({ putBack: [], acks: 1 });
  });

  test("waits", async () => {
    expectWaits((await own({ minDelayMs: 400, maxDelayMs: 600 }, 503)()).putBack, [400]);
    expectWaits((await own({ minDelayMs: 400, maxDelayMs: 600 }, 503, 2)()).putBack, [600]);
  });

  test("a time limit: an attempt that ran into it is the last", async () => {
    const gateway = await serve(() => undefined);
    const { worker, message, kept } = setUp(gateway.port, { retry_codes: "502" }, undefined, {
      timeoutMs: 300,
    });
    await worker.take(message(queued()));
    expect(kept).toMatchObject([{ failure: { status: 502, attempts: 1 } }]);
  });

  test("a function that is told of a call that failed for good", async () => {
    const { kept } = await own({ onFailure: "mourner" }, 500)();
    expect(kept).toMatchObject([
      {
        onFailure: "mourner",
        id: "m1",
        failure: { status: 500, reason: "the last answer was 500", attempts: 1 },
      },
    ]);
    expect((await own({ onFailure: "mourner" }, 200)()).kept).toEqual([]);
  });
});

test("a call of a function that was removed while it waited is kept", async () => {
  const gateway = await alone(404, `${FINDING}server returned non-200 status code (404) for function`);
  const { worker, message, kept } = setUp(gateway.port);
  await worker.take(message(queued()));
  expect(kept).toMatchObject([{ failure: { status: 404, reason: "there is no such function" } }]);
});

/** `node queue.cjs dead REQUEST`: run in a worker's container, which has the queue's address and password. Its answer is one line of JSON. */
import * as os from "node:os";
import type { QueueAnswers, QueueRequest } from "../../../shared/deadCalls";
import type { Config } from "./config";
import { DeadCalls } from "./dead";
import { sleep } from "./http";
import { JetStream } from "./jetstream";

const CONNECT_MS = 15_000;

export async function answerDead(config: Config, request: string): Promise<void> {
  try {
    const queue = await Promise.race([
      JetStream.open(config, `queue-command-${os.hostname()}`, () => undefined),
      sleep(CONNECT_MS).then(() => {
        throw new Error("NATS does not answer");
      }),
    ]);
    const answer = await answerOf(new DeadCalls(queue), JSON.parse(request) as QueueRequest);
    await queue.close();
    process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1));
  }
}

export async function answerOf(
  dead: DeadCalls,
  request: QueueRequest,
): Promise<QueueAnswers[keyof QueueAnswers]> {
  switch (request.verb) {
    case "list":
      return { ...(await dead.list(request.selection, request.limit)), waiting: await dead.waiting() };
    case "show":
      return (await dead.show(request.id)) ?? null;
    case "retry":
      return dead.retry(request.selection);
    case "drop":
      return dead.drop(request.selection);
  }
}

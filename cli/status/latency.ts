/** The round trip to the host, over the connection that is there. */
import type { Session } from "../../providers/host/src/session";

const TIMES = 5;
/** Nobody need listen there: a refusal is an answer too. */
const PORT = 22;

/** @returns milliseconds of the fastest of some, which is the one that waited for nothing else @throws an Error without a connection */
export async function roundTrip(session: Session): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < TIMES; i++) all.push(await once(session));
  return Math.round(Math.min(...all) * 10) / 10;
}

/** The host's answer to a request for a channel is one message there and one back. */
async function once(session: Session): Promise<number> {
  const start = performance.now();
  try {
    const stream = await session.forward("127.0.0.1", PORT);
    const took = performance.now() - start;
    stream.destroy();
    return took;
  } catch (error) {
    if (!/cannot be reached from the host/.test((error as Error).message)) throw error;
    return performance.now() - start;
  }
}

/** GET /system/logs: lines of JSON for as long as the function talks and somebody listens. */
import { pipeline, type Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { ApiError } from "./errors";
import type { Functions } from "./functions";
import { parseLogRequest, renderLogs } from "./logs";
import { isOurs, noSuchFunction, withoutNamespace } from "./namespace";

/** Each keeps a connection to the engine, and the engine reading files, for as long as its reader likes. */
const MOST_READERS = 64;

export interface LogParts {
  functions: Pick<Functions, "logs">;
  network: string;
  /** How long a log is followed, in ms. */
  limitMs: number;
}

export function logRoute(app: FastifyInstance, { functions, network, limitMs }: LogParts): void {
  const followed = new Set<Readable>();
  let readers = 0;
  app.get("/logs", async (request, reply) => {
    const asked = parseLogRequest(request.query);
    const name = withoutNamespace(asked.name, network);
    if (!isOurs(request.query, network)) throw noSuchFunction(name);
    if (readers >= MOST_READERS)
      throw new ApiError(
        429,
        `${MOST_READERS} logs are being read already; end one of them, or try again later`,
      );
    readers++;
    const { stream, obstacle } = await functions.logs({ ...asked, name }).catch((error: unknown) => {
      readers--;
      throw error;
    });
    followed.add(stream);
    // Nobody follows for ever: as with other providers, no longer than a call may take.
    const limit = setTimeout(() => end(stream), limitMs);
    // Before the first line, so that a follower of a silent function is not kept waiting for the answer's head.
    reply.raw.writeHead(200, { "content-type": "application/x-ndjson" });
    reply.raw.flushHeaders();
    reply.hijack();
    // The lines wait for the engine's stream, also while it has nothing to say: what ends them is the end of that.
    reply.raw.once("close", () => stream.destroy());
    const lines = renderLogs(stream, { ...asked, name }, network, obstacle);
    pipeline(lines, reply.raw, () => {
      clearTimeout(limit);
      followed.delete(stream);
      readers--;
      reply.raw.end();
    });
  });
  // A follower listens to a provider that ends no longer.
  app.addHook("preClose", async () => followed.forEach(end));
}

/** As if the engine had come to the end: what was said so far goes out, and the answer is whole. */
function end(stream: Readable): void {
  stream.push(null);
}

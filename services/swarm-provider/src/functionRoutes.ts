/** The calls to functions: known or not, awake or not, then handed to the proxy. */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { METHODS, type IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Directory } from "./directory";
import { ApiError, explain } from "./errors";
import type { Functions } from "./functions";
import type { Metrics } from "./metrics";
import { type FunctionProxy, parseTarget, type Target } from "./proxy";
import { isMereOffer, passByOffer, refuseUpgrade } from "./upgrade";

export interface CallParts {
  network: string;
  functions: Pick<Functions, "wake" | "status">;
  directory: Directory;
  proxy: FunctionProxy;
  metrics: Metrics;
  /** How long a call waits for a function that was at zero, in ms. */
  wakeMs: number;
}

const POLL_MS = 100;

export function functionRoutes(app: FastifyInstance, parts: CallParts): void {
  const calls = new Calls(parts);
  // Before anything is made of the request: its body and what its headers say of that are the function's.
  app.addHook("onRequest", async (request: FastifyRequest, reply: FastifyReply) => {
    const target = await calls.target(request.raw.url ?? "");
    // From here on the answer is written by the proxy, byte by byte; an error before the first byte is thrown.
    await calls.run(
      target,
      () => parts.proxy.forward(target, request.raw, reply.raw),
      () => reply.raw.statusCode,
    );
    reply.hijack();
  });
  // Functions may speak WebDAV, for example. CONNECT is not a request to a path.
  for (const method of METHODS)
    if (method !== "CONNECT" && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  const never = () => undefined;
  app.all("/function/:name", never);
  app.all("/function/:name/*", never);
  const upgraded = new Set<Socket>();
  app.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (isMereOffer(request)) return passByOffer(app.server, request, socket, head);
    upgraded.add(socket.once("close", () => upgraded.delete(socket)));
    socket.on("error", () => undefined);
    calls.upgrade(request, socket, head).catch((error: unknown) => {
      const { status, message } = explain(error);
      if (status >= 500) app.log.error({ err: error }, "upgrade failed");
      refuseUpgrade(socket, status, message);
    });
  });
  // Nobody can say when such a connection has finished: it ends when the provider does.
  app.addHook("preClose", async () => upgraded.forEach((socket) => socket.destroy()));
}

class Calls {
  private readonly waking = new Map<string, Promise<void>>();

  constructor(private readonly parts: CallParts) {}

  /** @throws ApiError 404 */
  async target(url: string): Promise<Target> {
    const target = parseTarget(url, this.parts.network);
    if (!target || !(await this.parts.directory.has(target.name)))
      throw new ApiError(404, `No such function: ${target?.name ?? ""}`);
    return target;
  }

  /** Counts a call, and wakes its function first where it sleeps. */
  async run(target: Target, call: () => Promise<void>, status: () => number): Promise<void> {
    const { directory, metrics } = this.parts;
    const end = metrics.callBegins(target.name);
    try {
      if (directory.sleeps(target.name)) await this.awake(target.name);
      try {
        await call();
      } catch (error) {
        // It may have fallen asleep since it was looked at. Nothing of the request has been sent yet.
        if (!(error instanceof ApiError) || error.status !== 503) throw error;
        directory.forget();
        if (!(await directory.has(target.name)) || !directory.sleeps(target.name)) throw error;
        await this.awake(target.name);
        await call();
      }
      end(status());
    } catch (error) {
      end(explain(error).status);
      throw error;
    }
  }

  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    let code = 0;
    const target = await this.target(request.url ?? "");
    await this.run(
      target,
      async () => {
        code = await this.parts.proxy.upgrade(target, request, socket, head);
      },
      () => code,
    );
  }

  /** One for all calls that wait for the same function. */
  private awake(name: string): Promise<void> {
    let waking = this.waking.get(name);
    if (!waking) {
      waking = this.wake(name).finally(() => this.waking.delete(name));
      this.waking.set(name, waking);
    }
    return waking;
  }

  /** @throws ApiError 503 when no replica is there in time */
  private async wake(name: string): Promise<void> {
    const { functions, directory, metrics, wakeMs } = this.parts;
    await functions.wake(name);
    metrics.scaledFromZero();
    const until = Date.now() + wakeMs;
    // Somebody may scale it to zero again meanwhile: then it is woken once more.
    while ((await functions.status(name, { isForCall: true })).availableReplicas === 0) {
      if (Date.now() > until)
        throw new ApiError(503, `${name} was at zero and did not start within ${wakeMs / 1000} s.`);
      await sleep(POLL_MS);
    }
    directory.forget();
  }
}

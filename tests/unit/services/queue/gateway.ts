/** A worker, and the real HTTP servers that it calls; the queue is a list. */
import * as http from "node:http";
import { type AddressInfo, BlockList } from "node:net";
import type { QueuedCall } from "../../../../services/queue/src/call";
import { readConfig } from "../../../../services/queue/src/config";
import type { QueueSettings } from "../../../../shared/queueSettings";
import type { DeadCalls, Failure } from "../../../../services/queue/src/dead";
import { decode } from "../../../../services/queue/src/request";
import { type Message, Worker } from "../../../../services/queue/src/worker";

export interface Seen {
  url: string;
  method: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

const closers: (() => void)[] = [];

/** Every server of `serve`. */
export const closeAll = (): void => closers.splice(0).forEach((close) => close());
afterEach(closeAll);

export async function serve(answer: (seen: Seen, response: http.ServerResponse) => void, port = 0) {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const one = { url: request.url!, method: request.method!, headers: request.headers, body };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  closers.push(() => (server.close(), server.closeAllConnections()));
  return { port: (server.address() as AddressInfo).port, seen, server };
}

export const ok = (_: Seen, response: http.ServerResponse) => void response.end("done");
export const fails = (status: number) => (_: Seen, response: http.ServerResponse) =>
  void response.writeHead(status).end();

/** As the gateway writes it. */
export const queued = (changes: object = {}) =>
  Buffer.from(
    JSON.stringify({
      Header: { "X-Call-Id": ["call-1"], "X-Start-Time": ["1795485600123456789"], Connection: ["close"] },
      Host: "faas.example.no",
      Body: Buffer.from("Kari").toString("base64"),
      Method: "POST",
      Path: "/a/b",
      QueryString: "x=1&y=%20",
      Function: "hello",
      QueueName: "",
      Annotations: null,
      CallbackUrl: null,
      ...changes,
    }),
  );

export const callback = (port: number) => ({
  CallbackUrl: { Scheme: "http", Host: `127.0.0.1:${port}`, Path: "/back", RawQuery: "n=1", User: null },
});

export function setUp(
  gatewayPort: number,
  env: Record<string, string> = {},
  closed = new BlockList(),
  settings: QueueSettings = {},
) {
  const config = readConfig({
    faas_gateway_address: "127.0.0.1",
    faas_gateway_port: String(gatewayPort),
    retry_attempts: "3",
    retry_min_delay: "2s",
    retry_max_delay: "3s",
    ...env,
  });
  const putBack: number[] = [];
  const logged: string[] = [];
  const kept: { call: QueuedCall; failure: Failure; id: string; onFailure?: string }[] = [];
  const keep: DeadCalls["keep"] = async (call, failure, id, onFailure) =>
    void kept.push({ call, failure, id, onFailure });
  const worker = new Worker(
    config,
    (_level, message) => logged.push(message),
    { keep },
    { settings: async () => settings },
    closed,
  );
  let acks = 0;
  const handedBack: string[] = [];
  const message = (data: Buffer, id = "m1", attempt = 1): Message => ({
    id,
    call: () => ({ ...decode(data, Date.now()), attempt }),
    ack: async () => void acks++,
    putBack: (delayMs) => void putBack.push(delayMs),
    handBack: async () => void handedBack.push(id),
  });
  return { worker, putBack, handedBack, logged, kept, message, acks: () => acks };
}

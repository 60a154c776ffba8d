/**
 * Runs in a network of its own, since the gateway's ports are fixed: the stock gateway (its program is the argument), the queue worker, and
 * one server that is provider and function at once. Prints what became of one call of each kind, as JSON.
 */
import { spawn } from "node:child_process";
import * as http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../../services/queue/src/config";
import { decode } from "../../services/queue/src/request";
import { Worker } from "../../services/queue/src/worker";

const PROVIDER = 9000;
const LIMIT_MS = 2000;
const made: Record<string, number> = {};
/** What the function was asked for, in the call of that kind. */
const paths: string[] = [];
/** What came to the provider and changes something. */
const managed: string[] = [];

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (request.url!.startsWith("/system/") && request.method !== "GET") managed.push(request.url!);
  if (request.url!.startsWith("/system/"))
    return void response.end(JSON.stringify({ name: "a", replicas: 1, availableReplicas: 1 }));
  const kind = new URL(request.url!, "http://function").searchParams.get("kind")!;
  if (kind === "path") paths.push(request.url!.split("?")[0]!);
  if (kind.startsWith("unread")) {
    made[kind] = (made[kind] ?? 0) + 1;
    return void response.writeHead(429).end();
  }
  request.resume();
  request.on("end", () => {
    made[kind] = (made[kind] ?? 0) + 1;
    if (kind.startsWith("breaks")) request.socket.destroy();
    else if (kind === "late") setTimeout(() => response.end(), 3 * LIMIT_MS);
    else response.writeHead(kind === "busy" ? 503 : 200).end();
  });
}

const LARGE = "x".repeat(1024 * 1024);

async function call(kind: string, body = "Kari", Path = "") {
  const env = { faas_gateway_address: "127.0.0.1", upstream_timeout: `${LIMIT_MS}ms`, retry_attempts: "3" };
  let putBack = 0;
  const log = (_level: string, message: string, details = {}) =>
    void process.stderr.write(`${message} ${JSON.stringify(details)}\n`);
  const worker = new Worker(
    readConfig(env),
    log,
    { keep: async () => undefined },
    { settings: async () => ({}) },
  );
  const data = Buffer.from(
    JSON.stringify({
      Function: "a",
      Path,
      QueryString: `kind=${kind}`,
      Body: Buffer.from(body).toString("base64"),
    }),
  );
  await worker.take({
    id: kind,
    call: () => decode(data, Date.now()),
    ack: async () => undefined,
    putBack: () => void putBack++,
    handBack: async () => undefined,
  });
  return { made: made[kind] ?? 0, putBack };
}

async function several(make: (i: number) => ReturnType<typeof call>) {
  const all = { made: 0, putBack: 0 };
  for (let i = 0; i < 20; i++) {
    const one = await make(i);
    all.made += one.made;
    all.putBack += one.putBack;
  }
  return all;
}

async function withGateway<T>(program: string, scaleFromZero: boolean, work: () => Promise<T>): Promise<T> {
  const limit = `${LIMIT_MS}ms`;
  const gateway = spawn(program, {
    env: {
      functions_provider_url: `http://127.0.0.1:${PROVIDER}/`,
      function_namespace: "openfaas-fn",
      scale_from_zero: String(scaleFromZero),
      ...{ upstream_timeout: limit, read_timeout: `${10 * LIMIT_MS}ms`, write_timeout: `${10 * LIMIT_MS}ms` },
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    while (
      !(await fetch("http://127.0.0.1:8080/").then(
        () => true,
        () => false,
      ))
    )
      await sleep(50);
    return await work();
  } finally {
    gateway.kill("SIGKILL");
    await new Promise((ended) => gateway.once("exit", ended));
  }
}

async function main(program: string): Promise<void> {
  const server = http.createServer(answer).listen(PROVIDER, "127.0.0.1");
  const reached = await withGateway(program, true, async () => ({
    answers: await call("answers"),
    busy: await call("busy"),
    breaks: await call("breaks"),
    breaksWithoutBody: await call("breaks-without-body", ""),
    breaksLarge: await call("breaks-large", LARGE),
    late: await call("late"),
    // The gateway and its function race there: often, so that it is lost in some if it is lost in any.
    unread: await several((i) => call(`unread-${i}`)),
    unreadLarge: await several((i) => call(`unread-large-${i}`, LARGE)),
  }));
  // The gateway's form of what a caller sent as "%252e%252e", "%5c" and the like.
  await withGateway(program, true, async () => {
    for (const path of [
      "/%2e%2e/%2e%2e/system/functions",
      "/\\..\\..\\system\\functions",
      "/../../system/functions",
    ])
      await call("path", "{}", path);
  });
  server.close();
  server.closeAllConnections();
  const away = {
    providerAway: await withGateway(program, true, () => call("provider-away")),
    functionAway: await withGateway(program, false, () => call("function-away")),
    functionAwayLarge: await withGateway(program, false, () => call("function-away-3", LARGE)),
    functionAwayWithoutBody: await withGateway(program, false, () => call("function-away-2", "")),
  };
  process.stdout.write(JSON.stringify({ ...reached, ...away, paths, managed }));
}

void main(process.argv[2]!);

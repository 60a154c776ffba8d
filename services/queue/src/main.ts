/** `node queue.cjs`: the queue worker. `node queue.cjs exporter`: the numbers that Prometheus asks for. */
import * as http from "node:http";
import * as os from "node:os";
import { CHANNEL, DELAYED_CHANNEL } from "../../../shared/queueChannel";
import { type Config, ConfigError, readConfig } from "./config";
import { Delays, wrap } from "./delays";
import { exported } from "./exporter";
import { Nats } from "./nats";
import { decode } from "./request";
import { type Log, Worker } from "./worker";

const log: Log = (level, message, details = {}) =>
  void process.stdout.write(`${JSON.stringify({ level, message, ...details })}\n`);

function main(): void {
  const config = configOrExit();
  if (process.argv[2] === "exporter") return runExporter(config);
  runWorker(config);
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`queue: the environment is not usable:\n${error.message}\n`);
    process.exit(1);
  }
}

function runWorker(config: Config): void {
  const delays: Delays = new Delays((data) => nats.publish(CHANNEL, data), log);
  const worker = new Worker(
    config,
    {
      putBack: (data, delayMs) =>
        nats.publish(DELAYED_CHANNEL, wrap(data, delayMs, decode(data, Date.now()).acceptedMs)),
    },
    log,
  );
  const handlers = {
    call: (message: Parameters<Worker["take"]>[0]) => void worker.take(message),
    delayed: (message: Parameters<Delays["take"]>[0]) => delays.take(message),
  };
  const nats: Nats = new Nats(config, handlers, log, `faas-worker-${os.hostname().replace(/[^\w-]/g, "-")}`);
  // Unhealthy until it has reached NATS, because an update waits for that. Later an absent NATS must not get it killed: calls under way
  // would be made again.
  const server = serve(
    config.metricsPort,
    async () => worker.metrics(delays.accepted()),
    () => nats.wasReady,
  );
  const stop = async () => {
    log("info", "ending: no new calls, those under way are finished");
    const all = await worker.end(config.shutdownTimeoutMs);
    delays.end();
    await nats.close();
    server.close();
    if (!all) log("warn", "calls were still under way; they are delivered again");
    process.exit(all ? 0 : 1);
  };
  onSignals(() => void stop());
  const { maxInflight, retry } = config;
  log("info", "queue worker", { maxInflight, attempts: retry.attempts, codes: [...retry.codes] });
  void nats.run();
}

function runExporter(config: Config): void {
  const server = serve(config.metricsPort, () => exported(config));
  onSignals(() => {
    server.close();
    process.exit(0);
  });
  log("info", "exporter", { port: config.metricsPort });
}

function onSignals(stop: () => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
}

function serve(port: number, metrics: () => Promise<string>, isWell = () => true): http.Server {
  const server = http.createServer((request, response) => {
    if (request.url === "/healthz")
      return void (isWell()
        ? response.end("ok\n")
        : response.writeHead(503).end("not connected to the queue yet\n"));
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    metrics().then(
      (text) => response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4" }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return server.listen(port);
}

main();

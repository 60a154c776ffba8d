/**
 * `node queue.cjs`: the queue worker. `node queue.cjs intake`: what accepts calls. `node queue.cjs exporter`: the numbers that Prometheus
 * asks for. `node queue.cjs dead REQUEST`: answers what `oslo-faas queue` asks of a worker, in JSON.
 */
import * as http from "node:http";
import * as os from "node:os";
import { WORKER_NAME } from "../../../shared/queueState";
import { Acceptor } from "./accept";
import { Bridge } from "./bridge";
import { Clock } from "./clock";
import { ClockRecords } from "./clockRecords";
import { type Config, ConfigError, readConfig } from "./config";
import { DeadCalls } from "./dead";
import { answerDead } from "./deadCommand";
import { exported } from "./exporter";
import { KnownFunctions } from "./functions";
import { listenAt } from "../../../shared/listenAt";
import { Intake } from "./intake";
import { JetStream } from "./jetstream";
import { Lanes } from "./lanes";
import { Mover } from "./natsStreaming";
import { sleep } from "./http";
import type { Log } from "./log";
import { Worker } from "./worker";

const log: Log = (level, message, details = {}) =>
  void process.stdout.write(`${JSON.stringify({ level, message, ...details })}\n`);

function main(): void {
  const config = configOrExit();
  if (process.argv[2] === "exporter") return runExporter(config);
  if (process.argv[2] === "dead") return void answerDead(config, process.argv[3]!);
  const run = process.argv[2] === "intake" ? runIntake : runWorker;
  run(config).catch((error) => {
    log("error", "cannot go on", { reason: (error as Error).message });
    process.exit(1);
  });
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

async function runWorker(config: Config): Promise<void> {
  const running: { worker?: Worker; lanes?: Lanes } = {};
  // Unhealthy until it has reached NATS, because an update waits for that. Later an absent NATS must not get it killed: calls under way
  // would be made again.
  const server = serve(
    config.metricsPort,
    async () => (await running.worker?.metrics()) ?? "",
    () => running.lanes?.wasReady ?? false,
  );
  const { maxInflight, retry } = config;
  log("info", "queue worker", { maxInflight, attempts: retry.attempts, codes: [...retry.codes] });
  const queue = await JetStream.open(config, WORKER_NAME + os.hostname(), log);
  const functions = new KnownFunctions(config.provider);
  const worker = (running.worker = new Worker(config, log, new DeadCalls(queue), functions));
  const lanes = (running.lanes = new Lanes(queue, worker, config, functions, log));
  const stop = async () => {
    log("info", "ending: no new calls, those under way are finished");
    const [all] = await Promise.all([worker.end(config.shutdownTimeoutMs), lanes.end()]);
    await queue.close();
    server.close();
    if (!all) log("warn", "calls were still under way; they are delivered again");
    process.exit(all ? 0 : 1);
  };
  onSignals(() => void stop());
  await lanes.run();
}

async function runIntake(config: Config): Promise<void> {
  const running: { intake?: Intake; isOpen: boolean } = { isOpen: false };
  const server = serve(
    config.metricsPort,
    async () => (await running.intake?.registry.metrics()) ?? "",
    () => running.isOpen,
  );
  const queue = await JetStream.open(config, `queue-intake-${os.hostname()}`, log);
  const acceptor = new Acceptor(queue);
  const functions = new KnownFunctions(config.provider);
  const intake = new Intake(acceptor, functions, { maxBody: config.maxBody, log });
  new Bridge(queue, acceptor, config.cluster, log).start();
  const mover = config.old && new Mover(config.old, acceptor, log, `queue-mover-${os.hostname()}`);
  void mover?.run();
  const { registry } = intake;
  const { timeZone } = config;
  const clock = new Clock(new ClockRecords(queue), acceptor, functions, { timeZone, log, registry });
  void clock.run();
  const calls = intake.server();
  await listenAt(calls, config.intakeSocket);
  Object.assign(running, { intake, isOpen: true });
  log("info", "intake", { socket: config.intakeSocket, moves: Boolean(mover) });
  onSignals(async () => {
    mover?.end();
    clock.end();
    calls.closeIdleConnections();
    const closed = new Promise((done) => calls.close(done));
    await Promise.race([closed, sleep(config.shutdownTimeoutMs)]);
    await queue.close();
    server.close();
    process.exit(0);
  });
}

function runExporter(config: Config): void {
  const server = serve(config.metricsPort, () => exported(config));
  onSignals(() => {
    server.close();
    process.exit(0);
  });
  log("info", "exporter", { port: config.metricsPort });
}

function onSignals(stop: () => unknown): void {
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

/** The routes of OpenFaaS's provider API. What each means is in functions.ts, secrets.ts and proxy.ts. */
import type { Server } from "node:net";
import { chmodSync } from "node:fs";
import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { Addresses } from "./addresses";
import { isAuthorized, registryAuth } from "./auth";
import type { Config } from "./config";
import { parseDeployment } from "./deployment";
import { Directory } from "./directory";
import { ADMIN_SOCKET, CALLS_SOCKET } from "../../../shared/edge";
import { Edge } from "./edge";
import { listenForCalls } from "./edge/calls";
import { closedWhileMade, refuseAccess } from "./edge/guard";
import { Engine } from "./engine";
import { explain, invalid } from "./errors";
import { Functions } from "./functions";
import { functionRoutes } from "./functionRoutes";
import { addInvocations, readInvocations } from "./gatewayCalls";
import { Idler } from "./idler";
import { logRoute } from "./logRoute";
import { Metrics } from "./metrics";
import { isOurs, noSuchFunction, withoutNamespace } from "./namespace";
import type { Problem } from "./problems";
import { FunctionProxy } from "./proxy";
import { type Probe, Readiness } from "./readiness";
import { Secrets } from "./secrets";
import type { FunctionStatus } from "./status";
import { Unplaced } from "./unplaced";
import { VERSION } from "./version";

/** A deployment is text; the largest secret is 500 KB, 4/3 of it in base64. */
const BODY_LIMIT = 1024 * 1024;
/** Longer than callers keep an idle connection (Go: 90 s), so that it is never closed under a request of theirs. */
const KEEP_ALIVE_MS = 120_000;
const HEALTH_TIMEOUT_MS = 2000;
/** An update takes ten seconds and more; clients give up after 30 or 60. */
const SETTLE_MS = 25_000;

interface Parts {
  config: Config;
  engine: Engine;
  functions: Functions;
  secrets: Secrets;
  directory: Directory;
  metrics: Metrics;
  edge?: Edge;
}

/** What tests put in the place of the real thing. */
export interface AppParts {
  addresses?: Addresses;
  engine?: Engine;
  probe?: Probe;
  settleMs?: number;
}

const makeServer = ({ logLevel, readTimeoutMs }: Config): FastifyInstance =>
  Fastify({
    logger: { level: logLevel, redact: ["req.headers"] },
    // One line per request, at debug, by our own hook: the framework's line contains the query.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: readTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: 1000 },
  });

/** The provider, not listening yet. */
export function buildApp(config: Config, given: AppParts = {}): FastifyInstance {
  const addresses = given.addresses ?? new Addresses();
  const engine = given.engine ?? new Engine(config.dockerSocket, config.dockerTimeoutMs);
  const app = makeServer(config);
  const { network, writeTimeoutMs, deleteTimeoutMs, functionPort } = config;
  const readiness = new Readiness(network, functionPort, given.probe);
  const functions = new Functions(
    engine,
    {
      network,
      port: functionPort,
      probeVolume: config.probeVolume,
      stopGraceMs: writeTimeoutMs,
      deleteTimeoutMs,
      settleMs: given.settleMs ?? SETTLE_MS,
    },
    readiness,
  );
  const secrets = new Secrets(engine, functions, { network });
  const directory = new Directory(engine);
  const metrics = new Metrics();
  const edge = makeEdge(app, config, { engine, readiness, counts: functions.counts, metrics });
  const parts: Parts = { config, engine, functions, secrets, directory, metrics, edge };
  const idler = makeIdler(app, parts);
  const { placementTimeoutMs: limitMs, reconcileMs: intervalMs } = config;
  const unplaced = new Unplaced(engine, { limitMs, intervalMs, log: app.log });
  app.addHook("onReady", async () => {
    secrets.sweepSoon();
    idler?.start();
    unplaced.start();
    edge?.start();
  });
  app.addHook("onClose", async () => {
    addresses.close();
    secrets.close();
    idler?.close();
    unplaced.close();
    edge?.close();
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((_request, reply) => text(reply, 404, "not found"));
  recordRequests(app, metrics);
  // What is asked for changes what runs.
  app.addHook("onResponse", async ({ method }) => {
    if (method !== "GET") edge?.stir();
  });
  openRoutes(app, parts);
  void app.register(async (scope) => managementRoutes(scope, parts), { prefix: "/system" });
  const proxy = new FunctionProxy(addresses, { network, port: functionPort, silenceMs: writeTimeoutMs });
  const { wakeTimeoutMs: wakeMs } = config;
  void app.register(async (scope) =>
    functionRoutes(scope, { network, functions, directory, proxy, metrics, wakeMs }),
  );
  return app;
}

/** Without a password, and known to nobody outside. */
function openRoutes(app: FastifyInstance, { engine, metrics, edge, directory }: Parts): void {
  app.get("/metrics", async (_request, reply) =>
    text(reply, 200, (await metrics.text()) + ((await edge?.metrics()) ?? "")),
  );
  app.get("/healthz", async (_request, reply) => {
    await engine.ping(HEALTH_TIMEOUT_MS);
    return text(reply, 200, "OK");
  });
  // The queue learns whether there is such a function, as a call would show it, and what it says of its asynchronous calls.
  app.get<{ Params: { name: string } }>("/queue/function/:name", async ({ params: { name } }, reply) =>
    (await directory.has(name)) ? reply.send(directory.queueAnnotations(name)) : text(reply, 404, ""),
  );
  app.get("/queue/triggers", async () => directory.triggers());
}

function managementRoutes(app: FastifyInstance, parts: Parts): void {
  const { credentials, network } = parts.config;
  acceptAnyJson(app);
  app.addHook("onRequest", async (request, reply) => {
    if (!credentials || isAuthorized(request.headers.authorization, credentials)) return;
    void reply.header("WWW-Authenticate", 'Basic realm="Restricted"');
    return text(reply, 401, "invalid credentials");
  });
  app.get("/info", async () => ({ provider: "swarm-provider", version: VERSION, orchestration: "swarm" }));
  app.get("/namespaces", async () => [network]);
  logRoute(app, { functions: parts.functions, network, limitMs: parts.config.writeTimeoutMs });
  deploymentRoutes(app, parts);
  scaleRoute(app, parts);
  secretRoutes(app, parts);
}

function deploymentRoutes(
  app: FastifyInstance,
  { functions, directory, metrics, config, edge }: Parts,
): void {
  const { network } = config;
  const parse = (request: FastifyRequest) => {
    const deployment = parseDeployment(request.body, network);
    const auth = registryAuth(request.headers["x-registry-auth"], deployment.registryAuth, deployment.image);
    return { deployment, auth };
  };
  app.get("/functions", async (request) =>
    isOurs(request.query, network) ? functions.list(isTrue(request, "usage")) : [],
  );
  app.post("/functions", async (request, reply) => {
    const { deployment, auth } = parse(request);
    const made = await closedWhileMade(edge, deployment);
    try {
      await functions.create(deployment, auth);
    } finally {
      await made?.();
    }
    directory.forget();
    request.log.info({ function: deployment.service, image: deployment.image }, "deployed");
    return text(reply, 202, "");
  });
  app.put("/functions", async (request, reply) => {
    const { deployment, auth } = parse(request);
    if (!edge) refuseAccess(deployment);
    await functions.update(deployment, auth);
    request.log.info({ function: deployment.service, image: deployment.image }, "updated");
    return text(reply, 202, "");
  });
  app.delete("/functions", async (request, reply) => {
    const name = (request.body as { functionName?: unknown } | null)?.functionName;
    if (typeof name !== "string" || name === "")
      throw invalid(["functionName: is required: the function's name"]);
    const known = ourName(request, name, network);
    const id = await functions.remove(known);
    directory.forget();
    metrics.forget(known);
    request.log.info({ function: name }, "removed");
    const ended = !isTrue(request, "wait") || (await functions.hasEnded(id));
    return text(reply, ended ? 200 : 202, ended ? "" : "removed; its last requests are still being finished");
  });
  app.get<{ Params: { name: string } }>("/function/:name", async (request) => {
    const name = ourName(request, request.params.name, network);
    const withUsage = isTrue(request, "usage");
    const status = await functions.status(name, { withUsage, isForCall: isForCall(request) });
    // faas-cli describe asks for the usage, and shows annotations: there a person gets to read it.
    return withUsage && status.problem ? withAnnotation(status, status.problem) : status;
  });
}

function scaleRoute(app: FastifyInstance, { functions, directory, config }: Parts): void {
  app.post<{ Params: { name: string } }>("/scale-function/:name", async (request, reply) => {
    const replicas = (request.body as { replicas?: unknown } | null)?.replicas;
    if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0)
      throw invalid(["replicas: must be a whole number, 0 or more"]);
    const name = ourName(request, request.params.name, config.network);
    const set = await functions.scale(name, replicas);
    directory.forget();
    request.log.info({ function: name, asked: replicas, replicas: set }, "scaled");
    return text(reply, 202, set === replicas ? "" : `scaled to ${set}, the most its labels allow`);
  });
}

function secretRoutes(app: FastifyInstance, { secrets, config }: Parts): void {
  app.get("/secrets", async (request) => (isOurs(request.query, config.network) ? secrets.list() : []));
  app.post("/secrets", async (request, reply) => {
    await secrets.create(request.body);
    return text(reply, 201, "");
  });
  app.put("/secrets", async (request, reply) => {
    const rolled = await secrets.replace(request.body);
    request.log.info({ functions: rolled }, "secret replaced");
    return text(reply, 200, rolled.length > 0 ? `rolled out to ${rolled.join(", ")}` : "");
  });
  app.delete("/secrets", async (request, reply) => {
    await secrets.remove(request.body);
    return text(reply, 200, "");
  });
}

/** OpenFaaS's clients send JSON with any type, or none. An empty body counts as absent. */
function acceptAnyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, null);
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      // Without the parser's words: they quote what was sent, which may be a secret.
      done(invalid(["the request's body is not JSON"]), undefined);
    }
  });
}

/** The function's name without the namespace. @throws ApiError 404 when the query or the body means another namespace */
function ourName({ query, body }: FastifyRequest, name: string, network: string): string {
  const known = withoutNamespace(name, network);
  if (!isOurs(query, network) || !isOurs(body, network)) throw noSuchFunction(known);
  return known;
}

/** `?usage=1` or `?usage=true`: OpenFaaS's gateway and clients send both. */
function isTrue({ query }: FastifyRequest, name: "usage" | "wait"): boolean {
  const value = (query as Record<string, string | undefined>)[name];
  return value === "1" || value === "true";
}

/** Whether the gateway asks by itself, before it passes a call on: it adds this, and nobody's address. */
function isForCall({ query, headers }: FastifyRequest): boolean {
  return (query as { usage?: string }).usage === "false" && headers["x-forwarded-for"] === undefined;
}

function withAnnotation(status: FunctionStatus, { kind, message }: Problem): FunctionStatus {
  return { ...status, annotations: { ...status.annotations, problem: `${kind}: ${message}` } };
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, message } = explain(error);
  if (status >= 500) request.log.error({ err: error, path: pathOf(request) }, "request failed");
  else request.log.info({ status, path: pathOf(request), reason: message }, "request refused");
  if (!reply.raw.headersSent) void text(reply, status, message);
}

function text(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type("text/plain; charset=utf-8").send(body);
}

/** The path alone: queries of functions may carry what is nobody's business. */
function pathOf(request: FastifyRequest): string {
  return request.url.split("?")[0]!;
}

function recordRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", async (request, reply) => {
    const { statusCode: status, elapsedTime } = reply;
    const route = request.routeOptions.url;
    if (route?.startsWith("/system")) metrics.apiRequest(request.method, route, status, elapsedTime / 1000);
    request.log.debug(
      { method: request.method, path: pathOf(request), status, ms: Math.round(elapsedTime) },
      "request",
    );
  });
}

/** Undefined where the provider is given no folder with the edge's sockets. */
function makeEdge(
  app: FastifyInstance,
  { edgeFolder, network }: Config,
  {
    engine,
    readiness,
    counts,
    metrics,
  }: Pick<Parts, "engine" | "metrics"> & {
    readiness: Readiness;
    counts: Functions["counts"];
  },
): Edge | undefined {
  if (!edgeFolder) return undefined;
  const edge = new Edge(engine, readiness, counts, {
    socket: `${edgeFolder}/${ADMIN_SOCKET}`,
    network,
    log: app.log,
  });
  let server: Server | undefined;
  app.addHook("onReady", async () => {
    // The edge shares the group, and puts its own sockets there.
    chmodSync(edgeFolder, 0o770);
    await edge.prepare();
    const count = (name: string, code: number, seconds: number) =>
      metrics.edgeCall(`${name}.${network}`, code, seconds);
    server = await listenForCalls(`${edgeFolder}/${CALLS_SOCKET}`, count).catch((error: Error) => {
      app.log.error({ err: error.message }, "the edge's calls cannot be counted");
      return undefined;
    });
  });
  app.addHook("onClose", async () => void server?.close());
  return edge;
}

/** Undefined where calls that pass the provider by cannot be known: then nothing is scaled to zero. */
function makeIdler(app: FastifyInstance, { config, functions, directory, metrics, edge }: Parts) {
  const { gatewayMetrics: url, network } = config;
  if (!url) return undefined;
  const scaling = {
    counts: functions.counts,
    scalable: () => functions.scalable(),
  };
  return new Idler(scaling, metrics, {
    onScaled: () => directory.forget(),
    idleMs: config.inactivityMs,
    intervalMs: config.reconcileMs,
    longestCallMs: config.writeTimeoutMs,
    log: app.log,
    elsewhere: async () => {
      const sources = [
        ...(url === "none" ? [] : [readInvocations(url.href, network)]),
        ...(edge ? [edge.invocations()] : []),
      ];
      return addInvocations(await Promise.all(sources));
    },
    onAnnounced: async () => edge?.tell(),
  });
}

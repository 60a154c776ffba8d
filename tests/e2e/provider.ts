/** The Swarm provider as its users meet it: behind the stock gateway, through Nginx. */
import * as fs from "node:fs";
import * as http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { checkContract, type Contract } from "../contract/calls";
import { useFaasCli } from "../contract/faasCli";
import { readStatus } from "./async";
import { FRONT_DOOR, lab, onHostOk, run } from "./lib";

const NAMESPACE = "openfaas-fn";
const IMAGE = "registry.lab:5000/oslo-faas/hello";

export interface Platform {
  user: string;
  password: string;
}

/** hello's image by digest, as the lab built it. It is made from scratch: no shell, no curl. */
function helloImage(): string {
  const { images } = JSON.parse(fs.readFileSync(lab.imagesLock, "utf8")) as {
    images: Record<string, string>;
  };
  const [name, digest] = Object.entries(images).find(([image]) => image.startsWith(`${IMAGE}:`))!;
  return `${name}@${digest}`;
}

function caller({ user, password }: Platform): Contract["call"] {
  return (method, path, { body, auth = true, headers } = {}) =>
    new Promise((done, fail) => {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
      const options = {
        method,
        headers: { ...length, ...headers },
        ...(auth ? { auth: `${user}:${password}` } : {}),
        timeout: 60_000,
      };
      const request = http.request(FRONT_DOOR + path, options, (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
        response.on("end", () =>
          done({ status: response.statusCode!, headers: response.headers, text: answer }),
        );
        response.on("error", fail);
      });
      request.on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer within 60 s`)));
      request.on("error", fail);
      request.end(text);
    });
}

async function until(what: string, ask: () => Promise<boolean>, limitSeconds = 90): Promise<void> {
  const end = Date.now() + limitSeconds * 1000;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`waited ${limitSeconds} s for ${what}`);
    await sleep(250);
  }
}

/** Every endpoint of the provider, as OpenFaaS's clients call it. */
export async function keepsContract(platform: Platform): Promise<number> {
  const call = caller(platform);
  return checkContract({ call, image: helloImage(), namespace: NAMESPACE, through: "gateway" });
}

/** What the function says that is to listen on port 99999. */
const NO_PORT = "address 99999: invalid port";

/** The commands of the stock faas-cli, where there is one on PATH: it cannot be had as a package. @returns what was run */
export async function servesFaasCli({ user, password }: Platform): Promise<string[]> {
  if ((await run(["sh", "-c", "command -v faas-cli"])).code !== 0) return [];
  return useFaasCli({ command: ["faas-cli"], url: FRONT_DOOR, user, password, image: helloImage() });
}

/**
 * One function's rough day: updated under load, broken by an update that is taken back, idle until it sleeps, woken by a call,
 * followed in its logs, crashing. Gives what was counted.
 */
export async function roughDay(platform: Platform): Promise<{ answered: number; failed: string[] }> {
  const call = caller(platform);
  const name = "rough-day";
  const base = {
    service: name,
    image: helloImage(),
    // Its load is an alert's business elsewhere; a scaling would clear what the engine says of the last update.
    labels: { "com.openfaas.scale.factor": "0" },
    annotations: {
      "com.openfaas.health.http.path": "/_/health",
      "com.openfaas.health.http.periodSeconds": "1",
      "com.openfaas.health.http.initialDelay": "2s",
    },
  };
  const deploy = async (method: string, more: object) => {
    const { status, text } = await call(method, "/system/functions", { body: { ...base, ...more } });
    expect({ status, text }).toEqual({ status: 202, text: "" });
  };
  const status = async () => JSON.parse((await call("GET", `/system/function/${name}`)).text);
  const updateIs = (state: string) => async () =>
    (await onHostOk(`docker service inspect -f '{{with .UpdateStatus}}{{.State}}{{end}}' ${name}`)).trim() ===
    state;

  await deploy("POST", { envVars: { version: "1" } });
  await until("a replica", async () => (await status()).availableReplicas === 1);
  const other = "rough-night";
  await call("POST", "/system/functions", { body: { ...base, service: other } });
  await until(
    "a replica of another function",
    async () => (await call("GET", `/function/${other}`)).status === 200,
  );
  const load = startCalls(call, `/function/${name}`);
  const others = startCalls(call, `/function/${other}`);
  let counted: Awaited<ReturnType<typeof load.stop>>;
  let failed: string[];
  try {
    await deploy("PUT", { envVars: { version: "2" } });
    await until("the end of the update", updateIs("completed"));
    await deploy("PUT", { envVars: { port: "99999" } });
    await until("the update to be taken back", updateIs("rollback_completed"));
    await until("more replicas", async () => {
      // The alert for its load comes in between: with a factor of 0 the gateway takes a function to its fewest replicas.
      await call("POST", `/system/scale-function/${other}`, { body: { serviceName: other, replicas: 3 } });
      return (await call("GET", `/system/function/${other}`)).text.includes('"availableReplicas":3');
    });
    // The edge hears of new replicas a moment later.
    await until("calls at more than one replica", () => Promise.resolve(others.replicas.size > 1));
    await call("POST", `/system/scale-function/${other}`, { body: { serviceName: other, replicas: 1 } });
  } finally {
    counted = await load.stop();
    ({ failed } = await others.stop());
  }
  expect(failed).toEqual([]);
  expect(others.replicas.size).toBeGreaterThan(1);
  // Addresses come and go with replicas; a call reaches its own function all the same.
  expect([...load.replicas].filter((replica) => others.replicas.has(replica))).toEqual([]);
  await call("DELETE", "/system/functions", { body: { functionName: other } });
  const { envVars, problem } = await status();
  expect(envVars).toEqual({ version: "2" });
  expect(problem).toMatchObject({ kind: "rolled back", log: [expect.stringContaining(NO_PORT)] });
  const { problems } = (await readStatus()).report;
  expect(problems).toEqual(
    expect.arrayContaining([expect.stringMatching(/^function rough-day: rolled back: /)]),
  );

  await sleepAndWake(call, name, deploy, status);
  await followed(platform, call, name);
  await call("DELETE", "/system/functions", { body: { functionName: name } });
  await deploy("POST", { envVars: { port: "99999" } });
  await until("the crash to be told", async () => (await status()).problem?.kind === "crashing");
  expect((await status()).problem.log.join("\n")).toContain(NO_PORT);
  await call("DELETE", "/system/functions", { body: { functionName: name } });
  return counted;
}

/** By the gateway's own metrics, since it calls the function past the provider. */
async function sleepAndWake(
  call: Contract["call"],
  name: string,
  deploy: (method: string, more: object) => Promise<void>,
  status: () => Promise<{ replicas?: number }>,
): Promise<void> {
  const labels = { "com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "5s" };
  await deploy("PUT", { labels, envVars: { version: "3" } });
  await until("the function to sleep", async () => (await status()).replicas === 0, 120);
  await until("its replica to be gone", async () => {
    const left = await onHostOk(`docker service ps -q -f desired-state=running ${name}`);
    return left.trim() === "";
  });
  const first = await call("POST", `/function/${name}`, { body: "world" });
  expect(first).toMatchObject({ status: 200, text: expect.stringContaining("world") });
}

/**
 * The log comes line by line while it is followed, through gateway and Nginx: one that is said after the answer's head is read. The gateway
 * sends the head with the first line: a last line of before is asked for as well.
 */
async function followed({ user, password }: Platform, call: Contract["call"], name: string): Promise<void> {
  const options = { auth: `${user}:${password}`, agent: false, timeout: 60_000 };
  const response = await new Promise<http.IncomingMessage>((done, fail) => {
    const request = http.get(`${FRONT_DOOR}/system/logs?name=${name}&follow=1&tail=1`, options, done);
    request
      .on("timeout", () => request.destroy(new Error("no line of the log within 60 s")))
      .on("error", fail);
  });
  expect(response.statusCode).toBe(200);
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  response.on("error", () => undefined);
  // A replica more says that it listens.
  const since = Date.now();
  const { status } = await call("POST", `/system/scale-function/${name}`, { body: { replicas: 2 } });
  expect(status).toBe(202);
  const said = () => {
    const whole = text.split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as { timestamp: string; text: string });
  };
  const isNew = (line: { timestamp: string; text: string }) =>
    Date.parse(line.timestamp) > since && line.text.includes("listening on port");
  await until("the line of the second replica", async () => said().some(isNew), 30);
  response.destroy();
}

/** Of all services on the host, those that have the engine's socket, or a folder with it. */
export async function socketHolders(): Promise<string[]> {
  const mounts = await onHostOk(
    "docker service inspect $(docker service ls -q) --format " +
      "'{{.Spec.Name}}{{range .Spec.TaskTemplate.ContainerSpec.Mounts}} {{.Source}}{{end}}'",
  );
  const isSocket = (source: string) =>
    source !== "" && (/docker\.sock$/.test(source) || /^(\/var)?(\/run)?\/?$/.test(source));
  return mounts
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, ...sources]) => sources.some(isSocket))
    .map(([name]) => name!);
}

function startCalls(call: Contract["call"], path: string) {
  const failed: string[] = [];
  /** Names of the replicas that answered. */
  const replicas = new Set<string>();
  let answered = 0;
  let going = true;
  const loop = async () => {
    while (going) {
      const answer = await call("POST", path, { auth: false, body: "x" }).catch((error: Error) => ({
        status: 0,
        text: error.message,
      }));
      if (answer.status === 200) {
        answered++;
        replicas.add((JSON.parse(answer.text) as { hostname: string }).hostname);
      } else failed.push(`${answer.status} ${answer.text}`);
    }
  };
  const loops = [loop(), loop(), loop(), loop()];
  return {
    replicas,
    stop: async () => {
      going = false;
      await Promise.all(loops);
      return { answered, failed };
    },
  };
}

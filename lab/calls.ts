/** The proof at the end of `up`: sample functions called through Nginx, synchronously and asynchronously, answers checked. */
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Lab } from "./config";
import { waitFor } from "./docker";
import { LabError } from "./errors";
import { execute } from "./host";
import { listen } from "./listener";
import { gatewayAddress } from "./network";
import { readPng } from "./png";
import { seconds, type Progress } from "./progress";

export interface Target {
  /** Where Nginx answers, without a slash at the end. */
  url: string;
  /** Functions that the stack deployed: name → URL. */
  functions: Record<string, string>;
  user: string;
  password: string;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  milliseconds: number;
}

/** Asked of resize-image; no picture in testdata has this size already. */
const WANTED = { width: 64, height: 48 };
const QUERY = `?width=${WANTED.width}&height=${WANTED.height}&fit=fill&format=png`;
const CALL_LIMIT_MS = 30_000;
const ASYNC_LIMIT_MS = 90_000;

/** Calls `hello` and `resize-image`, then `resize-image` asynchronously. Throws LabError when an answer is not what it has to be. */
export async function callFunctions(
  lab: Lab,
  docker: Docker,
  target: Target,
  progress: Progress,
): Promise<void> {
  const picture = samplePicture(lab);
  const hello = await call("hello", functionUrl(target, "hello"), {});
  JSON.parse(hello.body.toString());
  progress.say(
    `hello answered ${hello.status} in ${hello.milliseconds} ms: ${hello.body.toString().trim().slice(0, 120)}`,
  );

  const type = picture.name.endsWith(".png") ? "image/png" : "image/jpeg";
  const upload = { method: "POST", headers: { "Content-Type": type }, body: picture.data };
  const resized = await call("resize-image", functionUrl(target, "resize-image") + QUERY, upload);
  const size = checkPicture("resize-image", resized.body);
  progress.say(
    `resize-image made ${size} of ${picture.name} (${picture.data.length} bytes) in ${resized.milliseconds} ms`,
  );
  await callAsync(lab, docker, target, upload, progress);
}

function functionUrl(target: Target, name: string): string {
  const url = target.functions[name];
  if (!url) {
    throw new LabError(
      `The stack deployed no function ${name}.`,
      "It belongs to functions/stack.yml, which the stack `local` names.",
    );
  }
  return url;
}

function samplePicture(lab: Lab): { name: string; data: Buffer } {
  const folder = join(lab.cloneDir, "functions", "resize-image", "testdata");
  const name = readdirSync(folder)
    .sort()
    .find((file) => /\.(jpe?g|png)$/.test(file));
  if (!name) throw new LabError(`There is no picture in ${folder}.`, "Restore it from git.");
  return { name, data: readFileSync(join(folder, name)) };
}

/** One call that has to answer 2xx. A function that has only just been deployed is given a few more chances. */
async function call(name: string, url: string, options: CallOptions): Promise<Answer> {
  let last = "";
  return waitFor(
    async () => {
      try {
        const answer = await send(url, options);
        if (answer.status >= 200 && answer.status < 300) return answer;
        last = `${answer.status} ${answer.body.toString().slice(0, 200)}`;
        // Anything but "not there yet" is an answer, and asking again does not change it.
        if (![404, 500, 502, 503, 504].includes(answer.status))
          throw new LabError(`${name} answered ${last} (${url}).`);
      } catch (error) {
        if (error instanceof LabError) throw error;
        last = (error as Error).message;
      }
      return false;
    },
    { what: `${name} to answer at ${url}`, limitMs: CALL_LIMIT_MS, everyMs: 1000, seen: () => last },
  );
}

function checkPicture(name: string, body: Buffer): string {
  const picture = readPng(body);
  if ("wrong" in picture) throw new LabError(`The answer of ${name} is not a PNG: ${picture.wrong}.`);
  if (picture.width !== WANTED.width || picture.height !== WANTED.height) {
    throw new LabError(
      `${name} was asked for ${WANTED.width}x${WANTED.height} and answered ${picture.width}x${picture.height}.`,
    );
  }
  return `${picture.width}x${picture.height}`;
}

async function callAsync(
  lab: Lab,
  docker: Docker,
  target: Target,
  upload: CallOptions,
  progress: Progress,
): Promise<void> {
  const name = "resize-image";
  const url = functionUrl(target, name).replace("/function/", "/async-function/") + QUERY;
  const listener = await listen(await gatewayAddress(lab, docker));
  try {
    const reachable = await canReach(lab, docker, listener.url);
    const before = reachable ? 0 : await settledCount(target, name);
    const headers = { ...upload.headers, ...(reachable ? { "X-Callback-Url": listener.url } : {}) };
    const started = Date.now();
    const accepted = await send(url, { ...upload, headers });
    const id = accepted.headers["x-call-id"];
    if (accepted.status !== 202 || typeof id !== "string") {
      const body = accepted.body.toString().slice(0, 200);
      throw new LabError(
        `The asynchronous call of ${name} was answered ${accepted.status} ${body}, not 202 with an X-Call-Id.`,
      );
    }
    progress.say(`asynchronous ${name}: 202 accepted, X-Call-Id ${id}`);
    if (reachable) {
      const callback = await within(listener.callback, ASYNC_LIMIT_MS, `the callback of call ${id}`);
      if (callback.headers["x-call-id"] !== id) {
        throw new LabError(`The callback is about call ${String(callback.headers["x-call-id"])}, not ${id}.`);
      }
      const size = checkPicture(`${name} (asynchronously)`, callback.body);
      progress.say(`asynchronous ${name}: called back with ${size} after ${seconds(Date.now() - started)}`);
    } else {
      await waitFor(async () => (await invocations(target, name)) > before, {
        what: `the gateway to count the asynchronous call of ${name}`,
        limitMs: ASYNC_LIMIT_MS,
        everyMs: 2000,
      });
      progress.say(
        `asynchronous ${name}: executed, says the gateway's count (the host cannot reach this machine for a callback)`,
      );
    }
  } finally {
    listener.close();
  }
}

/** A firewall on the machine may keep the host from calling back. */
async function canReach(lab: Lab, docker: Docker, url: string): Promise<boolean> {
  const command = ["curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", url];
  return (await execute(docker.getContainer(lab.container), command)).trim() === "204";
}

/** The count comes from Prometheus, a few seconds late: it has settled once it stays the same over two scrapes. */
async function settledCount(target: Target, name: string): Promise<number> {
  let last = -1;
  return waitFor(
    async () => {
      const count = await invocations(target, name);
      const settled = count === last ? { count } : undefined;
      last = count;
      return settled;
    },
    { what: `the count of calls of ${name} to settle`, limitMs: 60_000, everyMs: 12_000 },
  ).then((settled) => settled.count);
}

async function invocations(target: Target, name: string): Promise<number> {
  const authorization = Buffer.from(`${target.user}:${target.password}`).toString("base64");
  const answer = await send(`${target.url}/system/functions`, {
    headers: { Authorization: `Basic ${authorization}` },
  });
  if (answer.status !== 200) throw new LabError(`/system/functions answered ${answer.status}.`);
  const all = JSON.parse(answer.body.toString()) as { name: string; invocationCount?: number }[];
  return all.find((item) => item.name === name)?.invocationCount ?? 0;
}

function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new LabError(`Waited ${limitMs / 1000} s for ${what}.`)), limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

interface CallOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer;
}

/** One HTTP request. The lab's front door is plain HTTP on loopback. */
export function send(url: string, options: CallOptions, limitMs = CALL_LIMIT_MS): Promise<Answer> {
  const started = Date.now();
  return new Promise((done, fail) => {
    const headers = {
      ...options.headers,
      ...(options.body ? { "Content-Length": String(options.body.length) } : {}),
    };
    const out = request(url, { method: options.method ?? "GET", headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          milliseconds: Date.now() - started,
        });
      });
    });
    out.setTimeout(limitMs, () => out.destroy(new Error(`no answer within ${limitMs / 1000} s`)));
    out.on("error", fail);
    out.end(options.body);
  });
}

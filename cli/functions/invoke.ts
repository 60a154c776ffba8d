/** `oslo-faas functions invoke`: a call through the front door, as the outside makes it; asynchronously it waits for the answer as well. */
import * as fs from "node:fs";
import { listen, type Listener } from "../../lab/listener";
import { command } from "../../shared/quote";
import type { Session } from "../../providers/host/src/session";
import { onHost, readOne } from "./one";
import type { Where } from "../environment";

export interface InvokeOptions extends Where {
  /** Text, @FILE, or "-" for standard input. Default: no body. */
  data?: string;
  /** "Name: value", each. */
  headers: string[];
  /** Default: POST with a body, else GET. */
  method?: string;
  /** Behind the function's own: "/sub/path?query". Default: none. */
  path: string;
  async: boolean;
  /** For the answer. */
  timeoutSeconds: number;
  /** The answer's body. */
  write: (body: Buffer) => void;
  /** About the call: to standard error. */
  say: (line: string) => void;
}

/** @returns whether the function answered with a status below 400 */
export async function invoke(name: string, options: InvokeOptions): Promise<boolean> {
  const { environment, url } = readOne(name, options);
  const target = `${url}${options.path}`;
  if (!options.async) {
    const started = Date.now();
    return answered(await call(target, options), started, options);
  }
  return onHost(environment, options.root, (session) => callAsync(name, target, session, options));
}

async function call(
  url: string,
  { data, headers, method, timeoutSeconds }: InvokeOptions,
): Promise<Response> {
  const body = data === undefined ? undefined : bodyOf(data);
  const given = new Headers();
  for (const line of headers) {
    const [, key, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (!key) throw new Error(`"${line}" is not a header: write it as "Name: value".`);
    given.append(key, value!);
  }
  try {
    return await fetch(url, {
      method: method ?? (body ? "POST" : "GET"),
      headers: given,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
  } catch (error) {
    const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new Error(`${url} does not answer: ${reason}`, { cause: error });
  }
}

function bodyOf(data: string): Buffer {
  if (data === "-") return fs.readFileSync(0);
  return data.startsWith("@") ? fs.readFileSync(data.slice(1)) : Buffer.from(data);
}

async function answered(response: Response, started: number, options: InvokeOptions): Promise<boolean> {
  options.write(Buffer.from(await response.arrayBuffer()));
  options.say(`${response.status} ${response.statusText} in ${Date.now() - started} ms`);
  return response.status < 400;
}

async function callAsync(
  name: string,
  url: string,
  session: Session,
  options: InvokeOptions,
): Promise<boolean> {
  const { say, write, timeoutSeconds } = options;
  const listener = await receiver(session);
  const headers = [...options.headers, ...(listener ? [`X-Callback-Url: ${listener.url}`] : [])];
  try {
    const started = Date.now();
    const accepted = await call(url.replace("/function/", "/async-function/"), { ...options, headers });
    if (accepted.status !== 202) return await answered(accepted, started, options);
    say(`202 Accepted, call ${accepted.headers.get("x-call-id")}`);
    if (!listener) {
      say(
        `The host cannot reach this machine, so the answer of ${name} is not shown here: \`oslo-faas functions logs ${name} -s ${options.stack}\`.`,
      );
      return true;
    }
    const limit = new Promise<never>((_, fail) =>
      setTimeout(
        () =>
          fail(
            new Error(
              `${name} has not answered in ${timeoutSeconds} s; the call stays in the queue: \`oslo-faas status ${options.stack}\`.`,
            ),
          ),
        timeoutSeconds * 1000,
      ).unref(),
    );
    const { headers: told, body } = await Promise.race([listener.callback, limit]);
    write(body);
    say(`${String(told["x-function-status"])} after ${Date.now() - started} ms`);
    return Number(told["x-function-status"]) < 400;
  } finally {
    listener?.close();
  }
}

/** Listens where the host can call this machine, which is the address that it sees this machine at, unless a router is between them. */
async function receiver(session: Session): Promise<Listener | undefined> {
  const step = "look whether the host can call this machine";
  const { stdout } = await session.run('printf %s "${SSH_CONNECTION:-}"', { step, root: false });
  const address = stdout.split(" ")[0];
  if (!address) return undefined;
  const listener = await listen(address).catch(() => undefined);
  if (!listener) return undefined;
  const ask = command("curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", listener.url);
  const asked = await session.run(ask, { step, root: false, allow: "any", timeoutSeconds: 15 });
  if (asked.stdout.trim() === "204") return listener;
  listener.close();
  return undefined;
}

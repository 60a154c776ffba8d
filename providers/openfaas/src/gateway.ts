/**
 * HTTP to the OpenFaaS gateway of a host, over the SSH connection that is there anyway: the gateway listens on the host's loopback
 * alone, and nothing has to be opened for a deployment.
 */
import * as http from "node:http";
import { HostError, type Session } from "../../host/src/session";

export interface GatewayAccess {
  host: string;
  port: number;
  username: string;
  /** Secret: in a header, and in no message. */
  password: string;
}

export interface Answer {
  status: number;
  body: string;
  /** Of `steadily`: there was an attempt before this one, which may have taken effect though its answer was lost. */
  repeated?: boolean;
}

/** Larger than any list of functions or lines of logs that a gateway answers. */
const MAX_BODY = 4 * 1024 * 1024;

export class Gateway {
  constructor(
    private readonly session: Session,
    private readonly access: GatewayAccess,
  ) {}

  private get name(): string {
    return `the gateway at ${this.access.host}:${this.access.port} of ${this.session.name}`;
  }

  fail(step: string, message: string, remedy?: string, output?: string): never {
    throw new HostError(message, { host: this.session.name, step, remedy, output });
  }

  /** One request on its own channel. Rejects without an answer within `seconds`. Any status is an answer. */
  async request(method: string, path: string, body?: object, seconds = 60): Promise<Answer> {
    const deadline = AbortSignal.timeout(seconds * 1000);
    const late = new Promise<never>((_resolve, reject) => {
      deadline.addEventListener(
        "abort",
        () => reject(new Error(`no answer to ${method} ${path} within ${seconds} s`)),
        { once: true },
      );
    });
    return Promise.race([this.send(method, path, body, deadline), late]);
  }

  private async send(
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { host, port, username, password } = this.access;
    const stream = await this.session.forward(host, port);
    // The request may be over before the stream is: an error that comes later has nobody to go to.
    stream.on("error", () => undefined);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const request = http.request(
          {
            createConnection: () => stream,
            method,
            path,
            signal,
            headers: {
              Host: `${host}:${port}`,
              Connection: "close",
              Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
              ...(payload === undefined
                ? {}
                : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload) }),
            },
          },
          (response) => collect(response, resolve, reject),
        );
        request.on("error", reject);
        request.end(payload);
      });
    } finally {
      stream.destroy();
    }
  }

  /**
   * Waits until the gateway and its provider answer: it may just have been rolled. After `seconds` an error says what the last
   * attempt met.
   */
  async waitReady(seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let last = "";
    while (Date.now() < deadline) {
      try {
        const { status, body } = await this.request("GET", "/healthz", undefined, 10);
        if (status === 200) return;
        last = `it answered ${status} ${body.trim().slice(0, 200)}`;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await sleep(1000);
    }
    this.fail(
      "wait for the gateway",
      `${this.name} was not ready within ${seconds} s: ${last}`,
      "see docker service ps for the gateway and the provider on the host",
    );
  }

  /** As `request`, and tries again for `seconds` where the gateway or its provider is on its way up (502 to 504, no connection, nobody behind it). */
  async steadily(method: string, path: string, body?: object, seconds = 30): Promise<Answer> {
    const deadline = Date.now() + seconds * 1000;
    for (let repeated = false; ; repeated = true) {
      let problem: unknown;
      try {
        // Room for two: what waits for something in the provider is not cut off, and what was lost is asked for again.
        const answer = await this.request(method, path, body, Math.max(30, seconds / 2));
        if (answer.status === 401)
          this.fail(
            `${method} ${path}`,
            `${this.name} refuses the user ${this.access.username} (401)`,
            "give the password that the gateway runs with: the secret basic-auth-password of the swarm",
          );
        if (!passes(answer)) return { ...answer, repeated };
        problem = new Error(`${answer.status} ${answer.body.trim().slice(0, 300)}`);
      } catch (error) {
        // The host itself is not to blame where only nothing listens on the gateway's port yet.
        if (error instanceof HostError && !error.details.step.startsWith("reach ")) throw error;
        problem = error;
      }
      if (Date.now() >= deadline) {
        const message = problem instanceof Error ? problem.message : String(problem);
        this.fail(
          `${method} ${path}`,
          `${this.name} did not answer ${method} ${path} within ${seconds} s: ${message}`,
        );
      }
      await sleep(1000);
    }
  }
}

/**
 * True for an answer that says "not yet". The stock gateway answers 500 with Go's own words where what it asks itself, the basic-auth
 * plugin, cannot be reached: so it is for some seconds after a host was paused or booted.
 */
function passes({ status, body }: Answer): boolean {
  return [502, 503, 504].includes(status) || (status === 500 && /\bdial tcp\b/.test(body));
}

export const query = (wanted: { namespace?: string }): string =>
  wanted.namespace ? `?namespace=${encodeURIComponent(wanted.namespace)}` : "";

export const isDone = ({ status: code }: Answer): boolean => code >= 200 && code <= 299;

/** Asks again for so many seconds while the provider refuses (409): another update is under way, that of a secret for one. */
export async function unlessBusy(seconds: number, ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + seconds * 1000;
  let answer = await ask();
  for (; answer.status === 409 && Date.now() < deadline; answer = await ask()) await sleep(1000);
  return answer;
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

function collect(
  response: http.IncomingMessage,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY) reject(new Error(`an answer of more than ${MAX_BODY} bytes`));
    else chunks.push(chunk);
  });
  response.on("end", () =>
    resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
  );
  response.on("error", reject);
}

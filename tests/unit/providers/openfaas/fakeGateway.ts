/** A gateway of OpenFaaS as far as a deployment sees it, over real HTTP: functions in memory, and a script of what goes wrong. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { FunctionStatus } from "../../../../providers/openfaas/src/resources/functionSpec";

export interface Call {
  method: string;
  path: string;
  body: Record<string, any> | undefined;
}

export class FakeGateway {
  readonly functions = new Map<string, FunctionStatus>();
  readonly calls: Call[] = [];
  /** Values by name; they never come out. */
  readonly secrets = new Map<string, string>();
  /** Answers to give before anything else: [status, body]. */
  troubles: [number, string][] = [];
  /** So many changes take effect though their answers are lost on the way: the client sees a gateway that is being rolled. */
  lost = 0;
  /** How a deployed function comes up: how many replicas answer. */
  comesUpWith = (status: FunctionStatus): number => status.replicas ?? 0;
  private server?: http.Server;

  constructor(private readonly password: string) {}

  async start(): Promise<number> {
    this.server = http.createServer((request, response) => void this.answer(request, response));
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server?.close(resolve));
  }

  calledWith(method: string, path: string): Call | undefined {
    return this.calls.find((call) => call.method === method && call.path.startsWith(path));
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { method = "", url = "" } = request;
    const body = text === "" ? undefined : (JSON.parse(text) as Record<string, any>);
    this.calls.push({ method, path: url, body });
    let [status, answer] = this.troubles.shift() ?? this.route(request, method, url, body);
    if (method !== "GET" && this.lost > 0) {
      this.lost--;
      [status, answer] = [502, "rolling"];
    }
    response.writeHead(status, { "Content-Type": "application/json" }).end(answer);
  }

  private route(
    request: http.IncomingMessage,
    method: string,
    url: string,
    body: Record<string, any> | undefined,
  ): [number, string] {
    const path = url.split("?")[0]!;
    if (path === "/healthz") return [200, "OK"];
    const wanted = `Basic ${Buffer.from(`admin:${this.password}`).toString("base64")}`;
    if (request.headers.authorization !== wanted) return [401, "unauthorized"];
    if (path.startsWith("/system/function/")) {
      const found = this.functions.get(path.slice("/system/function/".length));
      return found
        ? [200, JSON.stringify({ ...found, availableReplicas: this.comesUpWith(found) })]
        : [404, "not found"];
    }
    if (path.startsWith("/system/scale-function/")) {
      const found = this.functions.get(path.slice("/system/scale-function/".length));
      if (found) found.replicas = body?.replicas as number;
      return [202, ""];
    }
    if (path === "/system/secrets") return this.secret(method, body ?? {});
    if (path === "/system/functions" && (method === "POST" || method === "PUT"))
      return this.deploy(method, body ?? {});
    if (path === "/system/functions" && method === "DELETE") {
      return this.functions.delete(String(body?.functionName)) ? [202, ""] : [404, "not found"];
    }
    return [404, "no such route"];
  }

  private secret(method: string, { name, value }: Record<string, any>): [number, string] {
    if (method === "GET")
      return [200, JSON.stringify([...this.secrets.keys()].map((one) => ({ name: one })))];
    if (method === "POST" && this.secrets.has(name as string))
      return [409, `secret ${name} is there already`];
    if (method !== "POST" && !this.secrets.has(name as string)) return [404, `No such secret: ${name}`];
    if (method === "DELETE") this.secrets.delete(name as string);
    else this.secrets.set(name as string, value as string);
    return [method === "POST" ? 201 : 200, ""];
  }

  private deploy(method: string, body: Record<string, any>): [number, string] {
    const { service, envVars, labels, ...rest } = body;
    const old = this.functions.get(service as string);
    if (old && method === "POST") return [400, `Deployment error: function ${service} is there already`];
    this.functions.set(service as string, {
      replicas: 1,
      ...(old ? { replicas: old.replicas } : {}),
      ...rest,
      name: service as string,
      envVars,
      // What a provider adds by itself.
      labels: { ...labels, "com.openfaas.function": service as string },
    });
    return [202, ""];
  }
}

/** A Docker API on a unix socket that keeps services, tasks and secrets, and remembers what it was asked. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];

  body: any;
}

type Answer = { status: number; body?: unknown; stream?: Readable } | "silence";

export class FakeEngine {
  readonly socket: string;
  readonly asked: Asked[] = [];
  apiVersion = "1.41";
  minApiVersion = "1.12";
  /** First chance to answer; undefined leaves it to the rest. */
  intercept?: (asked: Asked) => Answer | undefined;

  services: any[] = [];
  tasks: object[] = [];

  secrets: any[] = [];
  private nextSecret = 1;
  private readonly dir = mkdtempSync(join(tmpdir(), "fake-engine-"));
  private readonly server: Server;

  constructor() {
    this.socket = join(this.dir, "docker.sock");
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(this.socket, done));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
    rmSync(this.dir, { recursive: true, force: true });
  }

  addService(name: string, spec: object = {}): void {
    const Labels = { "com.openfaas.function": name, function: "true" };
    const base = {
      Name: name,
      Labels,
      Mode: { Replicated: { Replicas: 1 } },
      TaskTemplate: { ContainerSpec: { Image: "a:1" } },
    };
    const CreatedAt = "2026-01-01T00:00:00Z";
    this.services.push({ ID: `id-${name}`, Version: { Index: 5 }, CreatedAt, Spec: { ...base, ...spec } });
  }

  /** The last call to a path that ends so. */
  lastAsked(end: string): Asked {
    return this.asked.filter(({ path }) => path.endsWith(end)).at(-1)!;
  }

  /** What changed something. */
  changes(): string[] {
    return this.asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url!, "http://engine");
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text ? JSON.parse(text) : undefined;
    const asked = {
      method: request.method!,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.asked.push(asked);
    const answer: Answer = this.intercept?.(asked) ?? this.answer(asked);
    if (answer === "silence") return;
    if (answer.stream) {
      response.writeHead(answer.status).flushHeaders();
      answer.stream.pipe(response).once("close", () => answer.stream?.destroy());
      return;
    }
    if (Buffer.isBuffer(answer.body)) return void response.writeHead(answer.status).end(answer.body);
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.body ?? {}));
  }

  private updateService(id: string, spec: object) {
    const service = this.services.find(({ ID }) => ID === id);
    if (!service) return { status: 404, body: { message: `service ${id} not found` } };
    service.PreviousSpec = service.Spec;
    service.Spec = spec;
    service.Version = { Index: service.Version.Index + 1 };
    return { status: 200, body: {} };
  }

  private createSecret(spec: { Name: string; Labels: object }) {
    if (this.secrets.some(({ Spec }) => Spec.Name === spec.Name))
      return { status: 409, body: { message: `code = AlreadyExists desc = secret ${spec.Name}` } };
    const ID = `secret-${this.nextSecret++}`;
    this.secrets.push({ ID, Spec: { Name: spec.Name, Labels: spec.Labels } });
    return { status: 201, body: { ID } };
  }

  /** As Swarm does it: what a service's spec names stays. */
  private removeSecret(id: string) {
    const user = this.services.find(({ Spec }) =>
      Spec.TaskTemplate?.ContainerSpec?.Secrets?.some(
        ({ SecretID }: { SecretID: string }) => SecretID === id,
      ),
    );
    if (user)
      return {
        status: 400,
        body: { message: `code = InvalidArgument desc = secret is in use by the service ${user.Spec.Name}` },
      };
    this.secrets = this.secrets.filter(({ ID }) => ID !== id);
    return { status: 204 };
  }

  private answer({ method, path, query, body }: Asked): { status: number; body?: unknown } {
    const filters = JSON.parse(query.get("filters") ?? "{}") as Record<string, string[]>;
    const route = `${method} ${path.replace(/^\/v[\d.]+/, "")}`;
    if (route === "GET /version")
      return { status: 200, body: { ApiVersion: this.apiVersion, MinAPIVersion: this.minApiVersion } };
    if (route === "GET /_ping") return { status: 200, body: "OK" };
    if (route === "GET /services") {
      const matches = this.services.filter(
        ({ Spec }) =>
          (filters.name ?? [""]).some((name) => Spec.Name.startsWith(name)) &&
          (filters.label ?? []).every((label) => label in Spec.Labels),
      );
      return { status: 200, body: matches };
    }
    if (route === "GET /tasks") return { status: 200, body: this.tasks };
    if (route === "GET /secrets") return { status: 200, body: this.secrets };
    if (route === "POST /services/create") return { status: 201, body: { ID: "new" } };
    const updated = /^POST \/services\/([^/]+)\/update$/.exec(route)?.[1];
    if (updated) return this.updateService(updated, body);
    if (route.startsWith("DELETE /services/")) {
      this.services = this.services.filter(({ ID }) => !route.endsWith(ID));
      return { status: 200 };
    }
    if (route === "POST /secrets/create") return this.createSecret(body);
    if (route.startsWith("DELETE /secrets/"))
      return this.removeSecret(route.slice("DELETE /secrets/".length));
    return { status: 404, body: { message: `page not found: ${route}` } };
  }
}

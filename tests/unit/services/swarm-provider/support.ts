/** The provider over real connections, before an engine that is not one. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { buildApp, type AppParts } from "../../../../services/swarm-provider/src/app";
import { readConfig } from "../../../../services/swarm-provider/src/config";
import { FakeEngine } from "./fakeEngine";

const authorization = `Basic ${Buffer.from("admin:pw").toString("base64")}`;

export class Provider {
  private constructor(
    readonly engine: FakeEngine,
    readonly app: FastifyInstance,
    readonly url: string,
  ) {}

  static async start(env: Record<string, string> = {}, parts: AppParts = {}): Promise<Provider> {
    const engine = await new FakeEngine().start();
    const config = readConfig({
      docker_socket: engine.socket,
      docker_timeout: "10s",
      delete_timeout: "100ms",
      ...env,
    });
    const credentials = { user: "admin", password: "pw" };
    const app = buildApp({ ...config, logLevel: "silent", credentials }, parts);
    await app.listen({ host: "127.0.0.1", port: 0 });
    return new Provider(engine, app, `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.engine.stop();
  }

  async call(method: string, path: string, payload?: object | string, headers: Record<string, string> = {}) {
    const body = payload === undefined || typeof payload === "string" ? payload : JSON.stringify(payload);
    const answer = await fetch(this.url + path, { method, body, headers: { authorization, ...headers } });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) };
  }
}

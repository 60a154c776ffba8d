/**
 * Every endpoint of the provider's API, as OpenFaaS's own clients call it, in the order of a function's life. faas-cli itself cannot be
 * had as a module; the calls that its commands make (its package proxy) are named here, with the answers that it takes for success.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import * as shapes from "./shapes";

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Contract {
  call(
    method: string,
    path: string,
    options?: { body?: unknown; auth?: boolean; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Image of a function that answers every method on / and GET /_/health with 200. */
  image: string;
  namespace: string;
  /** Through the stock gateway, which adds to some answers, or straight to the provider. */
  through: "gateway" | "provider";
}

interface Call {
  /** Who calls so, or what it shows. */
  by: string;
  method: string;
  path: string;
  body?: unknown;
  /** Any of them; the first is the usual one. */
  status: number[];
  shape?: z.ZodType;
  /** What has to be true of the answer besides. */
  check?: (answer: Answer) => void;
  /** Waits for this before the call. */
  after?: (contract: Contract) => Promise<void>;
}

const NAME = "contract-check";
const SECRET = "contract-secret";

export function calls({ image, namespace, through }: Contract): Call[] {
  const system = "/system";
  const deployment = {
    service: NAME,
    image,
    namespace,
    envProcess: "unused",
    envVars: { colour: "blue" },
    constraints: [],
    secrets: [SECRET],
    labels: { team: "web", "com.openfaas.scale.max": "3" },
    annotations: {
      topic: "orders",
      "com.openfaas.health.http.path": "/_/health",
      "com.openfaas.health.http.periodSeconds": "1",
    },
    limits: { memory: "128Mi" },
    readOnlyRootFilesystem: false,
  };
  const info = through === "gateway" ? shapes.gatewayInfo : shapes.providerInfo;
  const life: Call[] = [
    { by: "health", method: "GET", path: "/healthz", status: [200] },
    {
      by: "faas-cli login",
      method: "GET",
      path: `${system}/functions`,
      status: [200],
      shape: shapes.functionList,
    },
    { by: "faas-cli version", method: "GET", path: `${system}/info`, status: [200], shape: info },
    {
      by: "faas-cli namespaces",
      method: "GET",
      path: `${system}/namespaces`,
      status: [200],
      shape: shapes.namespaces,
    },
    {
      by: "faas-cli secret create",
      method: "POST",
      path: `${system}/secrets`,
      body: { name: SECRET, namespace, value: "one" },
      status: [201, 200, 202],
    },
    {
      by: "faas-cli secret create, of one that is there",
      method: "POST",
      path: `${system}/secrets`,
      body: { name: SECRET, namespace, value: "one" },
      status: [409],
    },
    {
      by: "faas-cli secret list",
      method: "GET",
      path: `${system}/secrets?namespace=${namespace}`,
      status: [200],
      shape: shapes.secretList,
      check: ({ text }) => expect(JSON.parse(text)).toContainEqual({ name: SECRET, namespace }),
    },
    {
      by: "faas-cli deploy (tries an update first)",
      method: "PUT",
      path: `${system}/functions`,
      body: deployment,
      status: [404],
    },
    {
      by: "faas-cli deploy",
      method: "POST",
      path: `${system}/functions`,
      body: deployment,
      status: [202, 200, 201],
    },
    {
      by: "faas-cli deploy, of an invalid deployment",
      method: "POST",
      path: `${system}/functions`,
      body: { image: "" },
      status: [400],
    },
    {
      by: "faas-cli describe",
      method: "GET",
      path: `${system}/function/${NAME}?namespace=${namespace}&usage=true`,
      status: [200],
      shape: shapes.functionStatus,
      after: available(1),
      check: ({ text }) => {
        const { service, ...sent } = deployment;
        expect(JSON.parse(text)).toMatchObject({ name: service, ...sent, replicas: 1, availableReplicas: 1 });
      },
    },
    {
      by: "faas-cli list",
      method: "GET",
      path: `${system}/functions?namespace=${namespace}`,
      status: [200],
      shape: shapes.functionList,
      check: ({ text }) =>
        expect(JSON.parse(text).map((each: { name: string }) => each.name)).toContain(NAME),
    },
    ...(["GET", "POST", "PUT", "PATCH", "DELETE"] as const).map((method) => ({
      by: "invoke with each method",
      method,
      path: `/function/${NAME}`,
      status: [200],
    })),
    {
      by: "faas-cli invoke, by namespace",
      method: "POST",
      path: `/function/${NAME}.${namespace}`,
      body: "x",
      status: [200],
    },
    ...(through === "gateway"
      ? [
          {
            by: "faas-cli invoke --async",
            method: "POST",
            path: `/async-function/${NAME}`,
            body: "x",
            status: [202],
            check: ({ headers }: Answer) => expect(headers["x-call-id"]).toMatch(/^\S{8,}$/),
          },
        ]
      : []),
    {
      by: "faas-cli logs --tail=false --lines",
      method: "GET",
      path: `${system}/logs?name=${NAME}&namespace=${namespace}&tail=5&follow=false`,
      status: [200],
      check: ({ text }) => {
        for (const line of text.split("\n").filter(Boolean)) shapes.logEntry.parse(JSON.parse(line));
      },
    },
    {
      by: "the gateway's scaler",
      method: "POST",
      path: `${system}/scale-function/${NAME}`,
      body: { serviceName: NAME, namespace, replicas: 2 },
      status: [202, 200],
    },
    {
      by: "faas-cli secret update, of one in use",
      method: "PUT",
      path: `${system}/secrets`,
      body: { name: SECRET, namespace, value: "two" },
      status: [200, 202],
      after: available(2),
    },
    {
      by: "faas-cli deploy (an update)",
      method: "PUT",
      path: `${system}/functions`,
      body: { ...deployment, secrets: [], envVars: { colour: "green" } },
      status: [202, 200],
    },
    {
      by: "faas-cli describe, after the update",
      method: "GET",
      path: `${system}/function/${NAME}`,
      status: [200],
      shape: shapes.functionStatus,
      check: ({ text }) =>
        expect(JSON.parse(text)).toMatchObject({ envVars: { colour: "green" }, replicas: 2 }),
    },
    {
      by: "faas-cli remove",
      method: "DELETE",
      path: `${system}/functions`,
      body: { functionName: NAME, namespace },
      status: [200, 202],
    },
    {
      by: "faas-cli secret remove",
      method: "DELETE",
      path: `${system}/secrets`,
      body: { name: SECRET, namespace },
      status: [200, 202],
    },
  ];
  // The gateway says of logs that it has not that they are not implemented.
  const absent: Call[] = [
    { by: "faas-cli describe", method: "GET", path: `${system}/function/absent`, status: [404] },
    {
      by: "faas-cli remove",
      method: "DELETE",
      path: `${system}/functions`,
      body: { functionName: "absent" },
      status: [404],
    },
    {
      by: "the gateway's scaler",
      method: "POST",
      path: `${system}/scale-function/absent`,
      body: { serviceName: "absent", replicas: 1 },
      status: [404],
    },
    {
      by: "faas-cli logs",
      method: "GET",
      path: `${system}/logs?name=absent`,
      status: [through === "gateway" ? 501 : 404],
    },
    {
      by: "faas-cli secret update",
      method: "PUT",
      path: `${system}/secrets`,
      body: { name: "absent", value: "x" },
      status: [404],
    },
    {
      by: "faas-cli secret remove",
      method: "DELETE",
      path: `${system}/secrets`,
      body: { name: "absent" },
      status: [404],
    },
    { by: "faas-cli invoke", method: "POST", path: "/function/absent", body: "x", status: [404] },
  ].map((call) => ({ ...call, by: `${call.by}, of nothing` }));
  return [...life, ...absent];
}

/** Makes every call, and every one of the management API once without credentials. Throws at the first that is not as it should be. */
export async function checkContract(contract: Contract): Promise<number> {
  const table = calls(contract);
  for (const { by, method, path, body, status, shape, check, after } of table) {
    await after?.(contract);
    const answer = await contract.call(method, path, { body, auth: true });
    const what = `${by}: ${method} ${path}`;
    if (!status.includes(answer.status))
      throw new Error(`${what}: ${answer.status}, wanted ${status.join(" or ")}\n${answer.text}`);
    const parsed = shape?.safeParse(JSON.parse(answer.text));
    if (parsed && !parsed.success) throw new Error(`${what}: ${parsed.error.message}\n${answer.text}`);
    check?.(answer);
  }
  for (const { method, path, body } of table.filter((call) => call.path.startsWith("/system"))) {
    const { status } = await contract.call(method, path, { body, auth: false });
    if (status !== 401) throw new Error(`${method} ${path} without credentials: ${status}, wanted 401`);
  }
  return table.length;
}

function available(replicas: number) {
  return async ({ call }: Contract) => {
    for (let i = 0; i < 300; i++) {
      const { text, status } = await call("GET", `/system/function/${NAME}`, { auth: true });
      if (status === 200 && JSON.parse(text).availableReplicas === replicas) return;
      await sleep(200);
    }
    throw new Error(`${NAME} had no ${replicas} replicas within a minute`);
  };
}

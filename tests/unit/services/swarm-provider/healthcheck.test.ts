import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDeployment } from "../../../../services/swarm-provider/src/deployment";
import { readHealthCheck } from "../../../../shared/health";
import { installProbe, probeName } from "../../../../services/swarm-provider/src/probe";
import binaries from "../../../../shared/probeBinaries.json";
import { renderSpec } from "../../../../services/swarm-provider/src/spec";
import { Provider } from "./support";

const HEALTH = "com.openfaas.health.http.";
const READY = "com.openfaas.ready.http.";

function render(annotations: Record<string, string>, more: object = {}) {
  const deployment = parseDeployment({ service: "f", image: "a:1", annotations, ...more }, "openfaas-fn");
  const context = { network: "openfaas-fn", secrets: {}, stopGraceMs: 1000 };
  const spec = renderSpec(deployment, { ...context, probe: { volume: "probes", port: 8080 } });
  return spec.TaskTemplate.ContainerSpec as any;
}

describe("a deployment", () => {
  test("without annotations keeps the image's own check", () => {
    expect(render({})).not.toHaveProperty("HealthCheck");
    expect(render({})).not.toHaveProperty("Mounts");
    expect(render({ "com.openfaas.health.tcp": "false" })).not.toHaveProperty("HealthCheck");
  });

  test("with a path is asked for it by the program in the volume", () => {
    const container = render({ [`${HEALTH}path`]: "/_/health" }, { readOnlyRootFilesystem: true });
    expect(container.HealthCheck).toEqual({
      Test: ["CMD", `/var/openfaas/probe/${probeName()}`, "8080", "1", "/_/health", "84", "2000"],
      Interval: 2e9,
      Timeout: 89e9,
      Retries: 3,
      StartPeriod: 15e9,
      StartInterval: 0.5e9,
    });
    expect(container.Mounts.map((m: any) => [m.Type, m.Source, m.Target, m.ReadOnly])).toEqual([
      ["tmpfs", "", "/tmp", undefined],
      ["volume", "probes", "/var/openfaas/probe", true],
    ]);
  });

  test("takes times in OpenFaaS's words, and health before readiness", () => {
    const annotations = {
      [`${READY}path`]: "/ready",
      [`${READY}initialDelaySeconds`]: "9",
      [`${HEALTH}path`]: "/health?deep=1",
      [`${HEALTH}initialDelay`]: "1m30s",
      [`${HEALTH}periodSeconds`]: "5",
      [`${HEALTH}timeoutSeconds`]: "4",
      [`${READY}failureThreshold`]: "7",
    };
    expect(readHealthCheck(annotations)).toEqual({
      path: "/health?deep=1",
      startMs: 90_000,
      periodMs: 5000,
      timeoutMs: 4000,
      failures: 7,
    });
  });

  test("may want an open port and nothing more", () => {
    const { HealthCheck } = render({ "com.openfaas.health.tcp": "true", [`${HEALTH}periodSeconds`]: "1" });
    expect(HealthCheck.Test.slice(2)).toEqual(["8080", "1", "-", "81", "1000"]);
  });

  test("with everything wrong is told all of it", () => {
    const annotations = {
      [`${HEALTH}path`]: "health",
      [`${HEALTH}periodSeconds`]: "soon",
      [`${HEALTH}timeoutSeconds`]: "0",
      [`${HEALTH}failureThreshold`]: "0",
      [`${READY}port`]: "1",
      "com.openfaas.health.tcp": "yes",
    };
    const refused = () => parseDeployment({ service: "f", image: "a:1", annotations }, "openfaas-fn");
    expect(refused).toThrow(
      [
        `annotations.${HEALTH}path: "health" is not a path such as /_/health`,
        `annotations.${HEALTH}periodSeconds: "soon" is not a time such as 5, 500ms or 1m`,
        `annotations.${HEALTH}timeoutSeconds: "0" is not a time such as 5, 500ms or 1m`,
        `annotations.${HEALTH}failureThreshold: "0" must be a whole number, 1 or more`,
      ].join("\n"),
    );
    expect(refused).toThrow(/ready\.http\.port: is not known.*\n.*health\.tcp: "yes" is neither/);
  });

  test("with any one of them is checked, at OpenFaaS's own path", () => {
    const defaults = { path: "/_/health", periodMs: 2000, timeoutMs: 1000, failures: 3, startMs: 15_000 };
    expect(readHealthCheck({ [`${HEALTH}initialDelay`]: "5s" })).toEqual({ ...defaults, startMs: 5000 });
    expect(readHealthCheck({ [`${READY}periodSeconds`]: "1" })).toEqual({ ...defaults, periodMs: 1000 });
    expect(readHealthCheck({ [`${READY}path`]: "/ready" })).toEqual({ ...defaults, path: "/ready" });
  });

  test("that the provider cannot check is refused, not accepted unchecked", async () => {
    const provider = await Provider.start();
    const body = { service: "f", image: "a:1", annotations: { [`${HEALTH}path`]: "/" } };
    const answer = await provider.call("POST", "/system/functions", body);
    await provider.stop();
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("probe_volume") });
  });
});

describe("the program", () => {
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  let server: Server;
  let port: number;
  let asked = 0;
  const seen = new Set<string>();

  beforeAll(async () => {
    installProbe(folder);
    server = createServer((request, response) => {
      asked++;
      const again = seen.has(request.url!);
      seen.add(request.url!);
      if (request.url === "/silent" || (again && request.url === "/once-silent")) return;
      response.statusCode = again && request.url === "/once" ? 500 : Number(request.url!.slice(1)) || 200;
      response.end(`${request.method} ${request.url} ${request.headers.host}`);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  function run(...args: string[]): Promise<number | NodeJS.Signals | null> {
    return new Promise((done) =>
      spawn(join(folder, probeName()), args, { env: {} }).on("exit", (code, signal) => done(code ?? signal)),
    );
  }

  test("is written once, whole, and can be run by everybody", () => {
    installProbe(folder);
    expect(readdirSync(folder)).toEqual([probeName()]);
    expect(statSync(join(folder, probeName())).mode & 0o777).toBe(0o755);
  });

  test("is small, static and there for both architectures", () => {
    // ELF for 64 bits; the machine is x86-64 (62) and AArch64 (183).
    const machines = Object.entries(binaries).map(([arch, text]) => {
      const elf = Buffer.from(text, "base64");
      expect(elf.length).toBeLessThan(3072);
      return [arch, elf.toString("latin1", 1, 4), elf[4], elf.readUInt16LE(18)];
    });
    expect(machines).toEqual([
      ["x64", "ELF", 2, 62],
      ["arm64", "ELF", 2, 183],
    ]);
    expect(() => probeName("mips")).toThrow("no health probe for mips");
  });

  test.each([
    ["/", 0],
    ["/200", 0],
    ["/302", 0],
    ["/399", 0],
    ["/404", 1],
    ["/503", 1],
  ])("asked for %s ends with %s", async (path, code) =>
    expect(await run(String(port), "5", path)).toBe(code),
  );

  test("wants a connection alone when it is given no path", async () => {
    expect(await run(String(port), "5")).toBe(0);
  });

  test("does not wait for ever", async () => {
    // Its read or its alarm: both are after a second.
    expect([1, "SIGALRM"]).toContain(await run(String(port), "1", "/silent"));
  });

  test("answers at once where the first process is younger than the time to stay", async () => {
    const before = asked;
    expect(await run(String(port), "5", "/", "4000000000", "1")).toBe(0);
    expect(asked - before).toBe(1);
  });

  test("stays and looks again, and ends well", async () => {
    const before = asked;
    expect(await run(String(port), "5", "/", "1", "50")).toBe(0);
    expect(asked - before).toBeGreaterThan(1);
  });

  test.each(["/once", "/once-silent"])(
    "leaves the failure that follows a success to the next check: %s",
    async (path) => {
      expect(await run(String(port), "1", path, "60", "10")).toBe(0);
      expect(await run(String(port), "1", path, "60", "10")).not.toBe(0);
    },
  );

  test("takes neither a closed port nor another protocol for health", async () => {
    const other = createTcpServer((socket) =>
      socket
        .on("error", () => undefined)
        .resume()
        .end("220 mail ready\r\n"),
    );
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const { port: busy } = other.address() as AddressInfo;
    expect(await run(String(busy), "5", "/")).not.toBe(0);
    await new Promise((done) => other.close(done));
    expect(await run(String(busy), "5", "/")).toBe(1);
    expect(await run(String(busy), "5")).toBe(1);
    expect(await run()).toBe(1);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAuthorized, registryAuth, registryOf } from "../../../../services/swarm-provider/src/auth";
import { ConfigError, readConfig } from "../../../../services/swarm-provider/src/config";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "provider-config-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("nothing set is a usable default", () => {
  expect(readConfig({})).toEqual({
    port: 8080,
    network: "openfaas-fn",
    gatewayMetrics: undefined,
    inactivityMs: 900_000,
    reconcileMs: 10_000,
    wakeTimeoutMs: 60_000,
    placementTimeoutMs: 30_000,
    probeFolder: "/probe",
    probeVolume: undefined,
    readTimeoutMs: 60_000,
    writeTimeoutMs: 60_000,
    dockerTimeoutMs: 30_000,
    deleteTimeoutMs: 15_000,
    shutdownTimeoutMs: 30_000,
    dockerSocket: "/var/run/docker.sock",
    functionPort: 8080,
    logLevel: "info",
    credentials: undefined,
  });
});

test("all mistakes are reported at once", () => {
  const env = {
    port: "70000",
    read_timeout: "soon",
    write_timeout: "0s",
    log_level: "loud",
    basic_auth: "perhaps",
  };
  expect(() => readConfig({ ...env, secret_mount_path: folder })).toThrow(ConfigError);
  const lines = messageOf(() => readConfig({ ...env, secret_mount_path: folder })).split("\n");
  expect(lines.map((line) => line.split(":")[0]).sort()).toEqual(
    ["basic_auth", "basic_auth", "basic_auth", "log_level", "port", "read_timeout", "write_timeout"].sort(),
  );
});

test("basic_auth without its files is an error, not an open door", () => {
  const env = { basic_auth: "true", secret_mount_path: folder };
  expect(messageOf(() => readConfig(env))).toContain(join(folder, "basic-auth-password"));
  writeFileSync(join(folder, "basic-auth-user"), "admin\n");
  writeFileSync(join(folder, "basic-auth-password"), "\n");
  expect(messageOf(() => readConfig(env))).toContain("is missing or empty");
  writeFileSync(join(folder, "basic-auth-password"), "pass:word\n");
  expect(readConfig(env).credentials).toEqual({ user: "admin", password: "pass:word" });
  expect(readConfig({ ...env, basic_auth: "false" }).credentials).toBeUndefined();
});

function messageOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("credentials", () => {
  const expected = { user: "admin", password: "pass:word" };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  test("the right ones are taken, with a colon in the password", () => {
    expect(isAuthorized(basic("admin:pass:word"), expected)).toBe(true);
    expect(isAuthorized(basic("admin:pass:word").replace("Basic", "basic"), expected)).toBe(true);
  });

  test.each([
    undefined,
    "",
    "Basic",
    "Basic !!!",
    "Bearer abc",
    basic("admin"),
    basic("admin:"),
    basic("admin:pass"),
    basic("admin:pass:wordx"),
    basic("Admin:pass:word"),
    basic(":pass:word"),
  ])("%j is refused", (header) => expect(isAuthorized(header, expected)).toBe(false));
});

describe("credentials of a registry", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  test("come from Docker's header", () => {
    const auth = { username: "u", password: "p", serveraddress: "reg.example" };
    expect(registryAuth(base64(JSON.stringify(auth)), undefined, "reg.example/a")).toEqual(auth);
    expect(registryAuth(base64("{}"), undefined, "a")).toBeUndefined();
    expect(() => registryAuth("canary", undefined, "a")).toThrow(
      "X-Registry-Auth: is not base64 of a JSON object",
    );
  });

  test("or from the deployment's field, for the image's registry", () => {
    expect(registryAuth(undefined, base64("u:p:q"), "reg.example:5000/a/b:1")).toEqual({
      username: "u",
      password: "p:q",
      serveraddress: "reg.example:5000",
    });
    expect(() => registryAuth(undefined, base64("canary"), "a")).toThrow(
      /^registryAuth: is not base64 of user:password$/,
    );
    expect(registryAuth(undefined, "", "a")).toBeUndefined();
  });

  test.each([
    ["hello:1", "https://index.docker.io/v1/"],
    ["team/hello", "https://index.docker.io/v1/"],
    ["ghcr.io/team/hello", "ghcr.io"],
    ["localhost/hello", "localhost"],
    ["host:5000/hello", "host:5000"],
  ])("%s is at %s", (image, registry) => expect(registryOf(image)).toBe(registry));
});

test("the gateway's metrics are an address, or said to be none", () => {
  const read = (gateway_metrics_url: string) => readConfig({ gateway_metrics_url }).gatewayMetrics;
  expect(String(read("http://gateway:8082/metrics"))).toBe("http://gateway:8082/metrics");
  expect(read("none")).toBe("none");
  expect(() => read("gateway:8082")).toThrow(/^gateway_metrics_url: "gateway:8082" is neither an address/);
});

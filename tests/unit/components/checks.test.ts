import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { renderCheckInput, renderCheckScript } from "../../../components/checks/render";

/** A front door of our own: it answers as the table says, and 401 where the login is wrong. */
async function frontDoor(
  routes: Record<string, number>,
  password: string,
): Promise<{ origin: string; close: () => void }> {
  const login = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
  const server = http.createServer((request, response) => {
    const guarded = request.url!.startsWith("/system/");
    response.statusCode =
      guarded && request.headers.authorization !== login ? 401 : (routes[request.url!] ?? 404);
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}

function run(script: string, input: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile("sh", ["-c", script], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

// A password with what a shell or curl could trip over.
const PASSWORD = `p"w\\'$x y`;
const routes = {
  "/healthz": 200,
  "/system/functions": 200,
  "/system/function/hello": 200,
  "/function/hello": 202,
};
const impatient = (script: string) => `CHECK_TRIES=1 CHECK_PAUSE=0\n${script}`;

test("passes when everything answers as wanted", async () => {
  const door = await frontDoor(routes, PASSWORD);
  const script = renderCheckScript({
    origin: door.origin,
    functions: ["hello"],
    checks: [{ path: "/function/hello", status: 202 }],
    services: [],
  });
  const result = await run(impatient(script), renderCheckInput("admin", PASSWORD));
  door.close();
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout.trim().split("\n")).toHaveLength(5);
});

test.each<[string, Record<string, number>, string, string]>([
  ["the platform is not healthy", { "/healthz": 502 }, PASSWORD, "/healthz answered 502, wanted 200"],
  [
    "a function is unknown",
    { "/system/function/hello": 404 },
    PASSWORD,
    "/system/function/hello answered 404, wanted 200",
  ],
  ["the password is wrong", {}, "other", "/system/functions answered 401, wanted 200"],
])("fails when %s, saying what came", async (_name, change, password, message) => {
  const door = await frontDoor({ ...routes, ...change }, PASSWORD);
  const script = renderCheckScript({ origin: door.origin, functions: ["hello"], checks: [], services: [] });
  const result = await run(impatient(script), renderCheckInput("admin", password));
  door.close();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(message);
  expect(result.stdout + result.stderr).not.toContain(PASSWORD);
});

test("an open management API fails the checks", async () => {
  const server = http.createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const result = await run(
    impatient(renderCheckScript({ origin, functions: [], checks: [], services: [] })),
    renderCheckInput("admin", "x"),
  );
  server.close();
  expect(result.stderr).toContain("/system/functions answered 200, wanted 401");
});

describe("services", () => {
  /** A `docker` that answers as told, one line of tasks a call. */
  async function withDocker(answers: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-checks-"));
    fs.writeFileSync(path.join(dir, "answers"), answers.join("\n") + "\n");
    fs.writeFileSync(
      path.join(dir, "docker"),
      `#!/bin/sh\nread -r line <"${dir}/answers"\nsed -i 1d "${dir}/answers"\n[ -z "$line" ] || echo "$line"\n`,
      { mode: 0o755 },
    );
    const door = await frontDoor(routes, PASSWORD);
    const script = renderCheckScript({ origin: door.origin, functions: [], checks: [], services: ["nats"] });
    const result = await run(`PATH=${dir}:$PATH\n${impatient(script)}`, renderCheckInput("admin", PASSWORD));
    door.close();
    fs.rmSync(dir, { recursive: true });
    return result;
  }

  test("pass when the same tasks run twice", async () => {
    const result = await withDocker(["abc Running 5 seconds ago", "abc Running 10 seconds ago"]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("ok running nats") });
  });

  test.each([
    ["is another task each time", ["abc Running 1 second ago", "def Running 1 second ago"]],
    ["is still starting", ["abc Ready 1 second ago", "abc Ready 2 seconds ago"]],
    ["has no task", ["", ""]],
  ])("fail when one %s, with what the engine says", async (_name, answers) => {
    const result = await withDocker([...answers, "nats.1 Failed task: non-zero exit (1)"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("service nats does not stay up");
    expect(result.stderr).toContain("non-zero exit (1)");
  });
});

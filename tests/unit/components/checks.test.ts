import { execFile } from "node:child_process";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
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
const impatient = (script: string) => script.replace("-lt 30", "-lt 1").replace("sleep 2", "sleep 0");

test("passes when everything answers as wanted", async () => {
  const door = await frontDoor(routes, PASSWORD);
  const script = renderCheckScript({
    origin: door.origin,
    functions: ["hello"],
    checks: [{ path: "/function/hello", status: 202 }],
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
  const script = renderCheckScript({ origin: door.origin, functions: ["hello"], checks: [] });
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
    impatient(renderCheckScript({ origin, functions: [], checks: [] })),
    renderCheckInput("admin", "x"),
  );
  server.close();
  expect(result.stderr).toContain("/system/functions answered 200, wanted 401");
});

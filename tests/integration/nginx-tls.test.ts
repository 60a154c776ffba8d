/** TLS at a real Nginx, as real clients speak it. */
import { execFileSync, spawnSync } from "node:child_process";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { type RunningNginx, startNginx } from "./nginxBed";

let nginx: RunningNginx;
const gateway = http.createServer((request, response) => {
  request.resume();
  response.end(JSON.stringify({ host: request.headers.host, version: request.httpVersion }));
});

beforeAll(async () => {
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  nginx = await startNginx((gateway.address() as AddressInfo).port, (dir) => {
    const [key, cert] = [path.join(dir, "key.pem"), path.join(dir, "cert.pem")];
    const made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    execFileSync("openssl", ["req", "-x509", ...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { tls: { certificate: cert, certificateKey: key } };
  });
});
afterAll(async () => {
  await nginx.stop();
  gateway.close();
  gateway.closeAllConnections();
});

function get(
  target: string,
): Promise<{ headers: http2.IncomingHttpHeaders & { ":status"?: number }; text: string }> {
  return new Promise((resolve, reject) => {
    const client = http2.connect(`https://127.0.0.1:${nginx.tlsPort}`, { rejectUnauthorized: false });
    client.once("error", reject);
    const stream = client.request({ ":path": target, ":authority": "faas.example.no" });
    let headers: http2.IncomingHttpHeaders = {};
    let text = "";
    stream.once("response", (found) => (headers = found));
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    stream.once("error", reject).once("end", () => {
      client.close();
      resolve({ headers, text });
    });
  });
}

test("a client that speaks HTTP/2 reaches a function under the host that it names", async () => {
  const { headers, text } = await get("/function/hello");
  expect(headers[":status"]).toBe(200);
  expect(JSON.parse(text)).toEqual({ host: "faas.example.no", version: "1.1" });
});

test("every answer says that HTTPS is to be used from now on, once", async () => {
  for (const target of ["/function/hello", "/system/functions", "/ui/", "/nothing", "/healthz"])
    expect([target, (await get(target)).headers["strict-transport-security"]]).toEqual([
      target,
      "max-age=63072000",
    ]);
  const plain = await fetch(`http://127.0.0.1:${nginx.port}/function/hello`, { redirect: "manual" });
  expect([plain.status, plain.headers.get("strict-transport-security")]).toEqual([308, null]);
});

const agreed = (options: tls.ConnectionOptions) =>
  new Promise<string>((resolve) => {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: nginx.tlsPort,
      rejectUnauthorized: false,
      ...options,
    });
    socket.once("error", () => resolve("refused"));
    socket.once("secureConnect", () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
  });

test("what is weak is refused, and the server chooses the cipher", async () => {
  expect(await agreed({})).toMatch(/^TLSv1.3 /);
  const second = { maxVersion: "TLSv1.2" } as const;
  for (const name of ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-GCM-SHA384"]) {
    expect(await agreed({ ...second, ciphers: name })).toBe(`TLSv1.2 ${name}`);
    expect(await agreed({ ...second, ciphers: `${name}:ECDHE-RSA-AES128-GCM-SHA256` })).toBe(
      "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256",
    );
  }
  for (const ciphers of [
    "AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-SHA",
    "AES256-SHA",
    "DHE-RSA-AES128-GCM-SHA256",
  ])
    expect(await agreed({ ...second, ciphers })).toBe("refused");
  const old = ["s_client", "-connect", `127.0.0.1:${nginx.tlsPort}`, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
  expect(spawnSync("openssl", old, { input: "", encoding: "utf8" }).status).not.toBe(0);
});

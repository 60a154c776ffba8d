/** A certificate over ACME: the real certbot and Nginx, and pebble as the authority. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { renderCertbotSettings, renderCertificateScript } from "../../components/nginx/certificate";
import { parseEnvironment } from "../../environment/parse";
import { type RunningNginx, startNginx } from "./nginxBed";
import { BLOCKED, type Pebble, startPebble } from "./pebbleBed";

const NAME = "faas.example.no";
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
/** Of the account at the authority: it may be in one file and nowhere else. */
const EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

let nginx: RunningNginx;
let pebble: Pebble;
/** Paths that reached the gateway, and the answer of one that is held. */
const asked: string[] = [];
let held: http.ServerResponse | undefined;
const gateway = http.createServer((request, response) => {
  asked.push(request.url!);
  if (request.url === "/function/slow") held = response;
  else response.end("a function's");
});

/** As an environment would write it into the folder. @returns the script */
function write(dir: string, serverName: string, auto: object, eabKey?: string): string {
  const secrets = eabKey ? ["acmeEabKey"] : [];
  const raw = { host: { address: "198.51.100.7", hostKey: KEY }, nginx: { serverName, tls: { auto } } };
  const env = parseEnvironment(raw, [], { secrets });
  const [script, settings] = [path.join(dir, "certificate.sh"), path.join(dir, "certbot.ini")];
  fs.writeFileSync(script, renderCertificateScript(env.nginx, path.join(dir, "acme"), settings));
  fs.writeFileSync(settings, renderCertbotSettings(env.nginx.tls, eabKey), { mode: 0o600 });
  return script;
}

/** systemd is not here; Nginx and its signal are. */
function fakes(dir: string): string {
  const bin = path.join(dir, "bin");
  const executable = (name: string, ...lines: string[]) =>
    fs.writeFileSync(path.join(bin, name), ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 });
  fs.mkdirSync(bin);
  executable("systemctl", `[ "$1" != reload ] || kill -HUP "$(cat ${dir}/pid)"`);
  executable("nginx", `exec /usr/sbin/nginx -c ${dir}/nginx.conf "$@"`);
  return bin;
}

const run = (verb: string[], bin = path.join(nginx.dir, "bin")) =>
  spawnSync("sh", [path.join(nginx.dir, "certificate.sh"), ...verb], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    encoding: "utf8",
    timeout: 120_000,
  });

const auto = (more: object = {}) => ({
  directory: pebble.directory,
  directoryCa: pebble.ca,
  email: "ops@example.no",
  eabKeyId: "kid-1",
  ...more,
});

/** What a client without exceptions sees. @param ca whom it trusts */
const seen = (ca?: string) =>
  new Promise<{ trusted: boolean; serial: string; issuer: string }>((resolve, reject) => {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: nginx.tlsPort,
      servername: NAME,
      ca,
      rejectUnauthorized: false,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const { serialNumber, issuer } = socket.getPeerCertificate();
      resolve({ trusted: socket.authorized, serial: serialNumber, issuer: issuer.CN });
      socket.destroy();
    });
  });

/** The workers take a new configuration one after the other. @param serial what is not to be seen any more */
async function after(serial: string): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const found = (await seen()).serial;
    if (found !== serial) return found;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`Nginx still serves ${serial}`);
}

const lastError = () => path.join(nginx.dir, "acme/error");

beforeAll(async () => {
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  nginx = await startNginx((gateway.address() as AddressInfo).port, (dir) => {
    // Its folder, and then its workers, which are not root, read the challenges.
    fs.chmodSync(dir, 0o755);
    const bin = fakes(dir);
    const script = write(dir, NAME, {});
    const made = spawnSync("sh", [script, "placeholder"], {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      encoding: "utf8",
    });
    expect({ ...made, output: undefined }).toMatchObject({ status: 0, stderr: "" });
    return { serverName: NAME, tls: { auto: {} } };
  });
  pebble = await startPebble(nginx.port, { "kid-1": EAB_KEY });
});
afterAll(async () => {
  await pebble?.stop();
  await nginx?.stop();
  gateway.close();
  gateway.closeAllConnections();
});

test("before the first order, Nginx has a placeholder that the host is not well with", async () => {
  expect(await seen()).toMatchObject({ trusted: false, issuer: "placeholder" });
  expect(run(["check"]).status).not.toBe(0);
});

test("an account without its binding is refused with the authority's words, and nothing changes", async () => {
  const { serial } = await seen();
  write(nginx.dir, NAME, auto({ eabKeyId: undefined }));
  const { status, stderr } = run(["renew"]);
  expect(status).toBe(1);
  expect(stderr).toContain(`No certificate for ${NAME} from ${pebble.directory}: `);
  expect(stderr).toContain("requires external account binding");
  expect((await seen()).serial).toBe(serial);
});

test("an old certbot that knows no binding says so", () => {
  write(nginx.dir, NAME, auto(), EAB_KEY);
  const bin = path.join(nginx.dir, "old");
  fs.cpSync(path.join(nginx.dir, "bin"), bin, { recursive: true });
  fs.writeFileSync(path.join(bin, "certbot"), "#!/bin/sh\necho certbot 0.27.0\n", { mode: 0o755 });
  const { status, stderr } = run(["renew"], bin);
  expect(status).toBe(1);
  expect(stderr).toContain("certbot 0.27.0 cannot bind an account to an external one (eabKeyId)");
});

test("an order replaces the placeholder with a certificate that clients trust", async () => {
  const { serial } = await seen();
  write(nginx.dir, NAME, auto(), EAB_KEY);
  const { status, stdout, stderr } = run(["renew"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain(`Nginx has a certificate for ${NAME}, notAfter=`);
  await after(serial);
  expect(await seen(await pebble.root())).toMatchObject({ trusted: true });
  expect(run(["check"]).status).toBe(0);
  expect(fs.existsSync(lastError())).toBe(false);
});

test("the account's key is in the settings alone, which only root reads", () => {
  expect(fs.statSync(path.join(nginx.dir, "certbot.ini")).mode & 0o777).toBe(0o600);
  const { stdout } = spawnSync("grep", ["-rl", EAB_KEY, nginx.dir], { encoding: "utf8" });
  expect(stdout.trim().split("\n")).toEqual([path.join(nginx.dir, "certbot.ini")]);
});

test("what is not due is kept", async () => {
  const { serial } = await seen();
  expect(run(["renew"]).status).toBe(0);
  expect((await seen()).serial).toBe(serial);
});

test("a renewal drops no call that is under way", async () => {
  const { serial } = await seen();
  const answer = new Promise<string>((resolve, reject) => {
    const args = ["-sk", "-m", "60", `https://127.0.0.1:${nginx.tlsPort}/function/slow`];
    const curl = spawn("curl", args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    curl.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    curl.once("error", reject).once("exit", () => resolve(text));
  });
  while (!held) await new Promise((next) => setTimeout(next, 20));
  const { status, stderr } = run(["renew", "--force-renewal"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(await after(serial)).not.toBe(serial);
  held.end("after all");
  expect(await answer).toBe("after all");
});

test.each<[string, string, string]>([
  ["a name that the authority refuses", BLOCKED, "is a forbidden domain"],
  ["a name that leads nowhere", "lost.example.no", "Domain: lost.example.no Type: connection Detail: "],
])("%s leaves the certificate, is told, and another try can succeed", async (_what, name, words) => {
  await pebble.lose("lost.example.no");
  const { serial } = await seen();
  write(nginx.dir, `${NAME} ${name}`, auto(), EAB_KEY);
  const { status, stderr } = run(["renew"]);
  expect(status).toBe(1);
  expect(stderr).toContain(words);
  expect(fs.readFileSync(lastError(), "utf8")).toMatch(/^20\S+Z \S/);
  expect(fs.readFileSync(lastError(), "utf8")).toContain(words);
  expect((await seen()).serial).toBe(serial);

  write(nginx.dir, NAME, auto(), EAB_KEY);
  expect(run(["renew"]).status).toBe(0);
  expect(fs.existsSync(lastError())).toBe(false);
});

test("another name is ordered at once", async () => {
  const { serial } = await seen();
  write(nginx.dir, `${NAME} b.example.no`, auto(), EAB_KEY);
  expect(run(["renew"])).toMatchObject({ status: 0, stderr: "" });
  await after(serial);
});

test("a pair that Nginx refuses is not served", async () => {
  const { serial } = await seen();
  const bin = path.join(nginx.dir, "refusing");
  fs.cpSync(path.join(nginx.dir, "bin"), bin, { recursive: true });
  fs.writeFileSync(path.join(bin, "nginx"), "#!/bin/sh\necho key values mismatch >&2\nexit 1\n", {
    mode: 0o755,
  });
  const { status, stderr } = run(["renew", "--force-renewal"], bin);
  expect(status).toBe(1);
  expect(stderr).toContain("key values mismatch");
  expect(run(["check"]).status).not.toBe(0);
  // The next run serves what was ordered meanwhile.
  expect((await seen()).serial).toBe(serial);
  expect(run(["renew"]).status).toBe(0);
  await after(serial);
});

/** Byte by byte, as no client of good manners would write it. */
const raw = (target: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = net.connect(nginx.port, "127.0.0.1", () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`),
    );
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    socket.once("error", reject).once("close", () => resolve(text));
  });

test("challenges are answered over HTTP from files, whatever the path, and by no function", async () => {
  const folder = path.join(nginx.dir, "acme/webroot/.well-known/acme-challenge");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "a-token"), "an answer");
  const place = "/.well-known/acme-challenge";
  expect(await raw(`${place}/a-token`)).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nan answer$/);
  asked.length = 0;
  for (const path of [
    "/another",
    "/",
    "/../../function/hello/x",
    "/%2e%2e/%2e%2e/%2e%2e/certbot.ini",
    "/../../../certbot.ini",
  ]) {
    const answer = await raw(`${place}${path}`);
    expect([path, answer.slice(9, 12)]).toEqual([path, expect.stringMatching(/404|308|400/)]);
    expect(answer).not.toContain("server =");
    // Nginx's own page would name it.
    expect(answer.slice(answer.indexOf("\r\n\r\n"))).not.toContain("nginx/");
  }
  expect(await raw(`/function/hello${place}/a-token`)).toMatch(/^HTTP\/1.1 308 /);
  expect(asked).toEqual([]);
  fs.rmSync(folder, { recursive: true });
});

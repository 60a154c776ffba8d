/** A real Alertmanager with the rendered configuration, and real receivers: a webhook, a mail server, and what stands for the gateway. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { parseEnvironment } from "../../environment/parse";
import { renderAlertmanager } from "../../components/openfaas/alerts";
import { alertmanagerArgs } from "../../components/openfaas/render";
import { freePort } from "./sshd";
import { buildGoProgram } from "./goProgram";
import { type Mail, smtpServer } from "./smtp";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

interface Told {
  status: string;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

let folder: string;
let alertmanager: ChildProcess | undefined;
let api: string;
/** A URL that is a secret itself. */
const CANARY = "canary-of-the-webhook";
const HOOK = `/hook/${CANARY}`;
/** Calls of the webhook that fail first: a failure is what a program likes to log. */
let breaks = 1;
const close: (() => void)[] = [];
const told: { url: string; authorization?: string; body: Told }[] = [];
const mails: Mail[] = [];

async function listener(): Promise<number> {
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const { url = "", headers } = request;
      if (url === HOOK && breaks-- > 0) return void request.socket.destroy();
      told.push({ url, authorization: headers.authorization, body: JSON.parse(text) as Told });
      response.end();
    });
  });
  close.push(() => (server.close(), server.closeAllConnections()));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as net.AddressInfo).port;
}

/** As it is on a host, but for where the secrets lie, the gateway's address, and how long it waits for more of the same. */
function configuration(port: number, smtpPort: number): string {
  const { alerts } = parseEnvironment({
    host: { address: "198.51.100.7", hostKey: KEY },
    alerts: {
      email: {
        to: ["ops@example.no", "night@example.no"],
        from: "faas@example.no",
        smarthost: `localhost:${smtpPort}`,
        username: "faas",
      },
    },
  });
  const secrets = { webhookUrl: true, webhookToken: true, smtpPassword: true };
  return renderAlertmanager({ user: "admin", alerts, secrets })
    .replaceAll("/run/secrets", folder)
    .replaceAll("http://gateway:8080", `http://127.0.0.1:${port}`)
    .replaceAll(/(group_wait|group_interval): \w+/g, "$1: 1s");
}

/** A name for 127.0.0.1 that Alertmanager believes, and no other program of this machine. */
function certificate(): { key: Buffer; cert: Buffer } {
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", key, "-out", cert];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...subject],
    {
      stdio: "ignore",
    },
  );
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-alertmanager-"));
  buildGoProgram("alertmanager", folder);
  const smtp = await smtpServer(certificate(), (mail) => mails.push(mail));
  close.push(smtp.close);
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);
  const port = await listener();
  write("alertmanager.yml", configuration(port, smtp.port));
  write("alert-webhook-url", `http://127.0.0.1:${port}${HOOK}`);
  write("basic-auth-password", "of the gateway");
  write("alert-webhook-token", "of the webhook");
  write("alert-smtp-password", "of the mail server");
  const address = `127.0.0.1:${await freePort()}`;
  api = `http://${address}`;
  const args = alertmanagerArgs("/etc/alertmanager/alertmanager.yml").map((arg) =>
    arg.replace("=/etc/alertmanager/", `=${folder}/`).replace("=/alertmanager", `=${folder}/data`),
  );
  const more = [`--web.listen-address=${address}`, "--log.level=debug"];
  const log = fs.openSync(path.join(folder, "log"), "w");
  alertmanager = spawn(path.join(folder, "alertmanager"), [...args, ...more], {
    stdio: ["ignore", log, log],
    env: { PATH: process.env.PATH, SSL_CERT_FILE: path.join(folder, "cert.pem") },
  });
  await until(async () => (await fetch(`${api}/-/ready`)).ok, "Alertmanager is ready");
}, 1_000_000);

afterAll(async () => {
  for (const one of close.splice(0)) one();
  if (alertmanager && alertmanager.exitCode === null) {
    const ended = new Promise((done) => alertmanager!.once("exit", done));
    alertmanager.kill("SIGKILL");
    await ended;
  }
  if (folder) fs.rmSync(folder, { recursive: true });
});

async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await Promise.resolve(done()).catch(() => false)) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error(`not within a minute: ${what}\n${fs.readFileSync(path.join(folder, "log"), "utf8")}`);
}

async function fire(alertname: string, more: object = {}): Promise<void> {
  const labels = { alertname, function_name: "hello", severity: "critical" };
  const annotations = { summary: "20% of the calls of hello fail", description: "See its log" };
  const { ok } = await fetch(`${api}/api/v2/alerts`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify([{ labels, annotations, ...more }]),
  });
  expect(ok).toBe(true);
}

const toldAt = (url: string) => told.filter((one) => one.url === url);

test("what people need to know is posted to the webhook with its token, and again when it is over", async () => {
  await fire("FunctionFailing");
  await until(() => toldAt(HOOK).length > 0, "the webhook is told");
  expect(toldAt(HOOK)[0]).toMatchObject({
    authorization: "Bearer of the webhook",
    body: {
      status: "firing",
      alerts: [
        {
          labels: { alertname: "FunctionFailing", function_name: "hello" },
          annotations: { summary: "20% of the calls of hello fail" },
        },
      ],
    },
  });
  await until(() => mails.length > 0, "a mail arrives");
  await fire("FunctionFailing", { endsAt: new Date(Date.now() - 1000).toISOString() });
  await until(
    () => toldAt(HOOK).some(({ body }) => body.status === "resolved"),
    "the webhook is told of the end",
  );
}, 120_000);

test("and mailed to everyone, over TLS and with the account's password", async () => {
  await until(() => mails.some(({ text }) => text.includes("RESOLVED")), "the mail of the end");
  const [mail] = mails as [Mail];
  expect(mail).toMatchObject({
    encrypted: true,
    user: "faas",
    password: "of the mail server",
    from: "FROM:<faas@example.no>",
    to: ["TO:<ops@example.no>", "TO:<night@example.no>"],
  });
  expect(mail.text).toMatch(/^Subject: .*FIRING.*FunctionFailing/im);
  expect(mail.text).toContain("20% of the calls of hello fail");
}, 120_000);

test("an order to scale goes to the gateway with its password, and to nobody else", async () => {
  const before = mails.length;
  await fire("APIHighInvocationRate");
  await until(() => toldAt("/system/alert").length > 0, "the gateway is told");
  const login = Buffer.from("admin:of the gateway").toString("base64");
  expect(toldAt("/system/alert")[0]).toMatchObject({
    authorization: `Basic ${login}`,
    body: {
      status: "firing",
      alerts: [{ labels: { alertname: "APIHighInvocationRate", function_name: "hello" } }],
    },
  });
  // News for people that comes after it has arrived, so the order would have as well.
  await fire("DiskFilling");
  await until(() => mails.length > before, "the next mail");
  const everything = [
    ...toldAt(HOOK).map(({ body }) => JSON.stringify(body)),
    ...mails.map(({ text }) => text),
  ];
  expect(everything.filter((text) => text.includes("APIHighInvocationRate"))).toEqual([]);
}, 120_000);

test("the webhook's URL, its token and the passwords are in none of what Alertmanager shows or logs", async () => {
  const pages = ["/api/v2/status", "/api/v2/receivers", "/api/v2/alerts", "/metrics"];
  const shown = await Promise.all(pages.map(async (page) => (await fetch(`${api}${page}`)).text()));
  const everything = [...shown, fs.readFileSync(path.join(folder, "log"), "utf8")];
  expect(shown[0]).toContain("url_file");
  // The call that broke is logged, without where it went.
  expect(everything.at(-1)).toMatch(/Notify attempt failed.*<redacted>/);
  for (const secret of [CANARY, "of the webhook", "of the gateway", "of the mail server"])
    expect(everything.filter((text) => text.includes(secret))).toEqual([]);
});

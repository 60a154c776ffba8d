/** The function behind a real HTTP server, with the real resize-image where the gateway would be. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { seconds } from "../../../environment/units";
import { parseStack, type StackFunction } from "../../../components/functions/stack";
import { send } from "../../../lab/calls";
import { ensurePackages, RESIZE_IMAGE } from "./packages";

const GALLERY = path.resolve(RESIZE_IMAGE, "../gallery");
const load = createRequire(path.join(GALLERY, "gallery.js"));
const picture = fs.readFileSync(path.join(RESIZE_IMAGE, "testdata/fjord.jpg"));

let servers: Server[];
let folder: string;
let url: string;
let resized: number;
let broken: number;
/** Of the next picture to be resized: gets it answered, when it is called. */
let slow: ((respond: () => void) => void) | undefined;
let env: Record<string, string>;

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(() => ensurePackages(), 130_000);

beforeEach(async () => {
  [servers, resized, broken, slow] = [[], 0, 0, undefined];
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-gallery-"));
  const resize = createRequire(path.join(RESIZE_IMAGE, "handler.js"))("./answer.js");
  const handler = resize.createHandler(resize.limitsFrom({}));
  const gateway = await listen((request, response) => {
    resized++;
    if (broken-- > 0) return void response.writeHead(502).end();
    const wait = slow;
    slow = undefined;
    if (wait) wait(() => handler(request, response));
    else handler(request, response);
  });
  const { createHandler, settingsFrom } = load("./gallery.js");
  env = { gateway_url: gateway, folder, widths: "20,40", max_pictures: "2" };
  url = await listen(createHandler(settingsFrom(env)));
});

afterEach(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  fs.rmSync(folder, { recursive: true });
});

const upload = (id: string | undefined, body = picture) =>
  send(url, {
    method: "POST",
    headers: { "Content-Type": "image/jpeg", ...(id ? { "X-Call-Id": id } : {}) },
    body,
  });
const parsed = (body: Buffer) => JSON.parse(body.toString());

test("a picture becomes its sizes, which can be had afterwards", async () => {
  const answer = await upload("call-1");
  expect(answer.status).toBe(201);
  expect(parsed(answer.body)).toMatchObject({
    id: "call-1",
    variants: [
      { width: 20, path: "/function/gallery/call-1/20.webp" },
      { width: 40, path: "/function/gallery/call-1/40.webp" },
    ],
  });
  const variant = await send(`${url}/call-1/40.webp`, {});
  expect(variant.headers["content-type"]).toBe("image/webp");
  const sharp = createRequire(path.join(RESIZE_IMAGE, "handler.js"))("sharp");
  expect(await sharp(variant.body).metadata()).toMatchObject({ format: "webp", width: 40 });
  expect(parsed((await send(`${url}/call-1`, {})).body).variants).toHaveLength(2);
});

test("a second attempt makes what is missing, and nothing twice", async () => {
  await upload("call-2");
  expect(resized).toBe(2);
  await upload("call-2");
  expect(resized).toBe(2);
});

test("a resize-image that is away is answered so that the queue tries again", async () => {
  broken = 1;
  expect((await upload("call-3")).status).toBe(503);
  expect((await upload("call-3")).status).toBe(201);
});

test("a body that is not a picture is the caller's mistake and not tried again", async () => {
  const answer = await upload("call-4", Buffer.from("text"));
  expect(answer.status).toBe(415);
  expect(parsed(answer.body).error).toContain("not a picture");
});

test("the oldest pictures go", async () => {
  for (const id of ["old", "middle", "new"]) {
    await upload(id);
    await new Promise((next) => setTimeout(next, 20));
  }
  const states = await Promise.all(["old", "middle", "new"].map((id) => send(`${url}/${id}`, {})));
  expect(states.map(({ status }) => status)).toEqual([404, 200, 200]);
});

const TEMPLATE = path.resolve(RESIZE_IMAGE, "../../templates/node/index.js");

test("SIGTERM: what is under way is answered, each answer says that it is the last, and the program ends with 0", async () => {
  let proceed = () => undefined as void;
  const asked = new Promise<void>((reached) => {
    slow = (respond) => {
      proceed = respond;
      reached();
    };
  });
  const program = spawn(process.execPath, [TEMPLATE], {
    env: { ...env, PATH: process.env.PATH, port: "0", handler: path.join(GALLERY, "handler.js") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const ended = new Promise((done) => program.on("exit", (code, signal) => done(code ?? signal)));
    const line = await new Promise<string>((done) =>
      program.stdout.once("data", (text) => done(String(text))),
    );
    url = `http://127.0.0.1:${/port (\d+)/.exec(line)![1]}`;
    const connection = async () => (await fetch(`${url}/none`)).headers.get("connection");
    expect(await connection()).toBe("keep-alive");
    const underWay = upload("call-5");
    await asked;
    program.kill("SIGTERM");
    while ((await connection()) !== "close") await new Promise((next) => setTimeout(next, 10));
    proceed();
    expect((await underWay).status).toBe(201);
    expect(await ended).toBe(0);
  } finally {
    program.kill("SIGKILL");
  }
}, 20_000);

test("the pipeline's time limits hold every size's own", () => {
  const file = path.resolve(GALLERY, "../images.yml");
  const [{ spec }] = parseStack(fs.readFileSync(file, "utf8"), file) as [StackFunction];
  const limit = (name: string) => seconds(spec.env[name]!);
  expect(limit("exec_timeout")).toBeGreaterThan(60 * spec.env.widths!.split(",").length);
  expect(limit("write_timeout")).toBeGreaterThan(limit("exec_timeout"));
});

test.each([
  ["POST", "/", 400],
  ["DELETE", "/call-1", 405],
  ["GET", "/", 404],
  ["GET", "/../../etc/passwd", 404],
  ["GET", "/none/20.webp", 404],
])("%s %s is answered %d", async (method, at, status) =>
  expect((await send(`${url}${at}`, { method })).status).toBe(status),
);

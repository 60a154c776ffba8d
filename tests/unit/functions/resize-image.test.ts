/** The function's handler behind a real HTTP server, with real pictures. */
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { ensurePackages, RESIZE_IMAGE } from "./packages";

interface Limits {
  bytes: number;
  pixels: number;
  seconds: number;
  parallel: number;
  waiting: number;
}
interface Handler {
  createHandler(limits: Limits): RequestListener;
  limitsFrom(env: Record<string, string>): Limits;
}
interface Sharp {
  metadata(): Promise<{ format: string; width: number; height: number; exif?: Buffer; orientation?: number }>;
  withMetadata(options: { orientation: number }): Sharp;
  withExif(exif: object): Sharp;
  jpeg(): Sharp;
  png(): Sharp;
  gif(): Sharp;
  tiff(): Sharp;
  avif(): Sharp;
  webp(): Sharp;
  toBuffer(): Promise<Buffer>;
}

let load: { handler: Handler; sharp: (input: Buffer | object) => Sharp };
let server: Server | undefined;
const jpeg = readFileSync(join(RESIZE_IMAGE, "testdata/fjord.jpg"));
const png = readFileSync(join(RESIZE_IMAGE, "testdata/fjord.png"));

beforeAll(() => {
  ensurePackages();
  const load1 = createRequire(join(RESIZE_IMAGE, "handler.js"));
  load = { handler: load1("./answer.js") as Handler, sharp: load1("sharp") as typeof load.sharp };
}, 150_000);

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

async function start(env: Record<string, string> = {}): Promise<string> {
  server = createServer(load.handler.createHandler(load.handler.limitsFrom(env)));
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function post(url: string, query: string, body: Buffer | string) {
  const response = await fetch(`${url}/${query}`, { method: "POST", body });
  const data = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, data };
}

const problem = (data: Buffer) => JSON.parse(data.toString()) as { error: string; reasons: string[] };

describe("a picture of another size", () => {
  test.each([
    ["?width=64", 64, 48, "jpeg"],
    ["?height=60&format=png", 80, 60, "png"],
    ["?width=50&height=50", 50, 50, "jpeg"],
    ["?width=50&height=50&fit=inside", 50, 38, "jpeg"],
    ["?width=50&height=50&fit=outside&format=webp", 67, 50, "webp"],
    ["?width=33&height=77&fit=fill&format=jpg&quality=40", 33, 77, "jpeg"],
    ["?width=2000&fit=contain&format=webp", 2000, 1500, "webp"],
  ])("%s", async (query, width, height, format) => {
    const answer = await post(await start(), query, jpeg);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(`image/${format}`);
    expect(answer.headers.get("x-image-width")).toBe(String(width));
    expect(await load.sharp(answer.data).metadata()).toMatchObject({ format, width, height });
  });

  test("as AVIF, and from it", async () => {
    const url = await start();
    const avif = await post(url, "?width=32&format=avif", jpeg);
    expect(avif.headers.get("content-type")).toBe("image/avif");
    const again = await post(url, "?width=16", avif.data);
    expect([again.status, again.headers.get("content-type")]).toEqual([200, "image/avif"]);
  });

  test.each(["png", "webp", "gif"] as const)("from %s", async (format) => {
    const answer = await post(await start(), "?width=40", await load.sharp(png)[format]().toBuffer());
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(format === "webp" ? "image/webp" : "image/png");
  });

  test("turned as the camera was held, and without what the camera wrote about it", async () => {
    const exif = { IFD0: { Make: "secret-camera" } };
    const turned = await load.sharp(jpeg).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(turned.includes("secret-camera")).toBe(true);
    const answer = await post(await start(), "?width=48", turned);
    const metadata = await load.sharp(answer.data).metadata();
    expect(metadata).toMatchObject({ width: 48, height: 64 });
    expect(metadata.exif).toBeUndefined();
  });
});

describe("what cannot be done is a 4xx that says why", () => {
  test.each([
    ["", ["width or height has to be given, in pixels"]],
    ["?width=0", ["width has to be a whole number from 1 to 8192"]],
    ["?width=1e3", ["width has to be a whole number from 1 to 8192"]],
    [
      "?width=9000&fit=stretch",
      ["width has to be a whole number from 1 to 8192", "fit has to be one of cover"],
    ],
    ["?width=1&width=2", ["width is given more than once"]],
    ["?width=1&hieght=2", ["hieght is not a parameter"]],
    ["?width=1&format=constructor", ["format has to be one of png, jpeg, webp, avif"]],
    ["?width=1&quality=101", ["quality has to be a whole number from 1 to 100"]],
  ])("%s", async (query, reasons) => {
    const answer = await post(await start(), query, jpeg);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/json");
    const found = problem(answer.data).reasons;
    expect(found).toHaveLength(reasons.length);
    reasons.forEach((reason, index) => expect(found[index]).toContain(reason));
  });

  test("GET", async () => {
    const response = await fetch(`${await start()}/?width=1`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test.each([
    ["an empty body", "", 400, "the body is empty"],
    ["text", "not a picture at all", 415, "not a picture"],
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 415, "not a picture"],
  ])("%s", async (_name, body, status, reason) => {
    const answer = await post(await start(), "?width=10", body);
    expect([answer.status, problem(answer.data).error]).toEqual([status, expect.stringContaining(reason)]);
  });

  test("a kind of picture that is not taken, such as TIFF", async () => {
    const answer = await post(await start(), "?width=10", await load.sharp(png).tiff().toBuffer());
    expect(answer.status).toBe(415);
  });

  test("half a picture", async () => {
    const answer = await post(await start(), "?width=10", jpeg.subarray(0, jpeg.length / 2));
    expect([answer.status, problem(answer.data).error]).toEqual([
      422,
      expect.stringContaining("cannot be read"),
    ]);
  });

  test("more pixels than allowed, however few bytes", async () => {
    const bomb = await load
      .sharp({ create: { width: 4000, height: 4000, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(300_000);
    const answer = await post(await start({ max_pixels: "1000000" }), "?width=10", bomb);
    expect([answer.status, problem(answer.data).error]).toEqual([
      413,
      "the picture has more than 1000000 pixels",
    ]);
  });

  test("more bytes than allowed, announced or not", async () => {
    const url = await start({ max_bytes: "1000" });
    const announced = await post(url, "?width=10", jpeg);
    expect([announced.status, announced.headers.get("connection")]).toEqual([413, "close"]);
    const status = await new Promise((done, fail) => {
      const asked = httpRequest(`${url}/?width=10`, { method: "POST" }, (response) =>
        done(response.statusCode),
      );
      asked.on("error", fail);
      asked.write(jpeg.subarray(0, 900));
      asked.write(jpeg.subarray(900, 1800));
    });
    expect(status).toBe(413);
  });
});

test("an environment variable that is not a number stops the start", () =>
  expect(() => load.handler.limitsFrom({ max_bytes: "10MB" })).toThrow('max_bytes is "10MB"'));

test("as many at a time as there are slots: the next wait, those after them are told to come again", async () => {
  const url = await start({ max_parallel: "1", max_waiting: "1" });
  const head = `POST /?width=10 HTTP/1.1\r\nHost: x\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
  const slow = connect(Number(new URL(url).port), "127.0.0.1");
  slow.write(head);
  slow.write(jpeg.subarray(0, 100));
  await new Promise((done) => setTimeout(done, 100));
  const second = post(url, "?width=10", jpeg);
  await new Promise((done) => setTimeout(done, 100));
  const third = await post(url, "?width=10", jpeg);
  expect([third.status, third.headers.get("retry-after")]).toEqual([429, "1"]);
  slow.destroy();
  expect((await second).status).toBe(200);
  expect((await post(url, "?width=10", jpeg)).status).toBe(200);
});

/** What functions and clients send that is seldom seen, byte by byte: the provider passes it on or refuses it, and stays up. */
import { once } from "node:events";
import { METHODS } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Addresses } from "../../../../services/swarm-provider/src/addresses";
import { Provider } from "./support";

let provider: Provider;
let replica: Server;
/** What the function was sent. */
let seen: string;
/** What it answers, as it is. */
let answer: string;

beforeEach(async () => {
  seen = "";
  answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  replica = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      seen += data.toString("latin1");
      if (isWhole(seen)) socket.end(Buffer.from(answer, "latin1"));
    });
  });
  await once(replica.listen(0, "127.0.0.1"), "listening");
  const function_port = String((replica.address() as AddressInfo).port);
  provider = await Provider.start({ function_port }, { addresses: new Addresses(async () => ["127.0.0.1"]) });
  provider.engine.addService("f");
});

afterEach(async () => {
  await provider.stop();
  await new Promise((done) => replica.close(done));
});

/** The head is there, and as much of a body as it says. */
function isWhole(text: string): boolean {
  const [head, body] = text.split("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head!)?.[1];
  return body !== undefined && body.length >= Number(length ?? 0);
}

/** Sends lines on a connection of their own; gives all that comes until it is closed. */
async function talk(lines: string[], body = ""): Promise<string> {
  const { port } = provider.app.server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  socket.on("data", (data) => (text += data.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write([...lines, "Host: f", "", body].join("\r\n"));
  await once(socket, "close");
  return text;
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

test.each(METHODS.filter((method) => method !== "CONNECT"))("%s reaches the function", async (method) => {
  const length = "Content-Length: 3";
  const text = await talk([`${method} /function/f/a?b=c HTTP/1.1`, "Connection: close", length], "abc");
  expect(statusOf(text)).toBe(200);
  expect(seen).toMatch(new RegExp(`^${method} /a\\?b=c HTTP/1\\.1\r\n`));
  expect(seen).toMatch(/abc$/);
});

test.each(["json", "text/plain; charset", "", "application/x-what;;"])(
  "so does a body of type %j",
  async (type) => {
    const typed = `Content-Type: ${type}`;
    await talk(["POST /function/f HTTP/1.1", "Connection: close", "Content-Length: 3", typed], "abc");
    expect(seen).toContain(`content-type: ${type}\r\n`);
    expect(seen).toMatch(/abc$/);
  },
);

test.each(["/a%2Fb", "/a//b", "/a/../b", "/a;x=1", "/%C3%A5?q=%20", "/a?b=http://c/d?e"])(
  "the path %s arrives as it was sent",
  async (path) => {
    await talk([`GET /function/f${path} HTTP/1.1`, "Connection: close"]);
    expect(seen.split(" ")[1]).toBe(path);
  },
);

test.each([
  ["with a word for its status that no header may have", "HTTP/1.1 200 O\x01K\r\ncontent-length: 0\r\n\r\n"],
  ["with an unknown status", "HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n"],
  ["that is not HTTP", "hello\r\n\r\n"],
  ["with two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
])("an answer %s is 502, and the next call is answered", async (_what, bad) => {
  answer = bad;
  const text = await talk(["POST /function/f HTTP/1.1", "Connection: close", "Content-Length: 1"], "x");
  expect(statusOf(text)).toBe(502);
  seen = "";
  answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  expect(statusOf(await talk(["GET /function/f HTTP/1.1", "Connection: close"]))).toBe(200);
});

describe("an offer of HTTP/2, as Java's and curl's clients make it", () => {
  const offer = [
    "Connection: Upgrade, HTTP2-Settings, X-Mine, Close",
    "X-Mine: 1",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Content-Length: 3",
  ];

  test("is passed by in a call, whose body arrives, and what else the header says holds", async () => {
    const text = await talk(["POST /function/f HTTP/1.1", ...offer], "abc");
    expect(statusOf(text)).toBe(200);
    expect(seen).toMatch(/abc$/);
    expect(seen).not.toMatch(/h2c|http2-settings|x-mine/i);
  });

  test("is passed by in the management API", async () => {
    const basic = `Authorization: Basic ${Buffer.from("admin:pw").toString("base64")}`;
    const text = await talk(["GET /system/functions HTTP/1.1", basic, ...offer.slice(0, -1)]);
    expect(statusOf(text)).toBe(200);
  });
});

/** The servers of templates/, each run by the machine's own interpreter or compiler with the same handler in its language. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { parseDuration } from "../../shared/duration";

const ROOT = path.resolve(__dirname, "../..");
const HANDLERS = path.join(__dirname, "handlers");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-templates-"));
const release = path.join(folder, "release");

interface Language {
  lang: string;
  /** Makes what is run, with the handler of a folder in the template's function/. */
  build(handler: string, into: string): string[];
}

function lay(lang: string, handler: string, into: string): void {
  fs.cpSync(path.join(ROOT, "templates", lang), into, { recursive: true });
  fs.rmSync(path.join(into, "function"), { recursive: true });
  fs.cpSync(handler, path.join(into, "function"), { recursive: true });
}

const LANGUAGES: Language[] = [
  {
    lang: "node",
    build: (handler, into) => {
      lay("node", handler, into);
      execFileSync(process.execPath, ["install.js", "function"], { cwd: into });
      return [process.execPath, path.join(into, "index.js")];
    },
  },
  {
    lang: "python",
    build: (handler, into) => {
      lay("python", handler, into);
      execFileSync("python3", ["install.py"], { cwd: into });
      return ["python3", path.join(into, "index.py")];
    },
  },
  {
    lang: "go",
    build: (handler, into) => {
      lay("go", handler, into);
      const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "", GOTOOLCHAIN: "local" };
      const command = ["build", "-trimpath", "-buildvcs=false", "-o", path.join(into, "server"), "."];
      execFileSync("go", command, { cwd: into, env, timeout: 300_000 });
      return [path.join(into, "server")];
    },
  },
];

/** Each is what Go's time.ParseDuration says, and what `validate` says of it; whole seconds are the watchdogs' way. */
const DURATIONS: [string, number | undefined][] = [
  ["90s", 90],
  ["1m30s", 90],
  ["1h2m", 3720],
  ["1h2m3.5s", 3723.5],
  ["500ms", 0.5],
  ["500us", 0.0005],
  ["500µs", 0.0005],
  ["500μs", 0.0005],
  ["1500ns", 0.0000015],
  [".5s", 0.5],
  ["1.s", 1],
  ["30s1m", 90],
  ["90", 90],
  ["0", 0],
  ["0s", 0],
  ["soon", undefined],
  ["1m30", undefined],
  [".s", undefined],
  ["1.5", undefined],
  ["1e3s", undefined],
  ["1d", undefined],
  ["-5s", undefined],
  ["+5s", undefined],
  ["-5", undefined],
  ["1m 30s", undefined],
  ["１s", undefined],
];

interface Server {
  port: number;
  child: ChildProcess;
  log(): string;
  exit: Promise<number | null>;
}

const running: Server[] = [];

async function start(command: string[], env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const child = spawn(command[0]!, command.slice(1), {
    env: { ...process.env, port: "0", release, PYTHONDONTWRITEBYTECODE: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (log += String(data)));
  const exit = new Promise<number | null>((done) => child.on("close", (code) => done(code)));
  const server: Server = { port: 0, child, log: () => log, exit };
  running.push(server);
  await until(async () => {
    const port = /listening on port (\d+)/.exec(log)?.[1];
    if (port) server.port = Number(port);
    return port !== undefined || child.exitCode !== null;
  });
  return server;
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await is()) return;
    await new Promise((next) => setTimeout(next, 10));
  }
  throw new Error("timed out");
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** The connection was cut before the answer's end. */
  cut: boolean;
}

interface Options {
  method?: string;
  body?: string;
  chunked?: boolean;
  onData?: (text: string) => void;
}

function call(server: Server, url: string, options: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length =
      options.body !== undefined && !options.chunked ? Buffer.byteLength(options.body) : undefined;
    const asked = http.request(
      {
        port: server.port,
        path: url,
        agent: false,
        method: options.method ?? (options.body === undefined ? "GET" : "POST"),
        headers: { ...(length === undefined ? {} : { "Content-Length": length }) },
      },
      (response) => {
        let body = "";
        const done = (cut: boolean) =>
          resolve({ status: response.statusCode!, headers: response.headers, body, cut });
        response.on("data", (data: Buffer) => {
          body += String(data);
          options.onData?.(body);
        });
        response.on("end", () => done(false));
        response.on("error", () => done(true));
      },
    );
    asked.on("error", reject);
    asked.end(options.body);
  });
}

afterEach(() => {
  fs.rmSync(release, { force: true });
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

test.each([
  ["node", [process.execPath, "install.js", "function"]],
  ["python", ["python3", "install.py"]],
])("the layer of the template %s has one time, whenever it is made", (lang, [program, ...args]) => {
  const into = path.join(folder, `layer-${lang}`);
  lay(lang, path.join(HANDLERS, lang), into);
  fs.symlinkSync("nowhere", path.join(into, "function", "link"));
  execFileSync(program!, [...args, into], { cwd: into });
  const names = ["", ...(fs.readdirSync(into, { recursive: true }) as string[])];
  const times = new Set(names.map((name) => fs.lstatSync(path.join(into, name)).mtime.toISOString()));
  expect([...times]).toEqual(["2020-01-01T00:00:00.000Z"]);
});

describe.each(LANGUAGES)("the template $lang", ({ lang, build }) => {
  let command: string[];
  beforeAll(() => {
    command = build(path.join(HANDLERS, lang), path.join(folder, lang));
  }, 300_000);

  test("answers as its handler says, and goes on after one that failed", async () => {
    const server = await start(command);
    for (const chunked of [false, true]) {
      const { status, body } = await call(server, "/", { body: "hei", chunked });
      expect([status, JSON.parse(body)]).toEqual([200, { body: "hei" }]);
    }
    expect(await call(server, "/status")).toMatchObject({ status: 418, body: "short and stout" });
    expect((await call(server, "/status")).headers["x-kind"]).toBe("teapot");
    expect(await call(server, "/fail")).toMatchObject({ status: 500, body: "the function failed\n" });
    await until(async () => server.log().includes("no such fjord"));
    expect((await call(server, "/", { method: "DELETE" })).status).toBe(200);
  });

  test("streams: a megabyte comes back, and a piece arrives before the next one is made", async () => {
    const server = await start(command);
    const large = "fjord ".repeat(180_000);
    expect((await call(server, "/echo", { body: large })).body).toBe(large);
    expect((await call(server, "/echo", { body: large, chunked: true })).body).toBe(large);
    const answer = await call(server, "/stream", {
      onData: (text) => void (text === "one\n" && fs.writeFileSync(release, "")),
    });
    expect(answer).toMatchObject({ status: 200, body: "one\ntwo\n", cut: false });
  });

  test("is healthy for as long as it runs, and ready while it has room", async () => {
    const server = await start(command, { max_inflight: "1" });
    const check = () =>
      spawnSync(command[0]!, [...command.slice(1), "--healthcheck"], {
        env: { ...process.env, port: String(server.port) },
      }).status;
    expect(check()).toBe(0);
    expect((await call(server, "/_/ready")).status).toBe(200);
    const waiting = call(server, "/wait");
    await until(async () => (await call(server, "/_/ready")).status === 503);
    expect((await call(server, "/_/health")).status).toBe(200);
    expect((await call(server, "/")).status).toBe(429);
    fs.writeFileSync(release, "");
    expect((await waiting).status).toBe(200);
    await until(async () => (await call(server, "/_/ready")).status === 200);
    server.child.kill("SIGKILL");
    await server.exit;
    expect(check()).toBe(1);
  });

  test("finishes what is under way when it is told to stop", async () => {
    const server = await start(command, { max_inflight: "3" });
    const waiting = ["/wait", "/wait", "/stream"].map((url) => call(server, url));
    await until(async () => (await call(server, "/_/ready")).status === 503);
    server.child.kill("SIGTERM");
    await until(() =>
      call(server, "/_/health").then(
        () => false,
        () => true,
      ),
    );
    fs.writeFileSync(release, "");
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status, cut }) => [status, cut])).toEqual(Array(3).fill([200, false]));
    expect(answers[2]!.body).toBe("one\ntwo\n");
    expect(await server.exit).toBe(0);
  });

  test("answers on a kept connection after it was told to stop, and says that it is the last time", async () => {
    const server = await start(command);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<http.IncomingMessage>((resolve, reject) => {
        const options = { port: server.port, path: "/", agent };
        const asked = http.get(options, (response) => {
          response
            .resume()
            .once("end", () => resolve(Object.assign(response, { reused: asked.reusedSocket })));
        });
        asked.on("error", reject);
      });
    await ask();
    server.child.kill("SIGTERM");
    await until(async () => (await call(server, "/_/health")).status === 503);
    expect(await ask()).toMatchObject({ statusCode: 200, reused: true, headers: { connection: "close" } });
    expect(await server.exit).toBe(0);
    agent.destroy();
  });

  test("ends after write_timeout, whatever is under way, when it is told to stop", async () => {
    const server = await start(command, { write_timeout: "1500ms", exec_timeout: "0" });
    const waiting = call(server, "/wait").catch(() => undefined);
    await until(async () => (await call(server, "/_/health")).status === 200);
    const stopped = Date.now();
    server.child.kill("SIGTERM");
    // Node and Python end the call itself after write_timeout; Go has the handler go on, and says that it did.
    expect(await server.exit).toBe(lang === "go" ? 1 : 0);
    const seconds = (Date.now() - stopped) / 1000;
    // At least the second in which answers say that they are the last.
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(10);
    expect((await waiting)?.status).not.toBe(200);
    expect(server.log().includes("calls were still under way at the end")).toBe(lang === "go");
  });

  test("answers 504 for a handler that takes too long, and cuts an answer that had begun", async () => {
    const server = await start(command, { exec_timeout: "300ms" });
    expect(await call(server, "/wait")).toMatchObject({ status: 504, body: "the function took too long\n" });
    expect(await call(server, "/stream")).toMatchObject({ status: 200, body: "one\n", cut: true });
    expect((await call(server, "/")).status).toBe(200);
  });

  test("does not wait for a request that does not arrive", async () => {
    const server = await start(command, { read_timeout: "300ms" });
    const answer = await new Promise<string>((done) => {
      let text = "";
      const socket = net.connect(server.port, "127.0.0.1", () =>
        socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhei"),
      );
      socket.on("data", (data) => (text += String(data)));
      socket.on("close", () => done(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("closes a connection whose first request has no end of its head", async () => {
    const server = await start(command, { read_timeout: "300ms" });
    const closed = new Promise((done) => {
      const socket = net.connect(server.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n"));
      socket.on("close", done).resume();
    });
    await closed;
    expect((await call(server, "/")).status).toBe(200);
  });

  test.each(DURATIONS)("reads the duration %j as %p", async (text, seconds) => {
    const server = await start(command, { exec_timeout: text });
    const told = /, exec_timeout (\S+)s$/m.exec(server.log())?.[1];
    if (seconds === undefined) {
      expect(await server.exit).toBe(1);
      expect(server.log()).toContain(`exec_timeout is "${text}"; it has to be a duration such as 90s`);
    } else expect(Number(told)).toBeCloseTo(seconds, 9);
    expect(parseDuration(text)).toEqual(
      seconds === undefined ? undefined : expect.closeTo(seconds * 1000, 6),
    );
  });

  test("begins with a handler that greets", async () => {
    const own = path.join(folder, `${lang}-own`);
    const server = await start(build(path.join(ROOT, "templates", lang, "function"), own));
    const { status, body } = await call(server, "/path", { body: "hei" });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ message: expect.stringMatching(/^Hello from /), body: "hei" });
  }, 120_000);
});

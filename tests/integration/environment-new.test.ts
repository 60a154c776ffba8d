/** `oslo-faas env new` against a real sshd: what is pinned is what the server has, and nothing is written before somebody agreed. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { PassThrough } from "node:stream";
import { parse } from "yaml";
import { readEnvironment } from "../../environment/files";
import { prompt } from "../../cli/env/ask";
import { fetchHostKey } from "../../cli/env/hostkey";
import { newEnvironment, registerNew, type Surroundings } from "../../cli/env/new";
import { requirePassphrase } from "../../cli/env/preview";
import { ending, UsageError } from "../../cli/errors";
import { newProgram } from "../../cli/help";
import { someContext } from "../unit/cli/context";
import { PreviewRepo, smallProgram } from "./previewRepo";
import { freePort, type Sshd, startSshd } from "./sshd";

let sshd: Sshd;
let root: string;
let fingerprint: string;

beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ["rsa", "ecdsa", "ed25519"] });
  const [, print = ""] = execFileSync("ssh-keygen", ["-lf", path.join(sshd.dir, "host_ed25519.pub")], {
    encoding: "utf8",
  }).split(" ");
  fingerprint = print;
});
afterAll(() => sshd.stop());
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-new-"));
  fs.mkdirSync(path.join(root, "stacks"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** What a run said, previewed and wrote. */
async function run(args: string[], more: Partial<Surroundings> = {}) {
  const said: string[] = [];
  const previewed: string[] = [];
  const around: Surroundings = {
    root,
    say: (line) => void said.push(line),
    beforePreview: () => false,
    preview: async (name) => void previewed.push(name),
    now: () => new Date("2026-11-23T12:00:00Z"),
    ...more,
  };
  const program = newProgram("oslo-faas").configureOutput({ writeErr: around.say });
  registerNew(program, someContext({ root }), (name, flags) => newEnvironment(name, flags, around));
  const error = await program.parseAsync(["new", ...args], { from: "user" }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { said: said.join("\n"), previewed, error, files: fs.readdirSync(path.join(root, "stacks")) };
}

const here = () => ["--address", "127.0.0.1", "--port", String(sshd.port)];

test("pins the server's key, of the best type it has, once the fingerprint is the expected one", async () => {
  const flags = ["--user", "ops", "--country", "NO", "--city", "Oslo", "--provider", "Eksempel AS"];
  const made = await run(["oslo-test", ...here(), ...flags, "--accept-fingerprint", fingerprint]);
  expect(made.error).toBeUndefined();
  expect(made.previewed).toEqual(["oslo-test"]);
  expect(made.said).toContain(`ssh-ed25519 ${fingerprint}`);
  const { environment, problems } = readEnvironment("oslo-test", root);
  expect(problems).toEqual([]);
  expect(environment).toMatchObject({
    host: { address: "127.0.0.1", port: sshd.port, user: "ops", hostKey: sshd.hostKeys.ed25519 },
    location: { country: "NO", city: "Oslo", provider: "Eksempel AS" },
    functions: [{ stack: "functions/stack.yml" }],
  });
  const text = fs.readFileSync(path.join(root, "stacks/Pulumi.oslo-test.yaml"), "utf8");
  expect(text.split("\n")[0]).toBe(
    "# yaml-language-server: $schema=../node_modules/oslo-faas/stacks/environment.schema.json",
  );
  expect(text).toContain(
    `# ${fingerprint}, fetched over the network and equal to the expected one, 2026-11-23.`,
  );
  // Nobody tried to log in.
  expect(sshd.log()).not.toMatch(/Accepted|Failed password/);
});

test("shares the base where there is one", async () => {
  fs.writeFileSync(path.join(root, "stacks/base.yaml"), "config:\n  oslo-faas:checks: [{path: /a}]\n");
  await run(["oslo-test", ...here(), "--accept-fingerprint", fingerprint, "--no-preview"]);
  expect(readEnvironment("oslo-test", root).environment?.checks).toEqual([{ path: "/a", status: 200 }]);
});

test("what the base says is the default, and only what differs is written", async () => {
  const base = { country: "SE", city: "Luleå", provider: "somebody" };
  fs.writeFileSync(
    path.join(root, "stacks/base.yaml"),
    `config:\n  oslo-faas:location: ${JSON.stringify(base)}\n  oslo-faas:host: {user: ops, port: 2222, privateKeyPath: keys/all}\n`,
  );
  const given = ["--address", "192.0.2.1", "--host-key", sshd.hostKeys.ed25519!, "--no-preview"];
  const config = (name: string) =>
    (parse(fs.readFileSync(path.join(root, `stacks/Pulumi.${name}.yaml`), "utf8")) as { config: object })
      .config;
  const most = {
    "pulumi:disable-default-providers": ["docker", "host", "openfaas"],
    "oslo-faas:extends": "stacks/base.yaml",
    // New environments let nobody in from outside, unless a function says so.
    "oslo-faas:openfaas": { access: "internal", queue: { natsStreaming: false } },
  };
  const host = { address: "192.0.2.1", hostKey: sshd.hostKeys.ed25519 };
  expect((await run(["oslo-a", ...given])).error).toBeUndefined();
  expect(config("oslo-a")).toEqual({ ...most, "oslo-faas:host": host });
  expect(readEnvironment("oslo-a", root).environment).toMatchObject({
    location: base,
    host: { ...host, user: "ops", port: 2222, privateKeyPath: "keys/all" },
  });
  // As the default of the schema is, and so different from the base.
  const other = ["--city", "Luleå", "--country", "NO", "--user", "root", "--port", "22"];
  await run(["oslo-b", ...given, ...other]);
  expect(config("oslo-b")).toEqual({
    ...most,
    "oslo-faas:location": { country: "NO" },
    "oslo-faas:host": { ...host, port: 22, user: "root" },
  });
});

test("a key with another fingerprint is refused, and nothing is written", async () => {
  const other = `SHA256:${"A".repeat(43)}`;
  const { error, files, previewed } = await run(["oslo-test", ...here(), "--accept-fingerprint", other]);
  expect(error).toBeInstanceOf(UsageError);
  expect(error!.message).toContain(
    `The host's key is ${fingerprint}, not the expected ${other}. Nothing was written.`,
  );
  expect([files, previewed]).toEqual([[], []]);
});

test("without anybody to ask, the fingerprint is shown and not trusted", async () => {
  const { error, said, files } = await run(["oslo-test", ...here()]);
  expect(said).toContain(fingerprint);
  expect(error!.message).toMatch(
    /Compare this fingerprint with what the host's own console prints: ssh-keygen -lf/,
  );
  expect(files).toEqual([]);
});

test("a key that is given is pinned without the network", async () => {
  const flags = ["--address", "192.0.2.1", "--host-key", `${sshd.hostKeys.ecdsa} root@host`, "--no-preview"];
  const { error, said, previewed } = await run(["oslo-test", ...flags]);
  expect(error).toBeUndefined();
  expect(previewed).toEqual([]);
  expect(said).toContain("pulumi up -s oslo-test");
  expect(readEnvironment("oslo-test", root).environment?.host.hostKey).toBe(sshd.hostKeys.ecdsa);
  const bad = await run(["oslo-b", "--address", "a", "--host-key", "ssh-ed25519 AAAA"]);
  expect(bad.error!.message).toBe(
    '--host-key: not a public host key such as "ssh-ed25519 AAAA…": it is cut short, or something follows it',
  );
});

describe("on a terminal", () => {
  const answering = (answers: string) => {
    const input = new PassThrough();
    const output = new PassThrough();
    input.end(answers);
    return prompt(input, output);
  };

  test("asks for missing values, repeats questions without a default, and accepts yes", async () => {
    const port = String(sshd.port);
    const answers = ["", "127.0.0.1", port, "ops", "", "Bergen", "", "", "perhaps", "yes", ""].join("\n");
    const { error, previewed } = await run(["oslo-test"], { prompt: answering(answers) });
    expect(error).toBeUndefined();
    expect(previewed).toEqual(["oslo-test"]);
    expect(readEnvironment("oslo-test", root).environment).toMatchObject({
      host: { user: "ops", hostKey: sshd.hostKeys.ed25519 },
      location: { country: "NO", city: "Bergen", provider: "self-hosted" },
    });
  });

  test("checks each answer when it is given, and loses none where the host cannot be reached", async () => {
    const closed = await freePort();
    fs.writeFileSync(path.join(root, "id"), "a key");
    const answers = [
      ...[
        "root@host",
        "127.0.0.1",
        "ssh",
        "70000",
        String(closed),
        "a b",
        "ops",
        "norge",
        "NO",
        "",
        "Eksempel AS",
      ],
      ...["nowhere", "id", "ssh-ed25519 AAAA", sshd.hostKeys.ed25519!, "", "of-the-state", ""],
    ];
    const passphrases: unknown[] = [];
    const output = new PassThrough();
    const input = new PassThrough();
    input.end(answers.join("\n"));
    const { error, said } = await run(["oslo-test"], {
      prompt: prompt(input, output),
      beforePreview: () => true,
      preview: async (_name, _root, passphrase) => void passphrases.push(passphrase),
    });
    expect(error).toBeUndefined();
    const shown = String(output.read());
    for (const mistake of [
      "must be a host name or an IP address",
      "must be a whole number from 1 to 65535",
      "must be a user's name",
      "must be a two-letter country code",
      "no file nowhere on this machine",
      "it is cut short",
      "an answer is required",
    ])
      expect(shown).toContain(mistake);
    expect(said).toContain(`127.0.0.1:${closed} cannot be reached: connection refused`);
    expect(passphrases).toEqual(["of-the-state"]);
    expect(said).toMatch(
      /A passphrase protects the secrets[^]*next: commit .*images lock -s oslo-test, then pulumi up/,
    );
    expect(readEnvironment("oslo-test", root).environment?.host).toMatchObject({
      address: "127.0.0.1",
      port: closed,
      user: "ops",
      privateKeyPath: "id",
      hostKey: sshd.hostKeys.ed25519,
    });
  });

  test.each([
    ["a no", () => "no\n", /Nothing was written: the key is not the host's/],
    ["another fingerprint", () => "SHA256:abc\n", /not the expected SHA256:abc/],
    ["an end of the input", () => "", /the input ended before every question was answered/],
  ])("%s writes nothing", async (_name, last, message) => {
    const given = [...here(), "--user", "ops", "--country", "NO", "--city", "Oslo", "--provider", "x"];
    const answers = last() && `\n${last()}`;
    const { error, files } = await run(["oslo-test", ...given], { prompt: answering(answers) });
    expect(error!.message).toMatch(message);
    expect(files).toEqual([]);
  });
});

test("on a real terminal the passphrase is asked for once and not shown, and the preview and the next step are the end", async () => {
  const repo = new PreviewRepo();
  repo.write("index.ts", smallProgram("/tmp/of-the-preview"));
  const passphrase = "only-for-the-engine";
  const { code, out } = await typed(repo.dir, [
    ["Name or address of the host: ", "127.0.0.1"],
    ["Its SSH port [22]: ", String(sshd.port)],
    ["[root]: ", "ops"],
    ["[NO]: ", ""],
    ["City [Oslo]: ", ""],
    // What the base says.
    ["[example-hosting]: ", "Eksempel AS"],
    ["Private key to log in with", ""],
    ["or the fingerprint itself): ", "yes"],
    ["Passphrase of oslo-test (not shown): ", passphrase],
  ]);
  const file = repo.read("stacks/Pulumi.oslo-test.yaml");
  repo.remove();
  expect({ code, out: code === 0 ? "" : out }).toEqual({ code: 0, out: "" });
  expect(file).toContain(`hostKey: ${sshd.hostKeys.ed25519}\n`);
  expect(file).toContain("provider: Eksempel AS\n");
  expect(out).toMatch(/host:index:File.*conf/);
  expect(out).toContain(fingerprint);
  expect(out).not.toContain(passphrase);
  expect(out).not.toContain("Enter your passphrase");
  expect(out).toMatch(/next: commit .*pulumi up -s oslo-test/);
});

/** `npx oslo-faas env new oslo-test` on a terminal of its own: what is waited for on its screen, and what is typed then ("" is Enter alone). */
function typed(cwd: string, talk: [string, string][]): Promise<{ code: number | null; out: string }> {
  const {
    PULUMI_BACKEND_URL: _b,
    PULUMI_CONFIG_PASSPHRASE: _p,
    PULUMI_CONFIG_PASSPHRASE_FILE: _f,
    ...env
  } = process.env;
  // One of those that the engine does not ask for its colours, which takes 5 s where nobody answers.
  const TERM = "screen";
  const command = `'${process.execPath}' dev/bootstrap.mjs env new oslo-test`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd, env: { ...env, TERM } });
  const timer = setTimeout(() => child.kill(), 120_000);
  const waiting = [...talk];
  let [out, from] = ["", 0];
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    for (let at; waiting[0] && (at = out.indexOf(waiting[0][0], from)) >= 0;) {
      const [[question, answer]] = [waiting.shift()!];
      from = at + question.length;
      child.stdin.write(`${answer}\r`);
    }
  });
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, out });
    }),
  );
}

test.each<[string, string[], RegExp]>([
  ["no name", [], /The new environment needs a name/],
  ["two names", ["a", "b"], /too many arguments/],
  ["capitals", ["Oslo"], /"Oslo" cannot name an environment/],
  ["a path", ["../x"], /cannot name an environment/],
  ["no address", ["oslo-test"], /--address is missing, and there is no terminal to ask for it/],
  [
    "an unknown flag",
    ["oslo-test", "--adress", "a"],
    /unknown option '--adress'\s\(Did you mean --address\?\)/,
  ],
  ["a port in words", ["oslo-test", "--address", "a", "--port", "ssh"], /--port: "ssh" must be a port/],
])("%s is refused", async (_name, args, message) => {
  const { error, files } = await run(args);
  expect(await ending(error)).toMatchObject({ code: 2 });
  expect(error!.message).toMatch(message);
  expect(files).toEqual([]);
});

test("a private key that is not there is refused", async () => {
  const { error, files } = await run(["oslo-test", ...here(), "--private-key", "keys/none"]);
  expect(error!.message).toBe("--private-key: no file keys/none on this machine");
  expect(files).toEqual([]);
});

test("wrong answers are named all at once, before the network is asked", async () => {
  const flags = ["--address", "root@host", "--country", "Norge", "--user", "a b", "--port", "0"];
  const { error, said } = await run(["oslo-test", ...flags]);
  const [head, ...lines] = error!.message.split("\n");
  expect(head).toBe("The file would have mistakes:");
  expect(lines.map((line) => line.trim().split(":")[0]).sort()).toEqual([
    "host.address",
    "host.port",
    "host.user",
    "location.country",
  ]);
  expect(said).toBe("");
});

test("never writes over a file", async () => {
  fs.writeFileSync(path.join(root, "stacks/Pulumi.oslo-test.yaml"), "mine\n");
  const { error } = await run(["oslo-test", ...here(), "--accept-fingerprint", fingerprint]);
  expect(error!.message).toContain("stacks/Pulumi.oslo-test.yaml already exists");
  expect(fs.readFileSync(path.join(root, "stacks/Pulumi.oslo-test.yaml"), "utf8")).toBe("mine\n");
});

test("refuses a preview without a passphrase before anything is written", async () => {
  const beforePreview = () => requirePassphrase(false, {});
  const { error, files } = await run(["oslo-test", ...here(), "--accept-fingerprint", fingerprint], {
    beforePreview,
  });
  expect(error!.message).toContain(
    "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or use --no-preview",
  );
  expect(files).toEqual([]);
});

describe("a host that gives no key", () => {
  const listening = async (onConnect: (socket: net.Socket) => void) => {
    const open = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      open.add(socket.on("error", () => undefined));
      onConnect(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = () => {
      open.forEach((socket) => socket.destroy());
      server.close();
    };
    return { port: (server.address() as net.AddressInfo).port, close };
  };

  test("nobody listens", async () => {
    const { port, close } = await listening(() => undefined);
    close();
    const { error, files } = await run(["oslo-test", "--address", "127.0.0.1", "--port", String(port)]);
    expect(error!.message).toContain(`127.0.0.1:${port} cannot be reached: connection refused`);
    expect(error!.message).toContain("give its key with --host-key");
    expect(files).toEqual([]);
  });

  test("gives up on a silent server after the limit, and names what it waited for", async () => {
    const { port, close } = await listening(() => undefined);
    const start = Date.now();
    await expect(fetchHostKey("127.0.0.1", port, 500)).rejects.toThrow(
      `127.0.0.1:${port} did not answer within 0.5 s, waiting for the SSH server's greeting and key`,
    );
    expect(Date.now() - start).toBeLessThan(3000);
    close();
  });

  test("names a server that does not speak SSH, or closes the connection", async () => {
    const web = await listening((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(fetchHostKey("127.0.0.1", web.port, 5000)).rejects.toThrow(/cannot be reached: /);
    web.close();
    const mute = await listening((socket) => socket.end());
    await expect(fetchHostKey("127.0.0.1", mute.port, 5000)).rejects.toThrow(/cannot be reached: /);
    mute.close();
  });

  test("names a host name that cannot be resolved", async () => {
    await expect(fetchHostKey("no-such-host.invalid", 22, 10_000)).rejects.toThrow(
      /cannot be reached: |did not answer/,
    );
  });
});

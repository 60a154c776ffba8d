/** A function on this machine: its variables and secrets, and a new start when one of its files changes. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { runHere } from "../../../../cli/functions/run";

const ROOT = path.resolve(__dirname, "../../../..");
let root: string;
let before: string;
let port: number;
const lines: string[] = [];

const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  fs.writeFileSync(path.join(root, name), text);
};
const answer = () =>
  fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })
    .then((response) => response.text())
    .catch(() => "");
async function until(expected: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if ((await answer()) === expected) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`no "${expected}", but "${await answer()}"; ${lines.join("\n")}`);
}

beforeEach(async () => {
  before = process.cwd();
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-run-"));
  for (const part of ["templates", "stacks/Pulumi.oslo-dev.yaml", "stacks/base.yaml"])
    fs.cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
  lines.length = 0;
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as net.AddressInfo).port;
  await new Promise((done) => server.close(done));
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(root, { recursive: true });
});

function stack(keys: string): void {
  write(
    "functions/stack.yml",
    `provider: { name: openfaas }
functions:
  hei: { lang: node, handler: ./hei, image: "hei:1"${keys} }
`,
  );
}

async function running(work: () => Promise<void>, secrets: object = {}): Promise<void> {
  const answers = JSON.stringify({ "oslo-faas:functionSecrets": { objectValue: secrets } });
  write("pulumi", `#!/bin/sh\ncat <<'END'\n${answers}\nEND\n`);
  fs.chmodSync(path.join(root, "pulumi"), 0o755);
  const ending = new AbortController();
  const ended = runHere("hei", {
    root,
    stack: "oslo-dev",
    port,
    engine: async () => ({ program: path.join(root, "pulumi"), env: process.env }),
    say: (line) => lines.push(line),
    signal: ending.signal,
  });
  try {
    await Promise.race([work(), ended]);
  } finally {
    ending.abort();
    await ended;
  }
}

test("it has the variables of its files, and is started again when one changes", async () => {
  stack(', environment: { WORD: "hei" }, environment_file: [env.yml]');
  write("functions/env.yml", "environment: { PLACE: Oslo }\n");
  write("functions/hei/handler.js", "module.exports = () => `${process.env.WORD} ${process.env.PLACE}`;\n");
  await running(async () => {
    await until("hei Oslo");
    write("functions/hei/handler.js", "module.exports = () => require('./lib/word');\n");
    write("functions/hei/lib/word.js", "module.exports = 'changed';\n");
    await until("changed");
    write("functions/hei/handler.js", "module.exports = () => process.env.PLACE;\n");
    write("functions/env.yml", "environment: { PLACE: Bergen }\n");
    await until("Bergen");
  });
  expect(await answer()).toBe("");
}, 60_000);

test("a mistake in a file is said, and what ran before goes on", async () => {
  stack("");
  write("functions/hei/handler.js", "module.exports = () => 'hei';\n");
  await running(async () => {
    await until("hei");
    stack(", mistyped: x");
    for (let i = 0; i < 200 && !lines.some((line) => line.includes("mistyped")); i++)
      await new Promise((next) => setTimeout(next, 50));
    expect(lines.join("\n")).toContain("functions.hei.mistyped: is not supported");
    expect(await answer()).toBe("hei");
    stack("");
    write("functions/hei/handler.js", "module.exports = () => 'again';\n");
    await until("again");
  });
}, 60_000);

test("it reads the environment's secrets, and nothing of them stays behind", async () => {
  stack(", secrets: [word]");
  fs.appendFileSync(
    path.join(root, "stacks/Pulumi.oslo-dev.yaml"),
    "  oslo-faas:functionSecrets:\n    word:\n      secure: v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
  );
  write(
    "functions/hei/handler.js",
    `const fs = require("fs");
const folder = fs.existsSync("/var/openfaas/secrets/word") ? "/var/openfaas/secrets" : process.env.secret_mount_path;
module.exports = () => fs.readFileSync(folder + "/word", "utf8") + folder.length;\n`,
  );
  let folder = "";
  await running(
    async () => {
      for (let i = 0; i < 200 && !folder; i++) {
        folder = /^canary(\d+)$/.exec(await answer())?.[1] ?? "";
        await new Promise((next) => setTimeout(next, 50));
      }
    },
    { word: "canary" },
  );
  expect(folder).not.toBe("");
  expect(lines.join("\n")).not.toContain("canary");
  expect(fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("oslo-faas-secrets-"))).toEqual([]);
}, 60_000);

test("a function that nobody has is told with the nearest name", async () => {
  stack("");
  write("functions/hei/handler.js", "module.exports = () => 'hei';\n");
  const options = { root, stack: "oslo-dev", port, engine: jest.fn(), say: jest.fn() };
  await expect(runHere("hej", { ...options, signal: new AbortController().signal })).rejects.toThrow(
    "oslo-dev has no function hej, did you mean hei?",
  );
});

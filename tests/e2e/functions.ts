/**
 * Functions that the host's own engine builds: one from a Dockerfile, one from a handler with a template.
 * What one step has brought up, the next goes on with.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { CLONE, FRONT_DOOR, lab, npm, ok, onHostOk, pulumi, pulumiOk, stateFile, variant } from "./lib";

const folder = path.join(lab.cacheDir, "built");
const NODE_IMAGE = "registry.lab:5000/oslo-faas/node:22";
const WORDS = ["canary-of-a-function", "canary-two"] as const;

/** The stack file that the host was last brought up with. */
export const built = { config: "" };

const call = async (name: string) => (await ok(["curl", "-sS", `${FRONT_DOOR}/function/${name}`])).stdout;
const up = (timeoutSeconds: number, ...more: string[]) =>
  pulumi(["up", "--yes", "--skip-preview", ...more], { config: built.config, timeoutSeconds });

/** The function `word`, which tells how long its secret is. */
const SAYS_ITS_WORD =
  'module.exports = () => require("fs").readFileSync("/var/openfaas/secrets/word", "utf8").length + process.env.AFTER;\n';

function write(name: string, content: string): void {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}

const setWord = (value: string) =>
  pulumiOk(["config", "set", "--secret", "--path", "functionSecrets.word", "--config-file", built.config], {
    input: value,
  });

function writeFunctions(): string {
  write(
    "greet/Dockerfile",
    'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY server.js /server.js\nUSER 65532:65532\nENTRYPOINT ["node", "/server.js"]\n',
  );
  write(
    "greet/server.js",
    'require("http").createServer((q, r) => r.end("built here")).listen(8080);\nprocess.on("SIGTERM", () => process.exit());\n',
  );
  write("word/handler.js", SAYS_ITS_WORD);
  write(
    "stack.yml",
    `provider: { name: openfaas }
functions:
  greet:
    lang: dockerfile
    handler: ./greet
    image: ghcr.io/example/greet:1
    build_args: { NODE_IMAGE: ${NODE_IMAGE} }
  word:
    lang: node
    handler: ./word
    image: ghcr.io/example/word:1
    secrets: [word]
    environment: { AFTER: "\${AFTER:- letters}" }
    readonly_root_filesystem: true
`,
  );
  return path.relative(CLONE, path.join(folder, "stack.yml"));
}

export async function buildsOnTheHost(): Promise<void> {
  const config = (built.config = variant("built", {
    "images.own": "build",
    "images.node": "oslo-faas/node:22",
    functions: writeFunctions(),
    checks: [{ path: "/function/greet" }],
  }));
  await setWord(WORDS[0]);
  // BuildKit asks a registry without TLS for nothing, whatever daemon.json says of it; a base that is there it does not ask for.
  const digest = JSON.parse(fs.readFileSync(lab.imagesLock, "utf8")).images[NODE_IMAGE];
  await onHostOk(`docker pull -q ${NODE_IMAGE} && docker pull -q ${NODE_IMAGE}@${digest}`, {
    timeoutSeconds: 120,
  });
  const result = await up(600);
  if (result.code !== 0) throw new Error(result.all.slice(-8000));
  expect(await call("greet")).toBe("built here");
  expect(await call("word")).toBe("20 letters");
  expect(
    await onHostOk("docker service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Image}}' swarm-provider"),
  ).toMatch(/^localhost\/oslo-faas\/swarm-provider:[0-9a-f]{12}\n$/);
  await pulumiOk(["preview", "--expect-no-changes"], { config });
  await pulumiOk(["refresh", "--preview-only", "--expect-no-changes"], { config });
}

const functions = (verb: string, name: string, ...more: string[]) =>
  ok(npm("functions", verb, name, "-s", lab.stack, "--config-file", built.config, ...more), {
    env: { PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile, NO_COLOR: "1" },
    timeoutSeconds: 300,
  });

/** One function by itself: its deploy leaves nothing to do for the next `up`, and its log and state need no password. */
export async function oneGoesByItself(): Promise<void> {
  write(
    "word/handler.js",
    SAYS_ITS_WORD.replace(" + ", ' + " of" + ').replace(/^/, 'console.log("begun");\n'),
  );
  const deployed = await functions("deploy", "word");
  expect(deployed.stdout).toMatch(/^word is deployed, in [\d.]+ s: http/m);
  expect((await functions("invoke", "word")).stdout).toBe("20 of letters");
  await pulumiOk(["preview", "--expect-no-changes"], { config: built.config });
  expect((await functions("logs", "word")).stdout).toMatch(/^\d{4}-\d\d-\d\d [\d:]{8} {2}begun$/m);
  const told = (await functions("describe", "word")).stdout;
  expect(told).toMatch(/1 of 1 replicas run/);
  expect(told).toMatch(/built from +\.\/word with node/);
  expect(told).not.toContain(WORDS[0]);
  write("word/handler.js", SAYS_ITS_WORD);
  await functions("deploy", "word");
  expect(await call("word")).toBe("20 letters");
}

export async function failsWithTheOldVersionServing(): Promise<void> {
  write("word/handler.js", 'throw new Error("no such fjord");\n');
  const failed = await up(300);
  expect(failed.code).not.toBe(0);
  expect(failed.all).toContain(
    "the new version of the function word did not stay up, and the version before it serves",
  );
  expect(failed.all).toContain("Error: no such fjord");
  expect(await call("word")).toBe("20 letters");
  write("word/handler.js", SAYS_ITS_WORD);
}

/** One function was removed by hand, the other scaled to nothing, and its secret gets another value: one `up` for all. */
export async function putsBackAndRotates(): Promise<void> {
  await onHostOk("docker service rm greet && docker service scale -d word=0");
  const drift = await pulumi(["refresh", "--preview-only", "--diff"], { config: built.config });
  expect(drift.stdout).toMatch(/- openfaas:index:Function: \(delete\)[^]*::functions-greet\]/);
  expect(drift.stdout).toMatch(/::functions-word\][^]*\+ replicas: 0/);
  await setWord(WORDS[1]);
  const repaired = await up(300, "--refresh", "--diff");
  expect(repaired.code).toBe(0);
  expect(repaired.stdout).toMatch(
    /~ openfaas:index:FunctionSecret[^]*~ openfaas:index:Function:[^]*secretRevisions/,
  );
  expect(await call("greet")).toBe("built here");
  expect(await call("word")).toBe("10 letters");
  expect(repaired.all + fs.readFileSync(stateFile(), "utf8")).not.toMatch(/canary-(two|of-a-function)/);
  // The value before it goes as soon as no function has it.
  const values = "docker secret ls -q -f label=com.openfaas.owner=openfaas";
  const gone = `for i in $(seq 40); do [ "$(${values} | wc -l)" = 1 ] && break; sleep 0.5; done; ${values} | wc -l`;
  expect(await onHostOk(gone)).toBe("1\n");
}

/** From this machine's engine, over SSH, with no registry between and no base that one would have to have. */
export async function loadsFromThisMachine(): Promise<void> {
  write("carried/Dockerfile", 'FROM scratch\nCOPY hello /hello\nUSER 65532:65532\nENTRYPOINT ["/hello"]\n');
  const source = path.join(folder, "carried-source");
  fs.cpSync(path.join(CLONE, "templates/go"), source, { recursive: true });
  fs.rmSync(path.join(source, "function"), { recursive: true });
  fs.cpSync(path.join(CLONE, "functions/hello"), path.join(source, "function"), { recursive: true });
  const go = ["go", "-C", source, "build", "-trimpath", "-o", path.join(folder, "carried/hello"), "."];
  await ok(go, { env: { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOWORK: "" } });
  write(
    "carried.yml",
    "provider: { name: openfaas }\nfunctions:\n  carried: { lang: dockerfile, handler: ./carried, image: ghcr.io/example/carried:1 }\n",
  );
  const lock = path.join(folder, "lock.json");
  fs.copyFileSync(lab.imagesLock, lock);
  const config = variant("loaded", {
    "images.functions": "loaded",
    "images.lock": path.relative(CLONE, lock),
    functions: path.relative(CLONE, path.join(folder, "carried.yml")),
    checks: [{ path: "/function/carried" }],
    // Somebody else's network: the checks that end the `up` ask from the host itself.
    "nginx.managementAllow": ["198.51.100.0/24"],
  });
  const early = await pulumi(["preview"], { config });
  expect(early.all).toContain("functions.carried.handler: is, as it is now, not on the host yet");
  const load = npm("functions", "build", "-s", lab.stack, "--config-file", config, "--load");
  const loaded = await ok(load, { timeoutSeconds: 300, env: { DOCKER_BUILDKIT: "0" } });
  expect(loaded.all).toContain("was loaded onto");
  await pulumiOk(["up", "--yes", "--skip-preview"], { config, timeoutSeconds: 600 });
  expect(await call("carried")).toContain("Hello, world!");
  const status = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", `${FRONT_DOOR}/system/functions`];
  expect((await ok(status)).stdout).toBe("403");
  const running = "docker service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Image}}' carried";
  expect(await onHostOk(running)).toMatch(/^localhost\/oslo-faas\/fn-carried:[0-9a-f]{64}\n$/);
  await pulumiOk(["preview", "--expect-no-changes"], { config });
  await pulumiOk(["refresh", "--preview-only", "--expect-no-changes"], { config });
  const [image] = Object.entries(JSON.parse(fs.readFileSync(lock, "utf8")).images as Record<string, string>)
    .filter(([name]) => name.includes("/fn-carried:"))
    .map(([, id]) => `localhost/oslo-faas/fn-carried:${id.slice("sha256:".length)}`);
  await ok(["docker", "rmi", "-f", image!, "registry.lab:5000/example/carried:1"]);
  built.config = config;
}

/**
 * `oslo-faas functions run`: a function on this machine, by its own interpreter or compiler, with the variables and secrets that its
 * environment gives it. Started again when one of its files changes.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { contentOf, layOut } from "../../components/functions/build";
import { isOwnTemplate } from "../../components/functions/templates";
import { type Child, kill, lastLines, run, start } from "../../programs/run";
import type { Engine } from "../context";
import { Unusable } from "../errors";
import { readKnown } from "./one";
import type { Where } from "../environment";

export interface RunOptions extends Where {
  port: number;
  engine(args: string[]): Promise<Engine>;
  say: (line: string) => void;
  /** Ends it. */
  signal: AbortSignal;
}

const INSTALL_MS = 600_000;
/** An editor writes a file in several steps. */
const SETTLE_MS = 150;

/** @throws an Error with one clear message where it cannot be started at all; later mistakes are said, and the next change tries again */
export async function runHere(name: string, options: RunOptions): Promise<void> {
  process.chdir(options.root);
  const secrets = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-secrets-"));
  try {
    await new LocalRun(name, options, secrets).serve();
  } finally {
    fs.rmSync(secrets, { recursive: true, force: true });
  }
}

class LocalRun {
  private readonly folder: string;
  private child?: Child;
  private secretsOf = "";

  constructor(
    private readonly name: string,
    private readonly options: RunOptions,
    private readonly secrets: string,
  ) {
    this.folder = path.join(".cache", "run", name);
  }

  async serve(): Promise<void> {
    const { signal, say } = this.options;
    let one = await this.begin();
    while (!signal.aborted) {
      const changed = await firstChange(watched(one), signal);
      if (signal.aborted) break;
      say(`${changed} changed`);
      try {
        one = await this.begin();
      } catch (error) {
        // The version before keeps running: a half-written file must not end it.
        say((error as Error).message);
      }
    }
    this.end();
  }

  private async begin(): Promise<FunctionOfFile> {
    const { found } = readKnown(this.name, this.options);
    const { build, spec, file } = found;
    if (!build || !isOwnTemplate(build, file) || !Object.hasOwn(START, build.lang))
      throw new Unusable(
        `${this.name} is not made of a handler in ${Object.keys(START).join(", ")}; run its image with docker: \`npx oslo-faas functions build ${this.name} -s ${this.options.stack}\`.`,
      );
    const folder = path.join(this.folder, "function");
    fs.rmSync(folder, { recursive: true, force: true });
    layOut(contentOf(build, file), this.folder);
    const command = await START[build.lang]!(this.folder);
    await this.writeSecrets(spec.secrets);
    this.end();
    const [program, ...args] = spec.secrets.length > 0 ? await withSecrets(this.secrets, command) : command;
    const env = {
      ...process.env,
      secret_mount_path: this.secrets,
      ...spec.env,
      port: String(this.options.port),
    };
    const child = start(program!, args, { cwd: this.folder, env, stdio: "inherit", group: true });
    child.once("error", (error) => this.options.say(`${program}: ${error.message}`));
    this.child = child;
    this.options.say(
      `${this.name}: http://127.0.0.1:${this.options.port} (${build.handler}, Ctrl-C ends it)`,
    );
    return found;
  }

  private end(): void {
    if (this.child) kill(this.child);
    this.child = undefined;
  }

  /** Values come from the engine, which decrypts the environment's file; they are in no argument and in no log. */
  private async writeSecrets(names: string[]): Promise<void> {
    if (names.join("\n") === this.secretsOf) return;
    const { stack, configFile, root } = this.options;
    const engine = await this.options.engine(["config", "--stack", stack]);
    const file = configFile ? ["--config-file", configFile] : [];
    const args = ["config", "--show-secrets", "--json", "--stack", stack, ...file, "--non-interactive"];
    const asked = await run(engine.program, args, { cwd: root, env: engine.env, limitMs: 60_000 });
    if (asked.problem) throw new Error(`The secrets of ${stack} cannot be read.\n${lastLines(asked.stderr)}`);
    const all = JSON.parse(asked.stdout) as Record<string, { objectValue?: Record<string, string> }>;
    const values = all["oslo-faas:functionSecrets"]?.objectValue ?? {};
    for (const name of names)
      fs.writeFileSync(path.join(this.secrets, name), values[name] ?? "", { mode: 0o600 });
    this.secretsOf = names.join("\n");
  }
}

/** What each template is started with, once all that it needs lies in the folder. */
const START: Readonly<Record<string, (folder: string) => Promise<string[]>>> = {
  node: async (folder) => {
    const manifest = path.join(folder, "function", "package.json");
    const { dependencies = {} } = fs.existsSync(manifest)
      ? (JSON.parse(fs.readFileSync(manifest, "utf8")) as { dependencies?: object })
      : {};
    if (Object.keys(dependencies).length > 0)
      await installOnce(folder, ["package.json", "package-lock.json"], async () => {
        for (const file of ["package.json", "package-lock.json"])
          fs.copyFileSync(path.join(folder, "function", file), path.join(folder, file));
        await step(folder, "npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"]);
      });
    return [process.execPath, "index.js"];
  },
  python: async (folder) => {
    await installOnce(folder, ["requirements.txt"], () => step(folder, "python3", ["install.py"]));
    return ["python3", "index.py"];
  },
  go: async (folder) => {
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "" };
    await step(folder, "go", ["build", "-buildvcs=false", "-o", "server", "."], env);
    return ["./server"];
  },
};

/** Packages stay until a file that names them changes. */
async function installOnce(folder: string, files: string[], install: () => Promise<void>): Promise<void> {
  const hash = createHash("sha256");
  for (const file of files) {
    const full = path.join(folder, "function", file);
    hash.update(fs.existsSync(full) ? fs.readFileSync(full) : "").update("\0");
  }
  const marker = path.join(folder, ".installed");
  const key = hash.digest("hex");
  if (fs.existsSync(marker) && fs.readFileSync(marker, "utf8") === key) return;
  await install();
  fs.writeFileSync(marker, key);
}

async function step(cwd: string, program: string, args: string[], env?: NodeJS.ProcessEnv): Promise<void> {
  const ended = await run(program, args, { cwd, env, limitMs: INSTALL_MS });
  if (ended.problem)
    throw new Error(`${program} ${args[0]} ${ended.problem}\n${lastLines(ended.output, 20)}`);
}

/**
 * Handlers read /var/openfaas/secrets, which this machine has not: the program gets a view of the file system that has it, where the kernel
 * lets a user make one. Elsewhere the variable secret_mount_path alone says where they lie.
 */
async function withSecrets(folder: string, command: string[]): Promise<string[]> {
  const unshare = ["unshare", "--user", "--map-root-user", "--mount"];
  const able = await run(unshare[0]!, [...unshare.slice(1), "mount", "-t", "tmpfs", "tmpfs", "/var"], {
    limitMs: 10_000,
  });
  if (able.problem) return command;
  const script =
    'mount -t tmpfs tmpfs /var && mkdir -p /var/tmp /var/openfaas/secrets && mount --bind "$1" /var/openfaas/secrets && shift && exec "$@"';
  return [...unshare, "sh", "-c", script, "sh", folder, ...command];
}

function watched({ build, file, environmentFiles }: FunctionOfFile): string[] {
  const beside = path.dirname(file);
  return [
    file,
    ...[build!.handler, ...build!.copy, ...environmentFiles].map((one) => path.join(beside, one)),
  ];
}

/** The first of these files, or of the files below them, that changes. */
function firstChange(paths: string[], signal: AbortSignal): Promise<string> {
  return new Promise((done) => {
    const watchers: fs.FSWatcher[] = [];
    const finish = (changed: string) => {
      for (const watcher of watchers.splice(0)) watcher.close();
      setTimeout(() => done(changed), SETTLE_MS);
    };
    for (const one of paths.filter((file) => fs.existsSync(file))) {
      const isFolder = fs.statSync(one).isDirectory();
      // Editors replace a file: what is watched is the folder that it lies in.
      const folder = isFolder ? one : path.dirname(one);
      watchers.push(
        fs.watch(folder, { recursive: isFolder }, (_event, changed) => {
          if (changed === null || /(^|\/)(node_modules|\.git|__pycache__)(\/|$)|~$|\.sw.$/.test(changed))
            return;
          if (isFolder || changed === path.basename(one)) finish(path.join(folder, changed));
        }),
      );
    }
    signal.addEventListener("abort", () => finish(""), { once: true });
  });
}

/** A scratch project of the real engine that uses this clone's plugin: own folder, own state, own passphrase. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { resolveToolchain } from "../../lab/toolchain/resolve";

const CLONE = path.resolve(__dirname, "../..");

export interface Outcome {
  code: number;
  /** stdout and stderr as they came. */
  text: string;
  ms: number;
}

export class PulumiProject {
  private constructor(
    readonly dir: string,
    private readonly pulumi: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** `program` is TypeScript that imports the SDKs from "SDK" and "OPENFAAS_SDK"; whatever it reads from ./input.json a test sets with `input()`. */
  static async make(program: string): Promise<PulumiProject> {
    const { pulumi, env } = await resolveToolchain({ quiet: true, args: ["--stack", "test"] });
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-pulumi-"));
    const project = {
      name: "plugin-test",
      runtime: {
        name: "nodejs",
        options: { typescript: false, nodeargs: `--require ${path.join(CLONE, "bundle/preload.cjs")}` },
      },
      main: "program.ts",
      backend: { url: `file://${dir}` },
      plugins: {
        providers: ["host", "openfaas"].map((name) => ({ name, path: path.join(CLONE, "providers", name) })),
      },
    };
    fs.writeFileSync(path.join(dir, "Pulumi.yaml"), JSON.stringify(project));
    fs.writeFileSync(
      path.join(dir, "program.ts"),
      program
        .replaceAll('"SDK"', JSON.stringify(path.join(CLONE, "providers/host/sdk")))
        .replaceAll('"OPENFAAS_SDK"', JSON.stringify(path.join(CLONE, "providers/openfaas/sdk"))),
    );
    fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(dir, "node_modules"));
    const made = new PulumiProject(dir, pulumi, {
      ...env,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_BACKEND_URL: `file://${dir}`,
      NO_COLOR: "1",
    });
    await made.run("stack", "init", "test");
    return made;
  }

  input(values: object): void {
    fs.writeFileSync(path.join(this.dir, "input.json"), JSON.stringify(values));
  }

  async run(...args: string[]): Promise<Outcome> {
    const started = Date.now();
    const child = spawn(this.pulumi, [...args, "--non-interactive", "--color", "never"], {
      cwd: this.dir,
      env: this.env,
    });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.stderr.on("data", (chunk) => (text += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), 240_000);
    const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? -1)));
    clearTimeout(timer);
    return { code, text, ms: Date.now() - started };
  }

  /** As `run`, and an error with all that was printed where it fails. */
  async ok(...args: string[]): Promise<Outcome> {
    const outcome = await this.run(...args);
    if (outcome.code !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${outcome.code}:\n${outcome.text}`);
    return outcome;
  }

  async state(): Promise<string> {
    return (await this.ok("stack", "export")).text;
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A git repository with this project in it, as it is in the work tree, for tests of the preview. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Sshd } from "./sshd";

const CLONE = path.resolve(__dirname, "../..");

const LIMIT_MS = 300_000;

type Meanwhile = (end: (signal: NodeJS.Signals) => void) => Promise<void>;

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** An environment's file for a real sshd, with Nginx's keepalive as the one thing that a test changes. */
export const smallStack = (sshd: Sshd, login: string): string => `config:
  oslo-faas:host:
    address: 127.0.0.1
    port: ${sshd.port}
    user: root
    hostKey: ${sshd.hostKeys.ed25519}
${login}  oslo-faas:nginx:
    keepalive: 64
`;

/** A program of two files in a folder of a host, out of the environment's configuration; one of them is a secret. */
export const smallProgram = (folder: string): string => `
import { loadEnvironment } from "oslo-faas";
import * as pulumi from "@pulumi/pulumi";
import * as host from "oslo-faas/host";
const { host: at, nginx, pinnedHostKey, gatewayPassword } = loadEnvironment();
const provider = new host.Provider("host", {
  host: at.address, port: at.port, user: at.user, privateKeyPath: at.privateKeyPath, hostKey: pinnedHostKey,
});
new host.File("conf", { path: ${JSON.stringify(`${folder}/conf`)}, content: \`one\\nkeepalive \${nginx.keepalive}\\nthree\\n\` }, { provider });
new host.File("login", { path: ${JSON.stringify(`${folder}/login`)}, content: pulumi.interpolate\`\${gatewayPassword}\\n\` }, { provider });
`;

export class PreviewRepo {
  readonly dir: string;

  /** Everything that git would track. The first commit is the branch `main`. @param modules share node_modules. Default: true */
  constructor({ modules = true } = {}) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-previewed-"));
    // Of the stack files only those that git has: a lab of another test that runs at the same time has one there for a moment.
    const files = [["-c"], ["-o", "--exclude-standard", "--", ":!stacks/Pulumi.*"]]
      .map((which) => execFileSync("git", ["ls-files", "-z", ...which], { cwd: CLONE, encoding: "utf8" }))
      .join("");
    for (const file of files.split("\0").filter((name) => name && fs.existsSync(path.join(CLONE, name)))) {
      fs.mkdirSync(path.join(this.dir, path.dirname(file)), { recursive: true });
      fs.copyFileSync(path.join(CLONE, file), path.join(this.dir, file));
    }
    if (modules) fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(this.dir, "node_modules"));
    this.git("init", "-q", "-b", "main");
    // The pattern in .gitignore is for the folder, and here it is a link.
    fs.appendFileSync(path.join(this.dir, ".git", "info", "exclude"), "node_modules\n");
    this.git("config", "user.email", "test@example.no");
    this.git("config", "user.name", "Test");
  }

  git(...args: string[]): string {
    return execFileSync("git", args, { cwd: this.dir, encoding: "utf8" });
  }

  commit(message: string): void {
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
  }

  /** A branch from `main`, with nothing of an earlier one. */
  branch(name: string): void {
    this.git("reset", "-q", "--hard");
    this.git("clean", "-qfd", "-e", "node_modules");
    this.git("checkout", "-q", "-B", name, "main");
  }

  read(file: string): string {
    return fs.readFileSync(path.join(this.dir, file), "utf8");
  }

  write(file: string, text: string): void {
    fs.mkdirSync(path.join(this.dir, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(this.dir, file), text);
  }

  /** @throws where `before` is not in the file: an edit that does nothing would test nothing */
  edit(file: string, before: string | RegExp, after: string): void {
    const text = this.read(file);
    const edited = text.replace(before, after);
    if (edited === text) throw new Error(`${file} has no ${before}`);
    this.write(file, edited);
  }

  /** `npx oslo-faas preview ARGS`, as its script does it. @param meanwhile what happens while it runs, and may end it */
  preview(args: string[], env: NodeJS.ProcessEnv = {}, meanwhile?: Meanwhile): Promise<Outcome> {
    return this.run([process.execPath, "dev/bootstrap.mjs", "preview:pr", ...args], env, meanwhile);
  }

  run([program, ...args]: string[], env: NodeJS.ProcessEnv = {}, meanwhile?: Meanwhile): Promise<Outcome> {
    const { PULUMI_BACKEND_URL: _b, PULUMI_CONFIG_PASSPHRASE: _p, ...own } = process.env;
    const child = spawn(program!, args, { cwd: this.dir, env: { ...own, ...env } });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (err += data));
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    const ended = new Promise<Outcome>((resolve) =>
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? -1, out, err });
      }),
    );
    const other = meanwhile?.((signal) => void child.kill(signal));
    return Promise.all([ended, other]).then(([outcome]) => outcome);
  }

  /** Takes what `npm run check` found out in this clone: a file with the same content gets the same answer. */
  takeChecked(): void {
    for (const name of ["eslint", "tsc.json"]) {
      const known = path.join(CLONE, ".cache", name);
      if (!fs.existsSync(known)) continue;
      // ESLint names its files by whole paths.
      const text = fs.readFileSync(known, "utf8").replaceAll(`${CLONE}${path.sep}`, `${this.dir}${path.sep}`);
      this.write(`.cache/${name}`, text);
    }
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

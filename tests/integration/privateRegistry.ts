/** A registry that refuses whoever does not log in, beside a test's own engine: where that one reaches it, and nobody else. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { loadLab } from "../../lab/config";
import { debianPackage } from "../../lab/images/sources";
import { Work } from "../../lab/images/work";
import { type Testbed, until } from "../../lab/testbed";

/** Engines speak to a registry on 127.0.0.1 without TLS. */
export const REGISTRY = "127.0.0.1:5000";

const SILENT = { say: () => undefined, status: () => undefined };

export class PrivateRegistry {
  private child?: ChildProcess;
  private changes = 0;

  private constructor(
    private readonly bed: Testbed,
    private readonly dir: string,
    private login: string,
  ) {}

  /** @param login `user:password` */
  static async start(bed: Testbed, login: string): Promise<PrivateRegistry> {
    const dir = join(bed.dir, "registry");
    mkdirSync(dir);
    const registry = new PrivateRegistry(bed, dir, login);
    await registry.install();
    registry.accept(login);
    await registry.run();
    return registry;
  }

  stop(): void {
    this.child?.stdin?.end();
  }

  /** From now on this login and no other. */
  accept(login: string): void {
    this.login = login;
    const [user] = login.split(":");
    const code = "chomp(my $p = <STDIN>); print crypt($p, q($2b$05$abcdefghijklmnopqrstuu))";
    const hash = execFileSync("perl", ["-e", code], {
      input: login.slice(user!.length + 1),
      encoding: "utf8",
    });
    const file = join(this.dir, "htpasswd");
    writeFileSync(file, `${user}:${hash}\n`);
    // It reads the file again when it has another time.
    const time = 1_700_000_000 + this.changes++;
    utimesSync(file, time, time);
  }

  /**
   * Gives an image to the registry that the engine has not seen, nor will have: one that it once pulled by digest it takes from its
   * own store again, with whatever login. @returns its name by digest
   */
  async push(image: string, name: string): Promise<string> {
    const { docker } = this.bed;
    const repo = `${REGISTRY}/${name}`;
    const container = await docker.createContainer({ Image: image });
    await container.commit({ repo, tag: "1", changes: `ENV name=${name}` });
    await container.remove();
    const [username, ...rest] = this.login.split(":");
    const authconfig = { username, password: rest.join(":"), serveraddress: REGISTRY };
    const events = await follow(docker, await docker.getImage(`${repo}:1`).push({ authconfig }));
    const digest = events.find(({ aux }) => aux?.Digest)?.aux?.Digest;
    if (!digest) throw new Error(`${repo} was not pushed: ${JSON.stringify(events.at(-1))}`);
    await this.forget(`${repo}:1@${digest}`);
    return `${repo}:1@${digest}`;
  }

  /** Takes an image's names from the engine, whatever runs on it: who wants it has to ask the registry. */
  async forget(reference: string): Promise<void> {
    const { docker } = this.bed;
    const [name, digest] = reference.split("@");
    const names = [name!, ...(digest ? [`${name!.replace(/:1$/, "")}@${digest}`] : [])];
    for (const one of names)
      await docker
        .getImage(one)
        .remove({ force: true })
        .catch(() => undefined);
    await until(`${reference} to be gone`, async () =>
      docker
        .getImage(reference)
        .inspect()
        .then(
          () => false,
          () => true,
        ),
    );
  }

  private async install(): Promise<void> {
    const work = new Work(loadLab(), SILENT);
    try {
      const folder = await debianPackage(work, "docker-registry");
      copyFileSync(join(folder, "usr/bin/docker-registry"), join(this.dir, "docker-registry"));
    } finally {
      work.remove();
    }
    const auth = `{htpasswd: {realm: test, path: ${this.dir}/htpasswd}}`;
    const storage = `{filesystem: {rootdirectory: ${this.dir}/data}}`;
    const config = `version: 0.1\nlog: {level: error}\nstorage: ${storage}\nauth: ${auth}\nhttp: {addr: '${REGISTRY}'}\n`;
    writeFileSync(join(this.dir, "config.yml"), config);
  }

  /** Ends when its standard input does, which is when this process ends. */
  private async run(): Promise<void> {
    const pid = readFileSync(join(this.bed.dir, "engine.pid"), "utf8").trim();
    const script = '"$1/docker-registry" serve "$1/config.yml" >"$1/log" 2>&1 & cat >/dev/null; kill $!';
    const args = ["-t", pid, "-n", "sh", "-c", script, "sh", this.dir];
    this.child = spawn("nsenter", args, { stdio: ["pipe", "ignore", "inherit"] });
    const ask =
      "require('node:http').get(process.argv[1], (r) => process.exit(r.statusCode === 401 ? 0 : 1)).on('error', () => process.exit(1))";
    const asked = ["-t", pid, "-n", process.execPath, "-e", ask, `http://${REGISTRY}/v2/`];
    await until("the registry to refuse", async () => {
      execFileSync("nsenter", asked, { stdio: "ignore" });
      return true;
    });
  }
}

type PushEvent = { aux?: { Digest?: string }; error?: string };

function follow(docker: Docker, stream: NodeJS.ReadableStream): Promise<PushEvent[]> {
  return new Promise((done, fail) =>
    docker.modem.followProgress(stream, (error, events: PushEvent[]) => (error ? fail(error) : done(events))),
  );
}

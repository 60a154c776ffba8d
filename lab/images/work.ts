/** What the builders of images share: a folder for one run, the content keys, and results made once and used by many. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Lab } from "../config";
import { startTimeOf } from "../engine";
import type { Progress } from "../progress";
import { run, type RunOptions, type RunResult } from "../run";

/** Part of what an image is made of: a text, or a file or folder by its content. */
export type Input = string | { path: string; skip?: RegExp };

/** A short key of all inputs; the same content gives the same key on every machine. */
export function contentKey(inputs: Input[]): string {
  const hash = createHash("sha256").update(`${process.arch}\n`);
  for (const input of inputs) {
    if (typeof input === "string") hash.update(`text ${input.length}\n${input}`);
    else for (const file of filesUnder(input.path, input.skip)) hash.update(fileHeader(input.path, file));
  }
  return hash.digest("hex").slice(0, 16);
}

function fileHeader(root: string, file: string): string {
  const content = createHash("sha256").update(readFileSync(file)).digest("hex");
  return `file ${relative(root, file)} ${statSync(file).mode & 0o111 ? "x" : "-"} ${content}\n`;
}

function filesUnder(path: string, skip?: RegExp): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !skip?.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(join(path, entry.name), skip));
}

export function imageCacheDir(lab: Lab): string {
  return join(lab.sharedCacheDir, "images");
}

/** One run of the builders: its folder, its log, and what was made in it so far. */
export class Work {
  readonly dir: string;
  readonly log: string;
  private readonly steps: string[] = [];
  private readonly made = new Map<string, Promise<unknown>>();

  constructor(
    readonly lab: Lab,
    readonly progress: Progress,
  ) {
    const cache = imageCacheDir(lab);
    removeLeftovers(cache);
    this.dir = join(cache, `work-${process.pid}`);
    this.log = join(lab.cacheDir, "images.log");
  }

  /** A folder of this run, made empty. */
  folder(name: string): string {
    const path = join(this.dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Makes a thing once, however many images are made of it. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.made.get(name);
    if (known) return known as Promise<T>;
    const making = make();
    this.made.set(name, making);
    return making;
  }

  run(command: string, args: string[], options: Omit<RunOptions, "log">): Promise<RunResult> {
    return this.doing(options.step, () => run(command, args, { ...options, log: this.log }));
  }

  /** Shows the step, beside the others that go on at the same time, for as long as it takes. */
  async doing<T>(step: string, work: () => Promise<T>): Promise<T> {
    this.steps.push(step);
    this.progress.status(this.steps.join("; "));
    try {
      return await work();
    } finally {
      this.steps.splice(this.steps.indexOf(step), 1);
      this.progress.status(this.steps.join("; "));
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Folders of runs that were killed. */
function removeLeftovers(cache: string): void {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    const pid = /^work-(\d+)$/.exec(name)?.[1];
    if (pid && startTimeOf(Number(pid)) === undefined)
      rmSync(join(cache, name), { recursive: true, force: true });
  }
}

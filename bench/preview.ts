/** A no-op preview of the stack `local` against the preview of an empty JavaScript program with the same engine. */
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveToolchain } from "../lab/toolchain/resolve";
import type { Report } from "./report";
import { summary, timeCommand } from "./measure";

const RUNS = 7;
const CLONE = path.resolve(__dirname, "..");

/** Needs the lab up (`npm run up`), so that there is nothing to change. */
export async function preview(): Promise<Report> {
  const toolchain = await resolveToolchain({ args: ["preview", "--stack", "local"] });
  const { env } = toolchain;
  const empty = await emptyProject(toolchain.pulumi, env);
  const ours = () =>
    timeCommand(
      [toolchain.pulumi, "preview", "--stack", "local", "--expect-no-changes", "--non-interactive"],
      { cwd: CLONE, env },
    );
  const theirs = () =>
    timeCommand([toolchain.pulumi, "preview", "--stack", "empty", "--non-interactive"], {
      cwd: empty.folder,
      env: empty.env,
    });
  try {
    await ours();
    await theirs();
    const [a, b]: [number[], number[]] = [[], []];
    // In turns, so that what else the machine does falls on both.
    for (let i = 0; i < RUNS; i++) {
      b.push(await theirs());
      a.push(await ours());
    }
    const rows = [
      summary("preview of an empty JavaScript program", b, "s"),
      summary("no-op preview of stack local", a, "s"),
    ];
    return {
      title: "No-op preview",
      rows,
      ratios: { "no-op preview / empty program": rows[1]!.median / rows[0]!.median },
    };
  } finally {
    fs.rmSync(empty.folder, { recursive: true, force: true });
  }
}

/**
 * As `pulumi new javascript` and its `npm install` leave it, but for the program, by default an empty one. Its node_modules are files of its own
 * (links would hide them from the language host, which looks for plugins in them) and hold the SDK with what it needs.
 */
export async function emptyProject(
  pulumi: string,
  env: NodeJS.ProcessEnv,
  program = '"use strict";\n',
): Promise<{ folder: string; env: NodeJS.ProcessEnv }> {
  const folder = fs.mkdtempSync(path.join(CLONE, ".cache", "bench-empty-"));
  fs.writeFileSync(
    path.join(folder, "Pulumi.yaml"),
    "name: empty\nruntime: nodejs\nbackend:\n  url: file://.\n",
  );
  fs.writeFileSync(
    path.join(folder, "package.json"),
    '{ "name": "empty", "main": "index.js", "dependencies": { "@pulumi/pulumi": "*" } }\n',
  );
  fs.writeFileSync(path.join(folder, "index.js"), program);
  for (const place of installedFor("node_modules/@pulumi/pulumi")) {
    fs.mkdirSync(path.dirname(path.join(folder, place)), { recursive: true });
    fs.cpSync(path.join(CLONE, place), path.join(folder, place), {
      recursive: true,
      filter: (file) => path.basename(file) !== "node_modules" || file === path.join(CLONE, "node_modules"),
    });
  }
  const own = { ...env, PULUMI_CONFIG_PASSPHRASE: "empty", PULUMI_CONFIG_PASSPHRASE_FILE: "" };
  await timeCommand([pulumi, "stack", "init", "empty"], { cwd: folder, env: own });
  return { folder, env: own };
}

interface Installed {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** The folders of a package and of all that it needs, e.g. `node_modules/semver`, as npm's record of what is installed has them. */
function installedFor(first: string): string[] {
  const record = path.join(CLONE, "node_modules", ".package-lock.json");
  const { packages } = JSON.parse(fs.readFileSync(record, "utf8")) as { packages: Record<string, Installed> };
  const found = new Set<string>();
  const add = (place: string | undefined): void => {
    if (place === undefined || found.has(place)) return;
    found.add(place);
    const { dependencies, optionalDependencies, peerDependencies } = packages[place]!;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
      add(foundFrom(place, name));
  };
  // Where Node would find it: in the node_modules of the package itself, or of a folder above it.
  const foundFrom = (place: string, name: string): string | undefined => {
    for (let at = place; ; at = at.slice(0, at.lastIndexOf("/node_modules/"))) {
      if (packages[`${at}/node_modules/${name}`]) return `${at}/node_modules/${name}`;
      if (!at.includes("/node_modules/")) break;
    }
    return packages[`node_modules/${name}`] ? `node_modules/${name}` : undefined;
  };
  add(first);
  return [...found].sort();
}

/** A no-op preview of the stack `local` against the preview of an empty JavaScript program with the same engine. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { resolveToolchain } from "../toolchain/resolve";
import type { Report } from "./cli";
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

/** As `pulumi new javascript` leaves it, but for the program, which is empty. */
async function emptyProject(
  pulumi: string,
  env: NodeJS.ProcessEnv,
): Promise<{ folder: string; env: NodeJS.ProcessEnv }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-empty-"));
  fs.writeFileSync(
    path.join(folder, "Pulumi.yaml"),
    "name: empty\nruntime: nodejs\nbackend:\n  url: file://.\n",
  );
  fs.writeFileSync(
    path.join(folder, "package.json"),
    '{ "name": "empty", "main": "index.js", "dependencies": { "@pulumi/pulumi": "*" } }\n',
  );
  fs.writeFileSync(path.join(folder, "index.js"), '"use strict";\n');
  fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(folder, "node_modules"));
  const own = { ...env, PULUMI_CONFIG_PASSPHRASE: "empty", PULUMI_CONFIG_PASSPHRASE_FILE: "" };
  await timeCommand([pulumi, "stack", "init", "empty"], { cwd: folder, env: own });
  return { folder, env: own };
}

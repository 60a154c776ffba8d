/** What each further function adds to a preview, against what a resource that does nothing adds to one of the same engine. */
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { resolveToolchain } from "../lab/toolchain/resolve";
import { summary, timeCommand } from "./measure";
import { emptyProject } from "./preview";
import type { Report } from "./report";

const RUNS = 3;
const MANY = 1000;
/** What is promised: times the engine's own cost of a resource. */
const MOST_TIMES = 2;
const CLONE = path.resolve(__dirname, "..");

/** Reads COUNT from the environment, so that the program without resources is the same one. */
const TRIVIAL = `"use strict";
const { ComponentResource } = require("@pulumi/pulumi");
for (let i = 0; i < Number(process.env.COUNT); i++) new ComponentResource("bench:index:Trivial", "trivial-" + i);
`;

/** Seconds of each preview. */
type Times = Record<"nothing" | "resources" | "none" | "many", number[]>;

/** Needs neither a lab nor a host. Previews a first deployment, in which every function is new. */
export async function size(): Promise<Report> {
  const { pulumi, env } = await resolveToolchain({ args: ["preview", "--stack", "bench-size"] });
  const trivial = await emptyProject(pulumi, env, TRIVIAL);
  const folder = fs.mkdtempSync(path.join(CLONE, ".cache", "bench-size-"));
  const own = {
    ...env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_CONFIG_PASSPHRASE_FILE: "",
  };
  const quiet = ["--non-interactive", "--suppress-outputs"];
  const theirs = (count: number) =>
    timeCommand([pulumi, "preview", "--stack", "empty", ...quiet], {
      cwd: trivial.folder,
      env: { ...trivial.env, COUNT: String(count) },
    });
  const ours = (configFile: string) =>
    timeCommand([pulumi, "preview", "--stack", "bench-size", "--config-file", configFile, ...quiet], {
      cwd: CLONE,
      env: own,
    });
  const [none, many] = [environment(folder, 0), environment(folder, MANY)];
  try {
    await timeCommand([pulumi, "stack", "init", "bench-size", "--no-select"], { cwd: CLONE, env: own });
    const times: Times = { nothing: [], resources: [], none: [], many: [] };
    for (let i = 0; i < RUNS; i++) {
      times.nothing.push(await theirs(0));
      times.none.push(await ours(none));
      times.resources.push(await theirs(MANY));
      times.many.push(await ours(many));
    }
    return reportOf(times);
  } finally {
    for (const one of [folder, trivial.folder]) fs.rmSync(one, { recursive: true, force: true });
    fs.rmSync(path.join(CLONE, "stacks", "Pulumi.bench-size.yaml"), { force: true });
  }
}

/** @returns the file of an environment with `count` functions, beside their stack.yml */
function environment(folder: string, count: number): string {
  const relative = (name: string) => path.relative(CLONE, path.join(folder, name));
  const stack = `functions-${count}.yml`;
  const functions = Array.from({ length: count }, (_, i) => [
    `function-${i}`,
    {
      image: `ghcr.io/example/function@sha256:${i.toString(16).padStart(64, "0")}`,
      environment: { NUMBER: String(i) },
    },
  ]);
  fs.writeFileSync(
    path.join(folder, stack),
    stringify({ provider: { name: "openfaas" }, functions: Object.fromEntries(functions) as object }),
  );
  const file = `Pulumi.bench-size-${count}.yaml`;
  const config = {
    "oslo-faas:extends": "stacks/base.yaml",
    "oslo-faas:host": {
      address: "192.0.2.1",
      hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH9gfNtPQk7A1sHJW5vN0MRXU6JcS1UJ350hMTVa5ygD",
    },
    "oslo-faas:functions": count > 0 ? [{ stack: relative(stack) }] : [],
  };
  fs.writeFileSync(path.join(folder, file), stringify({ config }));
  return path.join(folder, file);
}

function reportOf(times: Times): Report {
  const rows = [
    summary("a program without a resource", times.nothing, "s"),
    summary(`${MANY} resources that do nothing`, times.resources, "s"),
    summary("an environment without a function", times.none, "s"),
    summary(`an environment with ${MANY} functions`, times.many, "s"),
  ];
  const [nothing, resources, none, many] = rows.map(({ median }) => median) as [
    number,
    number,
    number,
    number,
  ];
  const each = { resource: (resources - nothing) / MANY, function: (many - none) / MANY };
  const ratio = each.function / each.resource;
  return {
    title: `A preview of ${MANY} functions: ${(each.function * 1000).toFixed(1)} ms each; a resource that does nothing: ${(each.resource * 1000).toFixed(1)} ms`,
    rows,
    ratios: { "a function / a resource that does nothing": ratio },
    missed:
      ratio > MOST_TIMES ? [`a function takes at most ${MOST_TIMES} times a resource that does nothing`] : [],
  };
}

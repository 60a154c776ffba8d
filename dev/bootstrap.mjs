/**
 * node dev/bootstrap.mjs COMMAND ARGS
 *
 * What every script of package.json starts. It runs on a fresh clone with nothing but Node: it installs node_modules when they
 * are missing or out of date, and hands over. Everything it says goes to stderr; stdout belongs to what it starts.
 */
import { createRequire } from "node:module";
import { readdirSync } from "node:fs";
import path from "node:path";

const require = createRequire(import.meta.url);
const { CLONE, versions } = require("../lab/toolchain/lib/places.cjs");
const { compareVersions } = require("../lab/toolchain/lib/official.cjs");
const { installModules } = require("./modules.cjs");
const { handOver } = require("./hand-over.cjs");
const { ToolchainError } = require("../lab/toolchain/lib/say.cjs");

const JEST_PROJECTS = ["unit", "integration", "e2e"];

const inClone = (...parts) => path.join(CLONE, ...parts);
/** A TypeScript program through tsx's loader, in one process. */
const typescript = (file, args) => [
  process.execPath,
  "--require",
  inClone("bundle", "text.cjs"),
  "--import",
  "tsx",
  inClone(file),
  ...args,
];

/**
 * Unit tests come first, as they fail fastest. The others wait for sshd, engines and hosts more than they compute, so three files of theirs
 * run at a time, also on two cores; each that needs a lab has its own (tests/e2e/ownLab.ts).
 */
function jest(args) {
  const asked = args.filter((arg) => JEST_PROJECTS.includes(arg));
  const rest = args.filter((arg) => !JEST_PROJECTS.includes(arg));
  const projects = asked.length > 0 ? asked : JEST_PROJECTS;
  const told = rest.some((arg) => /^(-w|-i|--maxWorkers|--runInBand)/.test(arg));
  const asks = (project) => hasTests(project, rest);
  // If nothing matches, jest fails: a mistyped name must not pass.
  const matching = projects.some(asks) ? projects.filter(asks) : projects;
  // `--selectProjects` takes all that follows it, so what else was given stands before it.
  const line = (selected, workers) => [
    process.execPath,
    inClone("node_modules", "jest", "bin", "jest.js"),
    ...(told ? [] : workers),
    ...rest,
    "--selectProjects",
    ...selected,
  ];
  const unit = matching.filter((project) => project === "unit");
  const others = matching.filter((project) => project !== "unit");
  return {
    lines: [
      ...(unit.length > 0 ? [line(unit, ["--maxWorkers=100%"])] : []),
      ...(others.length > 0 ? [line(others, ["--maxWorkers=3"])] : []),
    ],
  };
}

/** Whether a project has files that jest would run for these words, which it takes for patterns of paths. */
function hasTests(project, words) {
  const patterns = words.filter((word) => !word.startsWith("-"));
  const files = readdirSync(inClone("tests", project), { recursive: true }).map((file) =>
    inClone("tests", project, file),
  );
  const matches = (pattern) =>
    files.some((file) => file.endsWith(".test.ts") && new RegExp(pattern, "i").test(file));
  return patterns.length === 0 || patterns.some(matches);
}

async function pulumi(args) {
  const { resolveToolchain } = require("../lab/toolchain/lib/resolve.cjs");
  const toolchain = await resolveToolchain({ args });
  return { lines: [[toolchain.pulumi, ...args]], env: toolchain.env };
}

/** The product's own command; the older scripts are verbs of it. */
const osloFaas =
  (...verb) =>
  (args) => ({ lines: [typescript("dev/oslo-faas.ts", [...verb, ...args])] });

const COMMANDS = {
  up: (args) => ({ lines: [typescript("lab/cli.ts", ["up", ...args])] }),
  down: (args) => ({ lines: [typescript("lab/cli.ts", ["down", ...args])] }),
  bench: (args) => ({ lines: [typescript("bench/cli.ts", args)] }),
  "oslo-faas": osloFaas(),
  env: osloFaas("env"),
  functions: osloFaas("functions"),
  images: osloFaas("images"),
  "preview:pr": osloFaas("preview"),
  repair: osloFaas("repair"),
  status: osloFaas("status"),
  check: (args) => ({ lines: [typescript("dev/check.ts", args)] }),
  test: jest,
  pulumi,
};

function checkNode() {
  if (compareVersions(process.versions.node, versions.node) >= 0) return;
  throw new ToolchainError(
    `This project needs Node ${versions.node} or later; this is ${process.versions.node} (${process.execPath}).`,
    "Install a current LTS release of Node.js and run the same command again.",
  );
}

async function main([name, ...args]) {
  checkNode();
  const command = COMMANDS[name];
  if (!command) {
    throw new ToolchainError(
      `${name ? `There is no command "${name}"` : "No command given"}. There is: ${Object.keys(COMMANDS).join(", ")}.`,
    );
  }
  await installModules();
  const { lines, env } = await command(args);
  await handOver(lines, { cwd: CLONE, env: env ?? process.env });
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error instanceof ToolchainError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});

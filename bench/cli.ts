/** `npm run bench` runs every benchmark, `npm run bench -- NAME` one of them. A table to read and JSON to keep. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Argument, Command } from "commander";
import { call } from "./call";
import { idle } from "./idle";
import { noop } from "./noop";
import { preview } from "./preview";
import { provider } from "./provider";
import { queue } from "./queue";
import type { Report } from "./report";
import { size } from "./size";

const BENCHMARKS: Record<string, () => Promise<Report>> = {
  call,
  idle,
  noop,
  preview,
  provider,
  queue,
  size,
};

async function main(names: string[]): Promise<void> {
  for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) {
    process.stderr.write(`bench ${name} …\n`);
    const { text, ...report } = await BENCHMARKS[name]!();
    print(report);
    for (const line of report.missed ?? []) process.stdout.write(`\nMISSED: ${line}\n`);
    if (report.missed?.length) process.exitCode = 1;
    if (text) process.stdout.write(`\n${text}\n`);
    const file = path.join(".cache", "bench", `${name}.json`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(report, null, 2) + "\n");
    process.stdout.write(`JSON: ${file}\n\n`);
  }
}

function print(report: Report): void {
  process.stdout.write(`\n${report.title}\n\n| what | median | min | max | runs |\n|---|---|---|---|---|\n`);
  for (const row of report.rows) {
    const show = (value: number) => `${value.toFixed(value < 100 ? 2 : 0)} ${row.unit}`;
    process.stdout.write(
      `| ${row.name} | ${show(row.median)} | ${show(row.min)} | ${show(row.max)} | ${row.runs} |\n`,
    );
  }
  for (const [name, ratio] of Object.entries(report.ratios))
    process.stdout.write(`\n${name}: ${ratio.toFixed(2)}\n`);
}

new Command("npm run bench --")
  .addArgument(
    new Argument("[name...]", "benchmarks; all of them when none is given").choices(Object.keys(BENCHMARKS)),
  )
  .description("Measures this clone: a table to read, and JSON under .cache/bench.")
  .addHelpText("after", "\nExample:\n  npm run bench -- preview")
  .action(main)
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });

/** Nothing that a preview starts outlives it, however it ends. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../../../..");
let dir: string;
beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-children-"))));
afterEach(() => fs.rmSync(dir, { recursive: true }));

const lives = (pid: number): boolean => {
  try {
    // A zombie has ended; its parent has only not asked yet.
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(what()).toBe(true);
}

/** A program that starts a shell, which starts another, as an engine does with its plugins. @returns the pids of the three */
async function family(onTerm: string): Promise<number[]> {
  const run = JSON.stringify(path.join(ROOT, "programs/run.ts"));
  const script = `${onTerm}; sleep 300 & echo $! > "${dir}/inner"; echo $$ > "${dir}/outer"; while true; do wait; sleep 1; done`;
  const program = path.join(dir, "program.ts");
  fs.writeFileSync(
    program,
    `import { start, endAll } from ${run};
start("bash", ["-c", ${JSON.stringify(script)}], { stdio: "ignore", group: true });
process.once("SIGTERM", () => void endAll(500).then(() => process.exit(143)));
setInterval(() => {}, 1000);`,
  );
  const own = spawn(process.execPath, ["--import", "tsx", program], { cwd: ROOT, stdio: "inherit" });
  const read = (name: string) => {
    const file = path.join(dir, name);
    return fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0;
  };
  await until(() => read("outer") > 0 && read("inner") > 0);
  return [own.pid!, read("outer"), read("inner")];
}

test.each([
  ["ends when it is asked to, and writes down that it was", 'trap "echo asked >> \\"$OUT\\"; exit 0" INT'],
  ["does not listen", 'trap "" INT'],
])("one that %s is gone with what it started", async (_, trap) => {
  const out = path.join(dir, "asked");
  const pids = await family(trap.replace("$OUT", out));
  process.kill(pids[0]!, "SIGTERM");
  await until(() => pids.every((pid) => !lives(pid)));
  // Once: an engine takes a second one for "at once", and leaves its lock.
  if (trap.includes("asked")) expect(fs.readFileSync(out, "utf8")).toBe("asked\n");
});

test("a plugin ends by itself when the preview was killed", async () => {
  const file = path.join(dir, "pid");
  const orphan = path.join(ROOT, "cli/preview/paper/orphan.cjs");
  const plugin = `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
  const parent = `require("child_process").spawn(process.execPath, ["--require", ${JSON.stringify(orphan)}, "-e", ${JSON.stringify(plugin)}], { stdio: "ignore", detached: true }).unref(); setTimeout(() => process.exit(), 1500)`;
  execFileSync(process.execPath, ["-e", parent]);
  const pid = Number(fs.readFileSync(file, "utf8"));
  await until(() => !lives(pid));
});

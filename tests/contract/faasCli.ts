/** The stock faas-cli's commands, as a person types them, against a gateway or a provider. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface CliOptions {
  /** How the program is started, such as ["faas-cli"]; it has to reach `url`. */
  command: string[];
  url: string;
  user: string;
  password: string;
  /** Image of a function that answers a POST with 200. */
  image: string;
}

const NAME = "cli-check";

/** Runs every command once. Throws with what it printed at the first that fails or says the wrong thing. @returns what was run */
export async function useFaasCli(options: CliOptions): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), "faas-cli-"));
  const done: string[] = [];
  const cli = async (args: string, expected: RegExp, input = ""): Promise<string> => {
    const { code, text } = await run(
      [...options.command, ...args.split(" "), "-g", options.url],
      home,
      input,
    );
    if (code !== 0 || !expected.test(text))
      throw new Error(`faas-cli ${args} ended with ${code}; wanted ${String(expected)}\n${text}`);
    done.push(args);
    return text;
  };
  try {
    await cli(`login -u ${options.user} --password-stdin`, /credentials saved/i, options.password);
    await cli("version --warn-update=false", /version/);
    await cli("namespaces", /openfaas-fn/);
    await cli("secret create cli-secret --from-literal=one", /Created/);
    await cli("secret list", /cli-secret/);
    await cli(
      `deploy --image ${options.image} --name ${NAME} --secret cli-secret --label team=web`,
      /Deployed|202/,
    );
    await until(async () => (await cli(`describe ${NAME}`, /Name:\s+cli-check/)).includes("Ready"));
    await cli("list", /cli-check/);
    await cli(`invoke ${NAME}`, /./, "hello");
    await cli(`logs ${NAME} --tail=false --lines 5`, /^/);
    await cli("secret update cli-secret --from-literal=two", /Updated/);
    await cli(`deploy --image ${options.image} --name ${NAME} --env colour=green`, /Deployed|202/);
    await cli(`remove ${NAME}`, /Removing/);
    await cli("secret remove cli-secret", /Removed/);
    await cli(`logout`, /./);
    return done;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function run(command: string[], home: string, input: string): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: home, OPENFAAS_CONFIG: home };
    const child = spawn(command[0]!, command.slice(1), { env, timeout: 60_000 });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (text += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, text }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (await ask()) return;
    await sleep(500);
  }
  throw new Error(`${NAME} was not ready within a minute`);
}

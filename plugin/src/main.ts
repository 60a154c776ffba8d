/** What the engine starts: prints the port it serves on, and lives until the engine ends it. */
import { EngineLog } from "./log";
import { HostProvider } from "./provider";
import { serve } from "./server";

async function main(): Promise<void> {
  const log = new EngineLog();
  // The engine gives its address as the last argument; what starts with a dash are its own flags.
  const address = process.argv
    .slice(2)
    .filter((argument) => !argument.startsWith("-"))
    .at(-1);
  if (address) log.connect(address);
  const { port } = await serve(new HostProvider(process.cwd()), log);
  process.stdout.write(`${port}\n`);
}

main().catch((error) => {
  process.stderr.write(`The provider "host" cannot start: ${(error as Error).stack}\n`);
  process.exitCode = 1;
});

/** What the engine starts: prints the port it serves on, and lives until the engine ends it. */
import { EngineLog } from "./log";
import { endWithParent } from "./orphan";
import { Provider } from "./provider";
import type { Definition } from "./resource";
import { isBusy, serve } from "./server";

export function main(definition: Definition): void {
  start(definition).catch((error) => {
    process.stderr.write(`The provider "${definition.name}" cannot start: ${(error as Error).stack}\n`);
    process.exitCode = 1;
  });
}

async function start(definition: Definition): Promise<void> {
  const log = new EngineLog();
  // The engine gives its address as the last argument; what starts with a dash are its own flags.
  const address = process.argv
    .slice(2)
    .filter((argument) => !argument.startsWith("-"))
    .at(-1);
  if (address) log.connect(address);
  // Without an address a person started it, for an engine that attaches.
  if (address) endWithParent(isBusy);
  const { port } = await serve(new Provider(definition, process.cwd()), log);
  process.stdout.write(`${port}\n`);
}

/** Runs the provider. */
import { buildApp } from "./app";
import { ConfigError, readConfig, type Config } from "./config";
import { installProbe } from "./probe";
import { VERSION } from "./version";

function main(): void {
  void serve(configOrExit());
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`swarm-provider: the environment is not usable:\n${error.message}\n`);
    process.exit(1);
  }
}

async function serve(config: Config): Promise<void> {
  if (config.probeVolume) installProbeOrExit(config.probeFolder);
  const app = buildApp(config);
  const stop = (signal: string) => {
    app.log.info({ signal }, "ending: no new requests, those in flight are finished");
    setTimeout(() => {
      app.log.warn(`requests still in flight after ${config.shutdownTimeoutMs / 1000} s; they are cut off`);
      process.exit(1);
    }, config.shutdownTimeoutMs).unref();
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once("SIGTERM", () => stop("SIGTERM"));
  process.once("SIGINT", () => stop("SIGINT"));
  try {
    await app.listen({ host: "0.0.0.0", port: config.port });
    app.log.info({ version: VERSION, network: config.network, auth: Boolean(config.credentials) }, "ready");
  } catch (error) {
    app.log.error(`cannot listen on port ${config.port}: ${(error as Error).message}`);
    process.exit(1);
  }
}

function installProbeOrExit(folder: string): void {
  try {
    installProbe(folder);
  } catch (error) {
    process.stderr.write(
      `swarm-provider: the health probe cannot be written: ${(error as Error).message}; ` +
        `mount the volume of probe_volume at ${folder}\n`,
    );
    process.exit(1);
  }
}

main();

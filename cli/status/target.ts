/** Which environment is meant, and the connection to its host: the plugin's own, with the host's key pinned. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { environmentFrom, fileOf, readEnvironment } from "../../environment/files";
import type { Environment } from "../../environment/schema";
import { configSchema, resolveTarget } from "../../providers/host/src/config";
import { HostSession } from "../../providers/host/src/pool";

export interface Subject {
  name: string;
  environment: Environment;
  /** Names of the functions that its stack files deploy. */
  functions: string[];
}

/** @param configFile a stack file elsewhere, as `pulumi --config-file` takes it. Default: stacks/Pulumi.NAME.yaml */
export function readSubject(name: string, root: string, configFile?: string): Subject {
  const files = configFile
    ? environmentFrom(fs.readFileSync(path.resolve(root, configFile), "utf8"), {
        name,
        root,
        file: configFile,
      })
    : readEnvironment(name, root);
  if (!files.environment)
    throw new Error(
      `${configFile ?? fileOf(name)} has errors\n${files.problems.map((p) => `  ${p}`).join("\n")}`,
    );
  return { name, environment: files.environment, functions: deployed(files.environment, root) };
}

function deployed({ functions }: Environment, root: string): string[] {
  return functions.flatMap(({ stack, only }) => {
    // Their names alone: what a value stands for (`${TAG}`) need not be known here.
    const file = parse(fs.readFileSync(path.resolve(root, stack), "utf8")) as { functions?: object };
    return Object.keys(file.functions ?? {}).filter((name) => !only || only.includes(name));
  });
}

/** Opened at the first use. @throws an Error where a key file cannot be read */
export function sessionOf({ host }: Environment, root: string): HostSession {
  const { address, jump, hostKey, hostKeyFile, ...rest } = host;
  const { address: jumpAddress, ...jumpRest } = jump ?? {};
  const key = hostKey ?? fs.readFileSync(path.resolve(root, hostKeyFile!), "utf8").trim();
  const config = configSchema.parse({
    ...rest,
    host: address,
    hostKey: key,
    ...(jump ? { jump: { ...jumpRest, host: jumpAddress } } : {}),
  });
  return new HostSession(resolveTarget(config, root));
}

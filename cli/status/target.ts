/** The environment of a command, and the connection to its host: the plugin's own, with the pinned host key. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { Environment } from "../../environment/schema";
import { configSchema, resolveTarget } from "../../providers/host/src/config";
import { HostSession } from "../../providers/host/src/hostSession";
import { readComplete } from "../environment";
import { Unusable } from "../errors";

export interface Subject {
  name: string;
  environment: Environment;
  /** Names of the functions that its stack files deploy. */
  functions: string[];
}

/**
 * @param configFile a stack file elsewhere, as `pulumi --config-file` takes it. Default: stacks/Pulumi.NAME.yaml
 * @throws Unusable if the environment does not exist or has errors
 */
export function readSubject(name: string, root: string, configFile?: string): Subject {
  const { environment } = readComplete(name, root, configFile);
  try {
    return { name, environment, functions: deployed(environment, root) };
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
}

function deployed({ functions }: Environment, root: string): string[] {
  return functions.flatMap(({ stack, only }) => {
    // Their names alone: what a value stands for (`${TAG}`) need not be known here.
    const file = parse(fs.readFileSync(path.resolve(root, stack), "utf8")) as { functions?: object };
    return Object.keys(file.functions ?? {}).filter((name) => !only || only.includes(name));
  });
}

/** As `sessionOf`, for a command. @throws Unusable where a key file cannot be read */
export function sessionFor({ environment }: Subject, root: string): HostSession {
  try {
    return sessionOf(environment, root);
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
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

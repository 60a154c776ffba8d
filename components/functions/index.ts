import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../plugin/sdk";
import type { LoadedEnvironment } from "../environment";
import type { OwnImages } from "../images/own";
import { parseStack, type StackFunction } from "./stack";

export interface FunctionsArgs {
  environment: LoadedEnvironment;
  images: OwnImages;
  /** Credentials of the gateway. */
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** Where the functions answer: https://… without a slash at the end. */
  url: string;
}

/** The functions of the environment's stack.yml files, each a resource: changed lines in preview, drift, deletion. */
export class Functions extends pulumi.ComponentResource {
  /** URL by function name. */
  readonly urls: Record<string, string> = {};

  constructor(name: string, args: FunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Functions", name, {}, opts);
    for (const { spec, build, file } of environmentFunctions(args.environment)) {
      new host.Function(
        `${name}-${spec.name}`,
        {
          ...spec,
          image: args.images.ofFunction(spec.name, spec.image, file, build),
          gateway: { host: "127.0.0.1", port: args.environment.openfaas.gatewayPort },
          username: args.user,
          password: args.password,
        },
        { parent: this },
      );
      this.urls[spec.name] = `${args.url}/function/${spec.name}`;
    }
    this.registerOutputs({ urls: this.urls });
  }
}

/** Every function of the environment. @throws pulumi.RunError when a file is missing, wrong, or names a function twice. */
export function environmentFunctions(env: LoadedEnvironment): (StackFunction & { file: string })[] {
  const all: (StackFunction & { file: string })[] = [];
  for (const { stack, only } of env.functions) {
    const found = parse(stack);
    const names = found.map(({ spec }) => spec.name);
    const unknown = (only ?? []).filter((wanted) => !names.includes(wanted));
    if (unknown.length > 0)
      throw new pulumi.RunError(
        `functions: ${stack} has no ${unknown.join(", ")}; it has ${names.join(", ")}`,
      );
    for (const one of found.filter(({ spec }) => !only || only.includes(spec.name))) {
      if (all.some(({ spec }) => spec.name === one.spec.name))
        throw new pulumi.RunError(`functions: ${one.spec.name} is there twice, the second time in ${stack}`);
      all.push({ ...one, file: stack });
    }
  }
  return all;
}

function parse(stack: string): StackFunction[] {
  const source = read(stack);
  try {
    return parseStack(source, stack, process.env);
  } catch (error) {
    throw new pulumi.RunError((error as Error).message);
  }
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    throw new pulumi.RunError(`functions: ${file} cannot be read`);
  }
}

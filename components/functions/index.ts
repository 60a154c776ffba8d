import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../plugin/sdk";
import type { LoadedEnvironment } from "../environment";
import type { EnvironmentImages } from "../images";
import { type FunctionSpec, parseStack } from "./stack";

export interface FunctionsArgs {
  environment: LoadedEnvironment;
  images: EnvironmentImages;
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
    for (const spec of functionSpecs(args.environment)) {
      new host.Function(
        `${name}-${spec.name}`,
        {
          ...spec,
          image: args.images.any(spec.image),
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
export function functionSpecs(env: LoadedEnvironment): FunctionSpec[] {
  const specs: FunctionSpec[] = [];
  for (const { stack, only } of env.functions) {
    const found = parseStack(read(stack), stack, process.env);
    const unknown = (only ?? []).filter((wanted) => !found.some((spec) => spec.name === wanted));
    if (unknown.length > 0)
      throw new pulumi.RunError(
        `functions: ${stack} has no ${unknown.join(", ")}; it has ${found.map((f) => f.name).join(", ")}`,
      );
    for (const spec of found.filter((f) => !only || only.includes(f.name))) {
      if (specs.some((other) => other.name === spec.name))
        throw new pulumi.RunError(`functions: ${spec.name} is there twice, the second time in ${stack}`);
      specs.push(spec);
    }
  }
  return specs;
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    throw new pulumi.RunError(`functions: ${file} cannot be read`);
  }
}

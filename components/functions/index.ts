import * as pulumi from "@pulumi/pulumi";
import * as openfaas from "../../providers/openfaas/sdk";
import type { LoadedEnvironment } from "../../environment";
import { buildsFunctions } from "../images/context";
import { notLoaded } from "../images/loaded";
import type { OwnImages } from "../images/own";
import { loginProblems } from "../images/registries";
import { providerArgs } from "../host/providerArgs";
import { locationLabels } from "../location";
import { readFunctions } from "./files";
import type { FunctionOfFile } from "./functionOfFile";

export interface FunctionsArgs {
  environment: LoadedEnvironment;
  /** What `environmentFunctions` found. */
  wanted: FunctionOfFile[];
  images: OwnImages;
  /** Credentials of the gateway. */
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** Where the functions answer: https://… without a slash at the end. */
  url: pulumi.Input<string>;
}

/** The functions of the environment's stack.yml files and their secrets, each a resource: changed lines in preview, drift, deletion. */
export class Functions extends pulumi.ComponentResource {
  /** URL by function name. */
  readonly urls: Record<string, pulumi.Output<string>> = {};

  constructor(name: string, args: FunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Functions", name, {}, opts);
    const { environment } = args;
    const provider = new openfaas.Provider(
      `${name}-gateway`,
      {
        ...providerArgs(environment),
        gateway: { port: environment.openfaas.gatewayPort },
        username: args.user,
        password: args.password,
      },
      { parent: this },
    );
    const own = { parent: this, provider };
    const secrets = this.secrets(name, environment, own);
    for (const one of args.wanted) {
      const { spec } = one;
      new openfaas.Function(
        `${name}-${spec.name}`,
        {
          ...spec,
          labels: { ...locationLabels(args.environment.location), ...spec.labels },
          ...args.images.ofFunction(one),
          secretRevisions: Object.fromEntries(
            spec.secrets.map((secret) => [secret, secrets[secret]!.revision]),
          ),
        },
        own,
      );
      this.urls[spec.name] = pulumi.interpolate`${args.url}/function/${spec.name}`;
    }
    this.registerOutputs({ urls: this.urls });
  }

  private secrets(
    label: string,
    { functionSecrets }: LoadedEnvironment,
    opts: pulumi.CustomResourceOptions,
  ): Record<string, openfaas.FunctionSecret> {
    const made = Object.entries(functionSecrets).map(([name, value]) => [
      name,
      new openfaas.FunctionSecret(`${label}-secret-${name}`, { name, value }, opts),
    ]);
    return Object.fromEntries(made) as Record<string, openfaas.FunctionSecret>;
  }
}

/** Every function of the environment. @throws pulumi.RunError with every mistake in its files, and for a login that no image needs. */
export function environmentFunctions(env: LoadedEnvironment): FunctionOfFile[] {
  const { functions, problems } = readFunctions(env.functions, {
    secrets: Object.keys(env.functionSecrets),
    builds: buildsFunctions(env.images),
    timeouts: env.openfaas,
  });
  const logins = loginProblems(Object.keys(env.registryAuth), env, functions).map(({ text }) => text);
  // What a broken stack.yml would have named is not known.
  if (problems.length === 0 && logins.length > 0)
    throw new pulumi.RunError(
      `stacks/Pulumi.${env.name}.yaml:\n${logins.map((line) => `  ${line}`).join("\n")}`,
    );
  if (problems.length === 0 && env.images.functions === "loaded")
    problems.push(...notLoaded(functions, env.images, env.name));
  if (problems.length > 0)
    throw new pulumi.RunError(
      `functions: ${problems.length === 1 ? "one error" : `${problems.length} errors`}\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
  return functions;
}

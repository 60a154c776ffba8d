/** The logins of registries, for whoever pulls an environment's images. */
import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { LoadedEnvironment } from "../environment";
import { familiarName, parseImage } from "./lock";

/** Docker Hub, as a complete image name has it. */
export const HUB = "docker.io";

type Logins = Pick<LoadedEnvironment, "registryAuth">;

/** `user:password` for an image's registry, secret; undefined where the environment has none. */
export function loginOf({ registryAuth }: Logins, reference: string): pulumi.Output<string> | undefined {
  const { domain } = parseImage(reference);
  return Object.hasOwn(registryAuth, domain) ? registryAuth[domain] : undefined;
}

/** The same for @pulumi/docker, which looks a registry up by what stands before the first slash; undefined where there is none. */
export function dockerLogins({ registryAuth }: Logins): docker.ProviderArgs["registryAuth"] {
  const logins = Object.entries(registryAuth).sort(([a], [b]) => (a < b ? -1 : 1));
  if (logins.length === 0) return undefined;
  return logins.map(([registry, login]) => ({
    address: registry === HUB ? "registry-1.docker.io" : registry,
    username: login.apply((text) => text.slice(0, text.indexOf(":"))),
    password: login.apply((text) => text.slice(text.indexOf(":") + 1)),
  }));
}

/**
 * An image brought to the host's engine before something needs it that has no login of its own: a build, for one. One that is there by
 * digest is not pulled again. Undefined where its registry asks for none.
 */
export function pulledFirst(
  label: string,
  env: Logins,
  reference: string,
  parent: pulumi.Resource,
): docker.RemoteImage | undefined {
  if (!loginOf(env, reference)) return undefined;
  const { digest: _, ...tagged } = parseImage(reference);
  const name = familiarName(tagged).replaceAll(/[^\w.-]/g, "-");
  // What runs on it, or was built on it, outlives it in the configuration.
  const args = { name: reference, keepLocally: true };
  return new docker.RemoteImage(`${label}-pulled-${name}`, args, {
    parent,
    customTimeouts: { create: "20m" },
  });
}

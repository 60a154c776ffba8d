/** The logins of registries, for pulling an environment's images. */
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { familiarName, parseImage } from "../../shared/image";

/** Docker Hub, as a complete image name has it. */
const HUB = "docker.io";

/** `user:password` by registry; the values are secret. */
export type Logins = Record<string, pulumi.Input<string>>;

/** `user:password` for an image's registry, secret; undefined where the environment has none. */
export function loginOf(logins: Logins, reference: string): pulumi.Output<string> | undefined {
  const { domain } = parseImage(reference);
  return Object.hasOwn(logins, domain) ? pulumi.secret(logins[domain]!) : undefined;
}

/** The same for @pulumi/docker, which looks up a registry by the text before the first slash. */
export function dockerLogins(logins: Logins): docker.ProviderArgs["registryAuth"] {
  const sorted = Object.entries(logins).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return undefined;
  return sorted.map(([registry, given]) => {
    const login = pulumi.secret(given);
    return {
      address: registry === HUB ? "registry-1.docker.io" : registry,
      username: login.apply((text) => text.slice(0, text.indexOf(":"))),
      password: login.apply((text) => text.slice(text.indexOf(":") + 1)),
    };
  });
}

/**
 * Images brought to the host's engine, with the login of their registry, before what needs them: a build asks registries without one, and
 * @pulumi/docker finds none for a service of Docker Hub. A service whose login is wrong would moreover be waited for in vain, without a
 * word of that. One that is there by its digest is not pulled again.
 */
export class PulledImages {
  private readonly pulled = new Map<string, docker.RemoteImage>();

  constructor(
    private readonly label: string,
    private readonly logins: Logins,
    private readonly parent: pulumi.Resource,
  ) {}

  /** What to wait for before the image is used; nothing where its registry asks for no login. */
  first(reference: string): docker.RemoteImage[] {
    if (!loginOf(this.logins, reference)) return [];
    const image = this.pulled.get(reference) ?? this.pull(reference);
    this.pulled.set(reference, image);
    return [image];
  }

  private pull(reference: string): docker.RemoteImage {
    const { digest: _, ...tagged } = parseImage(reference);
    const name = familiarName(tagged).replaceAll(/[^\w.-]/g, "-");
    return new docker.RemoteImage(
      `${this.label}-pulled-${name}`,
      // What runs on it, or was built on it, outlives it in the configuration.
      { name: reference, keepLocally: true },
      { parent: this.parent, customTimeouts: { create: "20m" } },
    );
  }
}

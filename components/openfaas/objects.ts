/** What the platform has in the swarm: networks, volumes, secrets, configs and services, under the names of one component. */
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type Logins, PulledImages } from "../images/login";
import type { Environment } from "../../environment/schema";
import type { StackService } from "../../shared/names";
import { revisionOf } from "../revision";
import { resourcesOf } from "./limits";
import { type ServiceValues, stackService } from "./service";

export class SwarmObjects {
  /** Names of the services made so far. */
  readonly services: string[] = [];
  private readonly pulled: PulledImages;
  private readonly parts: pulumi.Input<unknown>[] = [];

  constructor(
    private readonly label: string,
    private readonly parent: pulumi.Resource,
    private readonly labels: pulumi.Input<Record<string, string>>,
    private readonly memory: pulumi.Input<Environment["openfaas"]["memory"]>,
    logins: Logins,
  ) {
    this.pulled = new PulledImages(label, logins, parent);
  }

  /** Changes when any of the services made so far does. */
  revision(): pulumi.Output<string> {
    return revisionOf(this.parts);
  }

  service(
    name: StackService,
    values: Omit<ServiceValues, "labels" | "resources">,
    dependsOn: pulumi.Resource[] = [],
  ): docker.Service {
    this.services.push(name);
    const configs = Object.values(values.configs ?? {}).map((config) => config.id);
    const { image, args, env, replicas, ports } = values;
    const resources = resourcesOf(name, this.memory);
    this.parts.push([name, image, args, env, replicas, ports, configs, resources]);
    // An image whose name is only known later is pulled by the service itself.
    const pulled = typeof image === "string" ? this.pulled.first(image) : [];
    const all = { ...values, resources, labels: this.labels };
    const opts = { parent: this.parent, dependsOn: [...dependsOn, ...pulled] };
    return stackService(`${this.label}-${name}`, name, all, opts);
  }

  network(name: string): docker.Network {
    return new docker.Network(
      `${this.label}-network-${name}`,
      { name, driver: "overlay", attachable: false },
      { parent: this.parent, deleteBeforeReplace: true },
    );
  }

  /** @param keep whether it stays on the host when the stack is destroyed */
  volume(name: string, keep: boolean): pulumi.Output<string> {
    const volume = new docker.Volume(
      `${this.label}-volume-${name}`,
      { name: `openfaas-${name}` },
      { parent: this.parent, retainOnDelete: keep },
    );
    return volume.name;
  }

  /** Without a name of its own: a changed value is then a new secret, and the old one goes when no service uses it. */
  secret(name: string, value: pulumi.Input<string>): docker.Secret {
    // Undefined in an `up --target` that leaves the password out; this secret is left out with it.
    const data = pulumi.secret(value).apply((text?: string) => base64(text ?? ""));
    return new docker.Secret(`${this.label}-${name}`, { data }, { parent: this.parent });
  }

  config(name: string, text: pulumi.Input<string>): docker.ServiceConfig {
    const data = pulumi.output(text).apply(base64);
    return new docker.ServiceConfig(`${this.label}-${name}`, { data }, { parent: this.parent });
  }
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

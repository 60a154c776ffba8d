/**
 * The configuration of one environment: the single source of its types, defaults, units and ranges (schema/), to which rules.ts adds
 * what two values have to agree on. A person writes it in stacks/Pulumi.<environment>.yaml; each top-level key here is
 * `oslo-faas:<key>` there. stacks/environment.schema.json and docs/configuration.md are made of it: `npm run env -- generate`.
 */
import * as z from "zod";
import { SECRET_NAME } from "../shared/names";
import { file } from "./fields";
import { alerts } from "./schema/alerts";
import { base, firewall, host, location, preflight } from "./schema/host";
import { docker, images, swarm } from "./schema/platform";
import { checks, functions, nginx, openfaas } from "./schema/workload";

/** Every top-level key of an environment. */
export const environmentSchema = z.strictObject({
  extends: file("a path of a YAML file, relative to the project, such as stacks/base.yaml")
    .optional()
    .meta({
      description:
        "A file with what this environment shares with others, in the same form. What is written here goes before what is there: mappings are merged key by key, lists are replaced whole. Default: none.",
      examples: ["stacks/base.yaml"],
    }),
  location: location.prefault({}).meta({
    description:
      "Where the data is. It becomes labels of the node, the services and the functions, an output of the stack, and what policies judge.",
  }),
  host: host.meta({ description: "The host to provision, and how it is reached." }),
  preflight: preflight
    .prefault({})
    .meta({ description: "What a host has to be before anything is changed on it." }),
  base: base.prefault({}).meta({ description: "Packages and settings of the host itself." }),
  firewall: firewall.prefault({}).meta({ description: "What is reachable from outside the host." }),
  docker: docker.prefault({}).meta({ description: "The container engine." }),
  swarm: swarm.prefault({}).meta({ description: "The swarm that services run in." }),
  images: images.prefault({}).meta({ description: "The images of the platform, and where they come from." }),
  openfaas: openfaas.prefault({}).meta({ description: "Gateway, queue and metrics of OpenFaaS." }),
  alerts: alerts.prefault({}).meta({ description: "What people are told of, and how." }),
  nginx: nginx.prefault({}).meta({ description: "The front door." }),
  functions: functions.default([]).meta({
    description:
      "Functions to deploy: a stack.yml, or a list of them. An entry is the file's path, or a mapping with the keys below.",
    examples: [[{ stack: "functions/stack.yml" }]],
  }),
  checks: checks.default([]).meta({
    description: "Further calls through the front door that end an up.",
    examples: [[{ path: "/function/hello" }]],
  }),
});

export type Environment = z.infer<typeof environmentSchema>;

/** Secret keys of an environment: separate top-level keys, set with `pulumi config set --secret`. */
export const SECRET_KEYS = {
  gatewayPassword:
    "Password of the gateway's management API. Default: one is made and kept, encrypted, in the state.",
  functionSecrets:
    "Secrets of functions by their names, each encrypted: `pulumi config set --secret --path functionSecrets.api-key`. A function gets those that its stack.yml lists under `secrets`, as files in /var/openfaas/secrets. Default: none.",
  registryAuth:
    "Logins of registries by their hosts, each `user:password` and encrypted: `pulumi config set --secret --path 'registryAuth[\"registry.example.no\"]'`. Docker Hub is `docker.io`. The engine pulls the stack's images, functions and the bases of builds with it. Default: none.",
  alertWebhookUrl:
    "Where alerts are posted, in place of alerts.webhook.url, if whoever knows the URL can post there: one with a token in it. Default: none.",
  alertWebhookToken: "Bearer token that goes to alerts.webhook.url or alertWebhookUrl. Default: none.",
  alertSmtpPassword: "Password of alerts.email.username. Default: none.",
} as const;

export interface SecretMapping {
  /** What a name may be, and what is said of one that is none. */
  name: RegExp;
  badName: string;
  /** What the whole maps, and a name for an example. */
  maps: string;
  example: string;
  /** What a value has to be, where not every text will do. */
  value?: { form: RegExp; phrase: string };
}

/** Those of them that are a mapping of names to secrets. */
export const SECRET_MAPPINGS: Readonly<Record<string, SecretMapping>> = {
  functionSecrets: {
    name: SECRET_NAME.form,
    badName: SECRET_NAME.phrase,
    maps: "names to secrets",
    example: "NAME",
  },
  registryAuth: {
    // What stands before the first slash of an image's name.
    name: /^(localhost|[a-z0-9]([a-z0-9-]*[a-z0-9])?(?=[.:])(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)(:\d{1,5})?$/,
    badName:
      'is no registry: a host in lower case such as "registry.example.no" or "registry.example.no:5000", without scheme or path',
    maps: "registries to user:password",
    example: "registry.example.no",
    value: { form: /^[^:\s]+:\S/, phrase: "user:password" },
  },
};

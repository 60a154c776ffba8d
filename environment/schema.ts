/**
 * The configuration of one environment: the single source of its types, defaults, units and ranges (schema/). rules.ts adds the rules
 * across several values. A person writes it in stacks/Pulumi.<environment>.yaml, where each top-level key is `oslo-faas:<key>`.
 * `npm run env -- generate` makes stacks/environment.schema.json and docs/configuration.md from it.
 */
import * as z from "zod";
import { SECRET_NAME } from "../shared/names";
import * as f from "./fields";
import { alerts } from "./schema/alerts";
import { base, firewall, host, latency, location, preflight } from "./schema/host";
import { docker, images, swarm } from "./schema/platform";
import { privacy } from "./schema/privacy";
import { checks, functions, nginx, openfaas } from "./schema/workload";

/** Every top-level key of an environment. */
export const environmentSchema = z.strictObject({
  extends: f
    .file("a path of a YAML file, relative to the project, such as stacks/base.yaml")
    .optional()
    .meta({
      description:
        "A file in the same form with values that several environments share. This environment's values override them: mappings are merged key by key, lists are replaced whole. Default: none.",
      examples: ["stacks/base.yaml"],
    }),
  production: f
    .flag()
    .optional()
    .meta({
      description:
        "Whether this is a production environment, which policies ask more of and reports show first. Default: true if its name ends in prod or production, as a word of its own.",
      examples: [true],
    }),
  location: location.prefault({}).meta({
    description:
      "Where the data is. It becomes labels of the node, the services and the functions, and an output of the stack; policies check it.",
  }),
  host: host.meta({ description: "The host to provision, and how to reach it." }),
  latency: latency.optional().meta({
    description:
      "What `npx oslo-faas status` finds too far away. Default: it measures the way to the host, and judges nothing.",
  }),
  preflight: preflight
    .prefault({})
    .meta({ description: "Requirements that are checked before anything is changed on the host." }),
  base: base.prefault({}).meta({ description: "Packages and settings of the host itself." }),
  firewall: firewall
    .prefault({})
    .meta({ description: "What can be reached from outside the host, and from its containers." }),
  docker: docker.prefault({}).meta({ description: "The container engine." }),
  swarm: swarm.prefault({}).meta({ description: "The Docker Swarm that runs the services." }),
  images: images
    .prefault({})
    .meta({ description: "The images of the platform and of functions, and their sources." }),
  openfaas: openfaas.prefault({}).meta({ description: "OpenFaaS's gateway, queue and metrics." }),
  alerts: alerts.prefault({}).meta({ description: "When people are alerted, and how." }),
  nginx: nginx.prefault({}).meta({ description: "Nginx, in front of the gateway." }),
  privacy: privacy.prefault({}).meta({
    description:
      "What a record of processing needs and only a person can say. `npx oslo-faas report compliance` writes it down, and says what is missing.",
  }),
  functions: functions.default([]).meta({
    description:
      "Functions to deploy: a function file (stack.yml), or a list of them. An entry is the file's path, or a mapping with the keys below.",
    examples: [[{ stack: "functions/stack.yml" }]],
  }),
  checks: checks.default([]).meta({
    description: "Further calls through Nginx at the end of an `up`.",
    examples: [[{ path: "/function/hello" }]],
  }),
});

export type Environment = z.infer<typeof environmentSchema>;

/** Secret keys of an environment: separate top-level keys, set with `pulumi config set --secret`. */
export const SECRET_KEYS = {
  gatewayPassword:
    "Password of the gateway's management API. Default: generated, and kept encrypted in the state.",
  functionSecrets:
    "Secrets of functions by name, each encrypted: `pulumi config set --secret --path functionSecrets.api-key`. A function gets those that its function file lists under `secrets`, as files in /var/openfaas/secrets. Default: none.",
  registryAuth:
    "Logins of registries by host, each `user:password` and encrypted: `pulumi config set --secret --path 'registryAuth[\"registry.example.no\"]'`. Docker Hub is `docker.io`. The engine uses them to pull the platform's images, functions and base images. Default: none.",
  alertWebhookUrl: "Webhook URL with a token in it, instead of alerts.webhook.url. Default: none.",
  alertWebhookToken: "Bearer token for alerts.webhook.url or alertWebhookUrl. Default: none.",
  alertSmtpPassword: "Password of alerts.email.username. Default: none.",
  acmeEabKey: "HMAC key of nginx.tls.auto.eabKeyId, in base64url as the authority gives it. Default: none.",
} as const;

export interface SecretMapping {
  /** The form of a name, and the message for another one. */
  name: RegExp;
  badName: string;
  /** What the mapping maps, and a name for an example. */
  maps: string;
  example: string;
  /** The form of a value, if not every text is allowed. */
  value?: { form: RegExp; phrase: string };
}

/** The secret keys that are mappings of names to secrets. */
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
      'must be a registry: a host in lower case such as "registry.example.no" or "registry.example.no:5000", without scheme or path',
    maps: "registries to user:password",
    example: "registry.example.no",
    value: { form: /^[^:\s]+:\S/, phrase: "user:password" },
  },
};

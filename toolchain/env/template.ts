/** The file of a new environment, with its comments. */
import { existsSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { NAMESPACE } from "../../components/environment/stackfile";
import { SCHEMA_LINE } from "./generate";
import type { HostKey } from "./hostkey";

export const BASE = "stacks/base.yaml";

export interface Answers {
  address: string;
  user: string;
  port: number;
  country: string;
  city: string;
  provider: string;
  /** Private key to log in with, relative to the project. Undefined: the SSH agent. */
  privateKey?: string;
}

const scalar = (value: string | number) => stringify(value, { lineWidth: 0 }).trimEnd();

/** @param how where the key comes from, for the comment above it */
export function template(name: string, answers: Answers, key: HostKey, how: string, root: string): string {
  const base = existsSync(path.join(root, BASE));
  const { address, user, port, country, city, provider, privateKey } = answers;
  const login = privateKey
    ? [`    privateKeyPath: ${scalar(privateKey)}`]
    : ["    # Without privateKeyPath the SSH agent logs in."];
  return [
    SCHEMA_LINE,
    `# ${name}: an environment on ${address}.`,
    "# Every key, its default and its unit: docs/configuration.md. All that holds here, and where it comes from:",
    `#   npm run env -- show ${name}`,
    "config:",
    "  # Whoever forgets `provider:` on a resource gets an error instead of the engine of their own machine.",
    "  pulumi:disable-default-providers: [docker, host]",
    ...(base
      ? [
          "  # What environments share; what is written here goes before it.",
          `  ${NAMESPACE}:extends: ${BASE}`,
        ]
      : []),
    `  ${NAMESPACE}:location:`,
    `    country: ${JSON.stringify(country)}`,
    `    city: ${scalar(city)}`,
    `    provider: ${scalar(provider)}`,
    `  ${NAMESPACE}:host:`,
    `    address: ${scalar(address)}`,
    ...(port === 22 ? [] : [`    port: ${port}`]),
    `    user: ${scalar(user)}`,
    `    # ${key.fingerprint}, ${how}.`,
    `    hostKey: ${key.line}`,
    ...login,
    ...(base
      ? []
      : [
          `  ${NAMESPACE}:functions:`,
          "    - stack: functions/stack.yml",
          `  ${NAMESPACE}:checks:`,
          "    - path: /function/hello",
        ]),
    "",
  ].join("\n");
}

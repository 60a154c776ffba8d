/** The file of a new environment, with its comments. */
import { existsSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { at } from "../../environment/describe";
import { readBase } from "../../environment/layers";
import { shapeAt } from "../../environment/shape";
import { NAMESPACE } from "../../environment/stackfile";
import { commentsFor } from "./editor";
import type { HostKey } from "./hostkey";

export const BASE = "stacks/base.yaml";

type Scalar = string | number | boolean;

const ACCESS = [
  "    # Who may call a function from outside that has no com.oslo-faas.access: nobody.",
  "    access: internal",
];
const QUEUE = [
  "    queue:",
  "      # Nothing waits in NATS Streaming, which earlier versions of oslo-faas used.",
  "      natsStreaming: false",
];

/**
 * What a new environment says and an older one need not: it starts closed, and no calls wait in the queue of earlier versions.
 *
 * @param standard the value that the new file inherits at a path
 */
export function newPlatform(standard: (place: readonly string[]) => unknown = () => undefined): string[] {
  const lines = [
    ...(standard(["openfaas", "access"]) === "internal" ? [] : ACCESS),
    ...(standard(["openfaas", "queue", "natsStreaming"]) === false ? [] : QUEUE),
  ];
  return lines.length > 0 ? [`  ${NAMESPACE}:openfaas:`, ...lines] : [];
}

/** The questions, and the key of each answer. */
export const PLACES = {
  address: ["host", "address"],
  port: ["host", "port"],
  user: ["host", "user"],
  country: ["location", "country"],
  city: ["location", "city"],
  provider: ["location", "provider"],
} as const;
export type Question = keyof typeof PLACES;

export interface Answers extends Record<Exclude<Question, "port">, string> {
  port: number;
  /** Private key to log in with, relative to the project. Undefined: the base's, or else the SSH agent. */
  privateKey?: string;
}

/** The value without the new file: the base's, or the schema's default. */
export function inherited(root: string): (place: readonly string[]) => Scalar | undefined {
  const values = readBase(existsSync(path.join(root, BASE)) ? BASE : undefined, root).merge({});
  return (place) => {
    const value = at(values, place) ?? shapeAt(place)?.safeParse(undefined).data;
    return ["string", "number", "boolean"].includes(typeof value) ? (value as Scalar) : undefined;
  };
}

const scalar = (value: string | number) =>
  stringify(value, {
    lineWidth: 0,
    defaultStringType: /^[A-Z]{2}$/.test(String(value)) ? "QUOTE_DOUBLE" : "PLAIN",
  }).trimEnd();

/** @param how the source of the key, for the comment above it */
export function template(name: string, answers: Answers, key: HostKey, how: string, root: string): string {
  const base = existsSync(path.join(root, BASE));
  const standard = inherited(root);
  const own = (section: string) =>
    (Object.keys(PLACES) as Question[])
      .filter(
        (question) => PLACES[question][0] === section && answers[question] !== standard(PLACES[question]),
      )
      .map((question) => `    ${PLACES[question][1]}: ${scalar(answers[question])}`);
  const location = own("location");
  const comments = commentsFor(root);
  return [
    comments.schemaLine,
    `# ${name}: an environment on ${answers.address}.`,
    `# Every key, its default and its unit: ${comments.reference}. All that holds here, and where it comes from:`,
    `#   npx oslo-faas env show ${name}`,
    "config:",
    "  # A resource without an explicit provider fails, instead of using the Docker engine of this machine.",
    "  pulumi:disable-default-providers: [docker, host, openfaas]",
    ...(base
      ? ["  # What environments share; what is written here overrides it.", `  ${NAMESPACE}:extends: ${BASE}`]
      : []),
    ...(location.length > 0 ? [`  ${NAMESPACE}:location:`, ...location] : []),
    `  ${NAMESPACE}:host:`,
    ...own("host"),
    `    # ${key.fingerprint}, ${how}.`,
    `    hostKey: ${key.line}`,
    ...login(answers.privateKey, standard(["host", "privateKeyPath"])),
    ...newPlatform(standard),
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

function login(privateKey: string | undefined, inherited: unknown): string[] {
  if (privateKey !== undefined && privateKey !== inherited)
    return [`    privateKeyPath: ${scalar(privateKey)}`];
  return inherited === undefined ? ["    # Without privateKeyPath the SSH agent logs in."] : [];
}

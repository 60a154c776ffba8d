/**
 * The kinds of value in an environment. Each describes the allowed values in one phrase, which is the same in errors, editors and
 * docs/configuration.md; that is why types and checks below carry it instead of zod's own words.
 */
import * as z from "zod";
import { hostKeyProblem } from "../shared/hostKey";
import { COMPONENT, DIGEST, TAG } from "../shared/image";
import { isNetwork, networkAround } from "../shared/networks";
import { isAddress, isHostAndPort, isHostName, isPort } from "./addresses";
import { nearest } from "./nearest";
import { bytes, DURATION, seconds, SIZE } from "./units";
import { secretIn } from "./url";

/** The documentation of a key. */
export interface Meta {
  /** What it does, in one or two sentences. */
  description: string;
  /** Unit of a number. Default: none, or the kind's own. */
  unit?: string;
  /** A value for the documentation, other than the default. */
  examples?: unknown[];
  /** Resources depend on the value, so components take it as a plain value. Default: false. */
  plain?: boolean;
}

/** The message is `must be PHRASE` for a wrong type, a wrong form and a missing value. */
const text = (phrase: string, pattern?: RegExp, kind = "text") => {
  const message = `must be ${phrase}`;
  const schema = pattern ? z.string(message).regex(pattern, message) : z.string(message).min(1, message);
  return schema.meta({ kind, allowed: phrase });
};

/** A text of a form, `/^…$/`. */
export const pattern = (form: RegExp, phrase: string) => text(phrase, form);

/**
 * A text of a form, with a further check by `judge` for what a pattern for editors cannot express, such as a number up to 255.
 * `judge` is not called for a text without the form.
 */
function judged(
  phrase: string,
  form: RegExp,
  judge: (value: string, phrase: string) => string | undefined,
  kind?: string,
) {
  return text(phrase, form, kind).superRefine((value, issues) => {
    const message = form.test(value) ? judge(value, `must be ${phrase}`) : undefined;
    if (message !== undefined) issues.addIssue({ code: "custom", message });
  });
}

/** A non-empty text on one line. It reaches labels and commands, so control characters are refused. */
export const line = (phrase = "a text on one line") => text(phrase, /^(?!\s)[^\p{Cc}]*[^\s\p{Cc}]$/u);

export const flag = () => z.boolean("must be true or false").meta({ kind: "true or false" });

/** A whole number between two bounds, inclusive. */
export function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .number(message)
    .int(message)
    .min(min, message)
    .max(max, message)
    .meta({ kind: "whole number", allowed: `${min} to ${max}` });
}

export const port = () => whole(1, 65535);

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  const shown = values.map((value) => JSON.stringify(value)).join(" or ");
  return z.enum(values, `must be ${shown}`).meta({ kind: "choice", allowed: shown });
}

/** @param min a duration, as is `max`; a value outside was probably meant in another unit */
export function duration(min = "1ms", max = "24h") {
  const phrase = `a duration from ${min} to ${max}, such as "300s", "5m" or "500ms"`;
  return text(phrase, DURATION, "duration").refine(
    (value) => !DURATION.test(value) || (seconds(value) >= seconds(min) && seconds(value) <= seconds(max)),
    `must be ${phrase}`,
  );
}

export function size(min = "1", max = "1024g") {
  const phrase = `a size from ${min} to ${max}, such as "64m" or "1g" (k, m, g: powers of 1024)`;
  return text(phrase, SIZE, "size").refine(
    (value) => !SIZE.test(value) || (bytes(value) >= bytes(min) && bytes(value) <= bytes(max)),
    `must be ${phrase}`,
  );
}

export const address = () =>
  judged(
    "a host name or an IP address, without user, port or scheme",
    /^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$/,
    (value, must) => (isHostName(value) || isAddress(value) ? undefined : must),
    "address",
  );

/** An interface's name begins with a letter and has at most 15 characters, which is what the kernel stores. */
export const addressOrInterface = () =>
  judged("an IP address or the name of an interface", /^[A-Za-z0-9:][A-Za-z0-9.:_-]*$/, (value, must) =>
    isAddress(value) || /^[A-Za-z][A-Za-z0-9._-]{0,14}$/.test(value) ? undefined : must,
  );

/** Some programs read 10.0.0.5/8 as 10.0.0.0/8, others refuse it; either number may be the mistake. */
function wrongNetwork(value: string, must: string): string | undefined {
  if (!isNetwork(value)) return must;
  const around = networkAround(value);
  return around && `is an address inside of ${around}: write that network, or another prefix`;
}

export const cidr = () =>
  judged(
    'a network such as "10.0.0.0/8" or "2001:db8::/32"',
    /^[0-9A-Fa-f:.]+\/[0-9]{1,3}$/,
    wrongNetwork,
    "network",
  );

const badPort = (port: string | undefined) =>
  isPort(port) ? undefined : `has the port ${port}, which must be from 1 to 65535`;

export const image = () =>
  judged(
    'an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4"',
    new RegExp(`^${COMPONENT}(?::\\d{1,5}(?=/))?(?:/${COMPONENT})*(?=[:@])(?::${TAG})?(?:@${DIGEST})?$`),
    (value) => badPort(/^[^/]*:(\d+)\//.exec(value)?.[1]),
    "image",
  );

/** A registry, optionally with a path. */
export const registry = () =>
  judged(
    'a registry such as "registry.example.no:5000", without a scheme',
    new RegExp(`^[A-Za-z0-9][A-Za-z0-9.-]*(:\\d{1,5})?(/${COMPONENT})*$`),
    (value, must) => {
      const [host = ""] = value.split("/");
      const port = /:(\d+)$/.exec(host)?.[1];
      if (!isPort(port)) return badPort(port);
      if (!isHostAndPort(host)) return must;
      const named = /[.:]/.test(host) || host === "localhost";
      return named
        ? undefined
        : `must begin with a name with a dot or a port: ${host} alone is a user of Docker Hub`;
    },
    "registry",
  ).meta({
    pattern: `^(?=[^/]*[.:]|localhost(/|$))[A-Za-z0-9][A-Za-z0-9.-]*(:\\d{1,5})?(/${COMPONENT})*$`,
  });

/** For the engine's list of registries without TLS. */
export const registryOrNetwork = () =>
  judged(
    'a registry such as "registry.lab:5000" or a network, without a scheme',
    /^[A-Za-z0-9][A-Za-z0-9.:-]*(\/\d{1,3})?$/,
    (value, must) => {
      if (value.includes("/")) return wrongNetwork(value, must);
      const [host = "", port, ...more] = value.split(":");
      if (!isHostAndPort(host) || more.length > 0) return isAddress(value) ? undefined : must;
      return badPort(port);
    },
  );

export const mailServer = () => namedPort('a mail server and its port, such as "smtp.example.no:587"');

export const hostAndPort = () => namedPort('a host and its port, such as "db.example.no:5432"');

const namedPort = (phrase: string) =>
  judged(
    phrase,
    /^[A-Za-z0-9.-]+:\d{1,5}$/,
    (value, must) => badPort(value.split(":")[1]) ?? (isHostAndPort(value) ? undefined : must),
  );

export const mail = () =>
  judged('a mail address such as "ops@example.no"', /^[^\s@<>,"]+@[^\s@<>,"]+$/, (value, must) => {
    const [name = "", host = ""] = value.split("@");
    const plain = /^[^\p{Cc}()[\]\\:;.]+(\.[^\p{Cc}()[\]\\:;.]+)*$/u;
    return plain.test(name) && isHostName(host) ? undefined : must;
  });

export const hostKey = () =>
  judged(
    'a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub)',
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[A-Za-z0-9+/]{40,}={0,3}( [^\r\n]*)?$/,
    (value, must) => {
      const problem = hostKeyProblem(value);
      return problem && `${must}: ${problem}`;
    },
    "host key",
  );

/** A path. A private key pasted here is refused, because it would end up in the repository. */
export const file = (phrase = "a path relative to the project") =>
  text(phrase, /^(?!-----BEGIN)[^\r\n\0]+$/, "path");

/** Passed to `ssh` as an option, which splits at blanks; for a jump host a shell reads it as well. */
export const keyFile = () =>
  text(
    "a path relative to the project, or to ~/, of letters, digits and ._/+@:=,-",
    /^(~\/)?[\p{L}\p{N}._/+@:=,-]+$/u,
    "path",
  );

/** Written to nginx.conf unchanged: no quotes, no variables, no end of a statement. */
export const hostPath = () =>
  text("an absolute path on the host", /^\/[^\s;{}$"'\\\p{Cc}]*[^\s;{}$"'\\\p{Cc}/]$/u, "path on the host");

/** The host knows zones by exact name. An unknown one would silently mean UTC. */
export const timezone = () =>
  judged('a time zone such as "Europe/Oslo"', /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, (value, must) => {
    const known = Intl.supportedValuesOf("timeZone");
    if (known.includes(value)) return undefined;
    const zone = known.find((name) => name.toLowerCase() === value.toLowerCase()) ?? nearest(value, known);
    const isOther = zone?.toLowerCase() !== value.toLowerCase() && isZone(value);
    return isOther ? undefined : `${must}${zone ? `; did you mean ${JSON.stringify(zone)}?` : ""}`;
  });

/** Also accepts older names, which Intl's list lacks. */
function isZone(name: string): boolean {
  try {
    return /^[A-Z]/.test(name) && Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

/** Nginx's own forms: a name, a name with a star at one end, an address, or a regular expression. */
const WORDS = "[\\p{L}\\p{N}_-]+(\\.[\\p{L}\\p{N}_-]+)*";
const SERVER_NAME = `(~[^\\s;{}\\p{Cc}]+|\\$hostname|\\[[0-9A-Fa-f:.]+\\]|(\\*?\\.)?${WORDS}|${WORDS}\\.\\*)`;

export const serverNames = () =>
  judged("one or more server names, separated by blanks", /^[^\s;{}]+( [^\s;{}]+)*$/, (value) => {
    const wrong = value.split(" ").find((name) => !new RegExp(`^${SERVER_NAME}$`, "u").test(name));
    return wrong === undefined ? undefined : `has ${JSON.stringify(wrong)}, which cannot be a server name`;
  }).meta({ pattern: `^${SERVER_NAME}( ${SERVER_NAME})*$` });

const URL_PHRASE = "a URL with http:// or https://, without a user or password";
const URL_FORM = /^https?:\/\/[^\s/@?#]+([/?#]\S*)?$/;

/** Address of a service. Paths are appended to it. */
export const url = () =>
  judged(
    URL_PHRASE,
    URL_FORM,
    (value, must) => {
      if (!isUrl(value)) return must;
      return /[?#]/.test(value) ? "has a query or a fragment; paths are appended to this URL" : undefined;
    },
    "URL",
  ).meta({ pattern: "^https?://[^\\s/@?#]+(/[^\\s?#]*)?$" });

/** A URL that is called unchanged. @param secret the key to use for a URL with a secret in it */
export const hook = (secret: string) =>
  judged(
    URL_PHRASE,
    URL_FORM,
    (value, must) => {
      if (!isUrl(value)) return must;
      const found = secretIn(value);
      return found && `contains ${found}; set the whole URL as the secret ${secret} instead`;
    },
    "URL",
  );

export const isUrl = (value: string) => URL_FORM.test(value) && URL.canParse(value) && !/\p{Cc}/u.test(value);

export const list = <T extends z.ZodType>(element: T) => z.array(element, "must be a list");

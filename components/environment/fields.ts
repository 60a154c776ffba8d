/**
 * The kinds of value that an environment is made of. Each says what it allows in one phrase, which is the same in an error, in the
 * editor and in docs/configuration.md; that is why types and checks below all carry it instead of zod's own words.
 */
import { isIP, isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import { bytes, DURATION, seconds, SIZE } from "./units";

/** What a key is documented with. */
export interface Meta {
  /** What it does, one sentence or two. */
  description: string;
  /** Unit of a number. Default: none, or the one that the kind itself names. */
  unit?: string;
  /** A value for the documentation, other than the default. */
  examples?: unknown[];
}

/** `must be PHRASE` for a wrong type, a wrong form and a missing value alike. */
const text = (phrase: string, pattern?: RegExp, kind = "text") => {
  const message = `must be ${phrase}`;
  const schema = pattern ? z.string(message).regex(pattern, message) : z.string(message).min(1, message);
  return schema.meta({ kind, allowed: phrase });
};

/** A text of a form, `/^…$/`. */
export const pattern = (form: RegExp, phrase: string) => text(phrase, form);

/** Any text on one line with something in it. */
export const line = (phrase = "a text on one line") => text(phrase, /^\S([^\r\n]*\S)?$/);

export const flag = () => z.boolean("must be true or false").meta({ kind: "true or false" });

/** A whole number between two bounds, both included. */
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

/** `min` and `max` are durations themselves: what is outside was meant in another unit. */
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

/** What a pattern for editors cannot say (a group of numbers up to 255) is a refinement here. */
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const isHostName = (value: string) => HOST_NAME.test(value) && !/^[\d.]+$/.test(value);

export function address() {
  const phrase = "a host name or an IP address, without user, port or scheme";
  return text(phrase)
    .refine((value) => value === "" || isHostName(value) || isIP(value) !== 0, `must be ${phrase}`)
    .meta({ kind: "address", pattern: "^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?$" });
}

/** True for a network whose prefix length is there and fits its address. */
export function isNetwork(value: string, family?: 4): boolean {
  const [ip = "", prefix = "", ...rest] = value.split("/");
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return false;
  if (isIPv4(ip)) return Number(prefix) <= 32;
  return family !== 4 && isIPv6(ip) && Number(prefix) <= 128;
}

export function cidr() {
  const phrase = 'a network such as "10.0.0.0/8" or "2001:db8::/32"';
  return text(phrase)
    .refine((value) => value === "" || isNetwork(value), `must be ${phrase}`)
    .meta({ kind: "network", pattern: "^[0-9A-Fa-f:.]+/[0-9]{1,3}$" });
}

export const image = () =>
  text(
    'an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4"',
    /^[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(:\d{1,5}(?=\/))?(\/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(?=[:@])(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    "image",
  );

export const hostKey = () =>
  text(
    'a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub)',
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[A-Za-z0-9+/]{40,}={0,3}( [^\r\n]*)?$/,
    "host key",
  );

/** A path, and never the content of what it leads to: a private key pasted here would lie in the repository. */
export const file = (phrase = "a path relative to the project") =>
  text(phrase, /^(?!-----BEGIN)[^\r\n\0]+$/, "path");

export const hostPath = () => text("an absolute path on the host", /^\/[^\s;{}\0]+$/, "path on the host");

export function url() {
  const phrase = "a URL with http:// or https:// and without a user or password in it";
  return text(phrase, /^https?:\/\/[^\s/@?#]+([/?#]\S*)?$/, "URL").refine(
    (value) => !/^https?:\/\//.test(value) || URL.canParse(value),
    `must be ${phrase}`,
  );
}

export const list = <T extends z.ZodType>(element: T) => z.array(element, "must be a list");

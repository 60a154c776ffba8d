/** A call as the stock gateway writes it: JSON of Go's QueueRequest. */
import { NAMESPACE } from "../../../shared/names";
import type { Headers, QueuedCall } from "./call";

/** A function may be called by NAME or by NAME.NAMESPACE. */
export const NAMESPACE_SUFFIX = new RegExp(`\\.${NAMESPACE}$`);

/** How often a call has been tried, from the second time on. Functions see it. */
export const ATTEMPT_HEADER = "X-Retry-Attempt";

/** What is between two hops, and what the next hop's client says itself. */
const NOT_PASSED_ON = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "host",
  "content-length",
  "expect",
]);

interface Raw {
  Header?: Record<string, string[]> | null;
  Body?: string | null;
  Path?: string;
  QueryString?: string;
  Function?: string;
  CallbackUrl?: GoUrl | null;
}

/** Go writes a url.URL as its fields; faas-provider gives the field this name, unlike the others. */
interface GoUrl {
  Scheme?: string;
  Host?: string;
  Path?: string;
  RawPath?: string;
  RawQuery?: string;
}

/**
 * @throws an Error for a message that is not a call and can never be made
 * @param storedMs when the queue took the message, for one whose gateway did not say
 */
export function decode(data: Buffer, storedMs: number): QueuedCall {
  const raw = JSON.parse(data.toString("utf8")) as Raw;
  const name = (raw.Function ?? "").replace(/^\/+|\/+$/g, "").replace(NAMESPACE_SUFFIX, "");
  if (!/^[A-Za-z0-9][\w-]*$/.test(name))
    throw new Error(`"${name.slice(0, 80)}" cannot be a function's name`);
  const headers = raw.Header ?? {};
  const first = (wanted: string) =>
    Object.entries(headers).find(([key]) => key.toLowerCase() === wanted.toLowerCase())?.[1]?.[0];
  const query = (raw.QueryString ?? "").replace(/^\?+/, "").replace(NOT_IN_A_TARGET, encodeURIComponent);
  // Go's time is in nanoseconds, more digits than a number holds exactly.
  const started = Number((first("X-Start-Time") ?? "").slice(0, -6));
  return {
    function: name,
    target: `/function/${name}${path(raw.Path)}${query ? `?${query}` : ""}`,
    headers,
    body: Buffer.from(raw.Body ?? "", "base64"),
    callId: first("X-Call-Id") ?? "",
    ...(raw.CallbackUrl?.Host ? { callbackUrl: urlOf(raw.CallbackUrl) } : {}),
    attempt: Math.max(1, Math.floor(Number(first(ATTEMPT_HEADER) ?? 1)) || 1),
    acceptedMs: started > 0 ? started : storedMs,
  };
}

/** What ends a request's target, or has no place in one. Go passes a query on as it came. */
// eslint-disable-next-line no-control-regex
const NOT_IN_A_TARGET = /[\x00-\x20#\x7f-\uffff]+/g;

/**
 * The gateway has decoded it once: encoded again it is what the caller sent, and the gateway decodes it to the same. As it stands, a "%2e%2e"
 * in it would be a ".." at the next decoding, and another route.
 */
function path(given: string | undefined): string {
  const segments = (given ?? "").replace(/^\/*/, "").split("/");
  if (segments.some((segment) => segment === "." || segment === ".."))
    throw new Error("its path leads out of the function");
  return `/${segments.map(encodeSegment).join("/")}`;
}

/** As Go writes a path: what is allowed in a segment stays (RFC 3986, 3.3). */
const encodeSegment = (segment: string) =>
  encodeURIComponent(segment).replace(/%(3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);

/** Go keeps a path as it was written only where it would write the decoded one otherwise. */
const urlOf = ({ Scheme, Host, Path, RawPath, RawQuery }: GoUrl) =>
  `${Scheme || "http"}://${Host}${RawPath || encodePath(Path || "/")}${RawQuery ? `?${RawQuery}` : ""}`;

const encodePath = (path: string) =>
  path
    .split("/")
    .map((segment) =>
      encodeSegment(segment).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join("/");

/** Headers that go on to the next hop. */
export function passedOn(headers: Headers | Record<string, string | string[] | undefined>): Headers {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([key, value]) =>
      value === undefined || NOT_PASSED_ON.has(key.toLowerCase()) ? [] : [[key, [value].flat()]],
    ),
  );
}

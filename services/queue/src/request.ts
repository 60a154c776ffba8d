/** A call as the gateway puts it into the queue: JSON of Go's QueueRequest. */

/** Of a message that was put back: how often it has been tried. Functions see it too. */
export const ATTEMPT_HEADER = "X-Retry-Attempt";

type Headers = Record<string, string[]>;

export interface QueuedCall {
  function: string;
  /** Path and query to call the gateway with. */
  target: string;
  headers: Headers;
  body: Buffer;
  callId: string;
  callbackUrl?: string;
  /** 1 for the first. */
  attempt: number;
  /** When the gateway accepted it, ms since 1970. */
  acceptedMs: number;
}

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
 * Throws for what is no call: then nobody can ever make it.
 * @param storedMs when the queue took the message, for one whose gateway did not say
 */
export function decode(data: Buffer, storedMs: number): QueuedCall {
  const raw = JSON.parse(data.toString("utf8")) as Raw;
  const name = (raw.Function ?? "").replace(/^\/+|\/+$/g, "");
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw new Error(`"${name.slice(0, 80)}" is no function's name`);
  const headers = raw.Header ?? {};
  const first = (wanted: string) =>
    Object.entries(headers).find(([key]) => key.toLowerCase() === wanted.toLowerCase())?.[1]?.[0];
  const query = (raw.QueryString ?? "").replace(/^\?+/, "");
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

const path = (given: string | undefined) => (given ? given.replace(/^\/*/, "/") : "/");

const urlOf = ({ Scheme, Host, Path, RawPath, RawQuery }: GoUrl) =>
  `${Scheme || "http"}://${Host}${RawPath || Path || "/"}${RawQuery ? `?${RawQuery}` : ""}`;

/** The message for another attempt, everything else as it was. */
export function nextAttempt(data: Buffer, attempt: number): Buffer {
  const raw = JSON.parse(data.toString("utf8")) as Raw;
  const kept = Object.entries(raw.Header ?? {}).filter(
    ([key]) => key.toLowerCase() !== ATTEMPT_HEADER.toLowerCase(),
  );
  const Header = Object.fromEntries([...kept, [ATTEMPT_HEADER, [String(attempt)]]]);
  return Buffer.from(JSON.stringify({ ...raw, Header }));
}

/** Headers that go on to the next hop. */
export function passedOn(headers: Headers | Record<string, string | string[] | undefined>): Headers {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([key, value]) =>
      value === undefined || NOT_PASSED_ON.has(key.toLowerCase()) ? [] : [[key, [value].flat()]],
    ),
  );
}

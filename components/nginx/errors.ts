/** What Nginx answers by itself: a line of text that names no program. */

const TEXTS: Readonly<Record<number, string>> = {
  400: "The request is not valid HTTP.",
  403: "You may not do this from here.",
  404: "There is nothing here.",
  405: "This method is not allowed here.",
  408: "The request took too long.",
  413: "The body is too large.",
  414: "The address is too long.",
  415: "This content type is not allowed here.",
  429: "Too many requests. Try again later.",
  431: "The headers are too large.",
  500: "Something went wrong.",
  502: "The platform does not answer. Try again later.",
  503: "The platform is busy. Try again later.",
  504: "There was no answer in time.",
};

/** A location that adds headers inherits none. */
const HEADERS = [
  "    add_header X-Call-Id $call_id always;",
  "    add_header X-Content-Type-Options nosniff always;",
  "    add_header Content-Security-Policy \"default-src 'none'; frame-ancestors 'none'\" always;",
];

/** After how many seconds a client may try again. */
const RETRY_AFTER: Readonly<Record<string, number>> = { 429: 1, 503: 1 };

/** @param other where a status is answered otherwise: a location that names one place has to name all */
export const errorPages = (other: Readonly<Record<string, string>> = {}): string[] => [
  ...Object.keys(TEXTS).map((code) => `error_page ${code} ${other[code] ?? `/.error/${code}`};`),
  // Nginx's own statuses for headers that are too large, and for HTTP on the port of HTTPS.
  "error_page 494 =431 /.error/431;",
  "error_page 495 496 497 =400 /.error/400;",
];

/** For `server`. @param more headers of each. Answers of functions and of the gateway stay as they are. */
export function renderErrors(more: string[] = []): string[] {
  const codes = Object.keys(TEXTS);
  return [
    ...errorPages(),
    ...codes.flatMap((code) => [
      `location = /.error/${code} {`,
      "    internal;",
      "    default_type text/plain;",
      ...HEADERS,
      ...more.map((line) => `    ${line}`),
      ...(RETRY_AFTER[code] ? [`    add_header Retry-After ${RETRY_AFTER[code]} always;`] : []),
      `    return ${code} "${TEXTS[Number(code)]}\\n";`,
      "}",
    ]),
  ];
}

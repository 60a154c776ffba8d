/** What the edge says itself: the status, a text, and headers. */
export const answer = (status: number, text: string, ...headers: [name: string, value: string][]): string =>
  [
    `http-request return status ${status} content-type text/plain`,
    ...headers.map(([name, value]) => `hdr ${name} "${value}"`),
    `string "${text}\\n"`,
  ].join(" ");

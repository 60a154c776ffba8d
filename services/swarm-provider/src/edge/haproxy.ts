/** HAProxy's command line, over its socket: one connection a question. */
import { connect } from "node:net";

const LIMIT_MS = 3000;
const MOST_BYTES = 64 * 1024 * 1024;

/** @throws Error when the socket is away, or does not answer within three seconds */
export function ask(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error("HAProxy did not answer")));
    socket.once("connect", () => socket.write(`${command}\n`));
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) socket.destroy(new Error("HAProxy's answer is too long"));
      else chunks.push(chunk);
    });
    socket.once("error", reject);
    socket.once("end", () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString().trim());
    });
  });
}

/**
 * Puts `entries` in the place of what a map holds, at one moment: no call sees a half.
 * @throws Error with HAProxy's words
 */
export async function replaceMap(
  socketPath: string,
  map: string,
  entries: Iterable<[string, string]>,
): Promise<void> {
  const prepared = await ask(socketPath, `prepare map ${map}`);
  const version = /New version created: (\d+)/.exec(prepared)?.[1];
  if (!version) throw new Error(`HAProxy cannot prepare ${map}: ${prepared}`);
  for (const lines of inParts([...entries].map(([key, value]) => `${key} ${value}\n`))) {
    // A text that is sent along ends with an empty line.
    const added = await ask(socketPath, `add map @${version} ${map} <<\n${lines}`);
    if (added) throw new Error(`HAProxy cannot fill ${map}: ${added}`);
  }
  const done = await ask(socketPath, `commit map @${version} ${map}`);
  if (done) throw new Error(`HAProxy cannot put ${map} in place: ${done}`);
}

/** A command and its text have to fit into one of HAProxy's buffers, of 16 KiB. */
function inParts(lines: string[], most = 8 * 1024): string[] {
  const parts: string[] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (last === undefined || last.length + line.length > most) parts.push(line);
    else parts[parts.length - 1] = last + line;
  }
  return parts;
}

export interface Tracked {
  /** Calls begun since HAProxy started. */
  started: number;
  /** Calls under way. */
  underWay: number;
}

/** What a stick table with http_req_cnt and conn_cur has counted, by key. */
export function parseTable(text: string): Map<string, Tracked> {
  const found = new Map<string, Tracked>();
  for (const line of text.split("\n")) {
    const key = /\bkey=(\S+)/.exec(line)?.[1];
    const number = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(line)?.[1] ?? 0);
    if (key) found.set(key, { started: number("http_req_cnt"), underWay: number("conn_cur") });
  }
  return found;
}

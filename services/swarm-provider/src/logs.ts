/** Logs of functions, as lines of JSON: what the engine has of every replica, and, when asked, what comes. */
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { invalid } from "./errors";

/** Stream, three zeros, length: what the engine puts before each piece. */
const FRAME_HEAD = 8;

/** A flag or a number of a query, where the last one counts, as with OpenFaaS's other providers. */
const last = z.union([z.string(), z.array(z.string()).transform((all) => all.at(-1) ?? "")]).default("");

const shape = z.object({
  name: last.refine((text) => text !== "", "is required: the function's name"),
  instance: last,
  tail: last.refine((text) => /^-?\d{0,9}$/.test(text), "must be a whole number of lines"),
  follow: last,
  since: last.refine(
    (text) => text === "" || !Number.isNaN(Date.parse(text)),
    "must be a time such as 2026-01-31T12:00:00Z",
  ),
});

export interface LogRequest {
  name: string;
  /** Only of this replica: the id of its task. */
  instance?: string;
  /** At most so many lines of each replica; all without it. */
  tail?: number;
  follow: boolean;
  since?: Date;
}

export interface LogMessage {
  name: string;
  namespace: string;
  instance: string;
  timestamp: string;
  text: string;
}

/** @throws ApiError 400 naming every parameter that is wrong */
export function parseLogRequest(query: unknown): LogRequest {
  const result = shape.safeParse(query);
  if (!result.success)
    throw invalid(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  const { name, instance, tail, follow, since } = result.data;
  return {
    name,
    ...(instance ? { instance } : {}),
    ...(Number(tail) > 0 ? { tail: Number(tail) } : {}),
    follow: ["1", "t", "true"].includes(follow.toLowerCase()),
    ...(since ? { since: new Date(since) } : {}),
  };
}

/** A line as the engine has it. */
interface Line {
  /** The id of its task. */
  instance: string;
  timestamp: string;
  text: string;
}

/**
 * The messages of an engine's log stream, one JSON text a line. Ends the stream when its reader goes.
 * @param obstacle why the function cannot start: the first message
 */
export async function* renderLogs(
  stream: Readable,
  request: LogRequest,
  namespace: string,
  obstacle?: { message: string; at: string },
): AsyncGenerator<string> {
  const { name, instance, since, follow } = request;
  if (obstacle) {
    const text = `cannot start: ${obstacle.message}`;
    yield `${JSON.stringify({ name, namespace, instance: "", timestamp: obstacle.at, text })}\n`;
  }
  try {
    for await (const line of inOrderOfTime(readLines(stream), follow)) {
      if (instance && line.instance !== instance) continue;
      // The engine counts in whole seconds.
      if (since && Date.parse(line.timestamp) < since.getTime()) continue;
      const message: LogMessage = { name, namespace, ...line };
      yield `${JSON.stringify(message)}\n`;
    }
  } finally {
    stream.destroy();
  }
}

/** How long the lines of a followed log wait for earlier ones of another replica. */
const HOLD_MS = 200;
/** Characters that are held at most. A longer log is in order within pieces of half as many. */
const MOST_HELD = 4 * 1024 * 1024;

/** The engine sends one replica's lines after the other's. */
export async function* inOrderOfTime(lines: AsyncGenerator<Line>, follow: boolean): AsyncGenerator<Line> {
  let held: Line[] = [];
  let size = 0;
  let isDue: Promise<"due"> | undefined;
  const take = (count: number) => {
    held.sort((a, b) => (timeKey(a) < timeKey(b) ? -1 : timeKey(a) > timeKey(b) ? 1 : 0));
    const taken = held.slice(0, count);
    held = held.slice(count);
    size = held.reduce((sum, { text }) => sum + text.length, 0);
    return taken;
  };
  for (let next = lines.next(); ;) {
    // When nobody reads on it is left alone, and fails as the stream ends.
    next.catch(() => undefined);
    const result = await (isDue ? Promise.race([next, isDue]) : next);
    if (result === "due") {
      isDue = undefined;
      yield* take(held.length);
      continue;
    }
    if (result.done) break;
    held.push(result.value);
    size += result.value.text.length;
    if (size > MOST_HELD) yield* take(Math.ceil(held.length / 2));
    if (follow) isDue ??= sleep(HOLD_MS, "due" as const);
    next = lines.next();
  }
  yield* take(held.length);
}

/** The engine writes nine digits after the second; others may leave out zeros. */
function timeKey({ timestamp }: Line): string {
  return timestamp.replace("Z", "").padEnd(29, "0");
}

/** The lines of an engine's log stream that has times and details. Ends the stream when its reader goes. */
export async function* readLines(stream: Readable): AsyncGenerator<Line> {
  try {
    for await (const frame of frames(stream)) {
      const line = parseLine(frame);
      if (line) yield line;
    }
  } finally {
    stream.destroy();
  }
}

async function* frames(stream: Readable): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= FRAME_HEAD) {
      const end = FRAME_HEAD + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield rest.toString("utf8", FRAME_HEAD, end);
      rest = rest.subarray(end);
    }
  }
}

/** "TIME key=value,key=value text": the engine's form with timestamps and details. */
function parseLine(line: string): Line | undefined {
  const match = /^(\S+) (\S*) ?([\s\S]*)$/.exec(line);
  if (!match || Number.isNaN(Date.parse(match[1]!))) return undefined;
  const details = new URLSearchParams(match[2]!.replaceAll(",", "&"));
  return {
    instance: details.get("com.docker.swarm.task.id") ?? "",
    timestamp: match[1]!,
    text: match[3]!.replace(/\r?\n$/, ""),
  };
}

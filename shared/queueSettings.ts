/** How the asynchronous calls of one function are made: annotations, each in place of a key of its environment's openfaas.queue. */
import { goDuration } from "./duration";
import { FUNCTION_NAME } from "./names";

const PREFIX = "com.oslo-faas.queue.";

/** What is not there is as the environment says. */
export interface QueueSettings {
  /** Calls that one worker makes at the same time. */
  concurrency?: number;
  /** In all, the first included. */
  attempts?: number;
  /** Statuses that are worth another attempt. */
  codes?: number[];
  /** Before the second attempt; doubled for each further one. */
  minDelayMs?: number;
  /** Longest wait between two attempts. */
  maxDelayMs?: number;
  /** An attempt that takes longer has failed. */
  timeoutMs?: number;
  /** A function that is called when a call has failed for good. */
  onFailure?: string;
}

type Texts = Readonly<Record<string, string>>;

/** A form, what has it, and its value; undefined where the text has not this form. */
interface Kind<T> {
  phrase: string;
  read(text: string): T | undefined;
}

const whole = (most: number): Kind<number> => ({
  phrase: `a whole number from 1 to ${most}`,
  read: (text) => (/^\d{1,4}$/.test(text) && +text >= 1 && +text <= most ? +text : undefined),
});

const duration = (leastMs: number, mostMs: number, phrase: string): Kind<number> => ({
  phrase,
  read(text) {
    const ms = goDuration(text);
    return ms !== undefined && ms >= leastMs && ms <= mostMs ? Math.round(ms) : undefined;
  },
});

const codes: Kind<number[]> = {
  phrase: "statuses from 400 to 599, such as 429, 503",
  read(text) {
    const words = text.split(/[\s,]+/).filter(Boolean);
    return words.every((word) => /^[45]\d\d$/.test(word)) ? words.map(Number) : undefined;
  },
};

const functionName: Kind<string> = {
  phrase: "the name of a function",
  read: (text) => (FUNCTION_NAME.form.test(text) ? text : undefined),
};

const HOUR_MS = 3_600_000;
const wait = duration(100, HOUR_MS, "a duration from 100ms to 1h, such as 30s");

const KINDS: {
  [Key in keyof Required<QueueSettings>]: [name: string, kind: Kind<Required<QueueSettings>[Key]>];
} = {
  concurrency: ["concurrency", whole(1000)],
  attempts: ["attempts", whole(100)],
  codes: ["codes", codes],
  minDelayMs: ["min-delay", wait],
  maxDelayMs: ["max-delay", wait],
  timeoutMs: ["timeout", duration(100, 24 * HOUR_MS, "a duration from 100ms to 24h, such as 90s")],
  onFailure: ["on-failure", functionName],
};

export const isQueueAnnotation = (key: string): boolean => key.startsWith(PREFIX);

export const queueAnnotations = (annotations: Texts): Texts =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => isQueueAnnotation(key)));

/** What is not of its form is left out. */
export function readQueueSettings(annotations: Texts): QueueSettings {
  const values = Object.entries(KINDS).map(([key, [name, kind]]) => {
    const text = annotations[PREFIX + name];
    return [key, text === undefined ? undefined : kind.read(text)] as const;
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

export function queueProblem(key: string, value: string): string | undefined {
  const found = Object.values(KINDS).find(([name]) => PREFIX + name === key);
  if (!found)
    return `does nothing here; there is ${Object.values(KINDS)
      .map(([name]) => PREFIX + name)
      .join(", ")}`;
  return found[1].read(value) === undefined ? `"${value}" is not ${found[1].phrase}` : undefined;
}

/** Calls of the queue as text. */
import type { DeadCall, DeadCallDetails, QueueAnswers } from "../../shared/deadCalls";
import { columns } from "../columns";
import { visible } from "../preview/markdown";

const time = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

const plural = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;

export function listed({ count, calls, waiting }: QueueAnswers["list"]): string[] {
  const names = Object.entries(waiting).map(([name, depth]) => `${name} ${depth}`);
  const notDone = names.length > 0 ? `Not done: ${names.join(", ")}.` : "No call waits or is under way.";
  if (count === 0) return ["No call failed for good.", notDone];
  const rows = calls.map((call) => [
    String(call.id),
    time(call.diedMs),
    call.function,
    String(call.status),
    String(call.attempts),
    visible(call.reason),
  ]);
  const table = columns([["ID", "DIED (UTC)", "FUNCTION", "STATUS", "ATTEMPTS", "REASON"], ...rows]);
  const shown = calls.length < count ? `, the newest ${calls.length} shown` : "";
  return [...table, "", `${plural(count, "call")} failed for good${shown}. ${notDone}`];
}

export function shown(call: DeadCallDetails): string[] {
  const body = Buffer.from(call.body, "base64");
  const headers = Object.entries(call.headers).flatMap(([name, values]) =>
    values.map((value) => `  ${visible(`${name}: ${value}`)}`),
  );
  return [
    ...facts(call).map(([name, value]) => `${name.padEnd(10)} ${visible(value)}`),
    "headers",
    ...headers,
    ...(call.answer
      ? ["last answer", ...call.answer.split(/\r?\n/).map((line) => `  ${visible(line)}`)]
      : []),
    body.length > 0
      ? `body       ${plural(body.length, "byte")}: oslo-faas queue show ${call.id} --body`
      : "body       none",
  ];
}

const facts = (call: DeadCall & Pick<DeadCallDetails, "target" | "callbackUrl">): [string, string][] => [
  ["call", `${call.id}, X-Call-Id ${call.callId}`],
  ["function", call.function],
  ["path", call.target],
  ["accepted", `${time(call.acceptedMs)} UTC`],
  ["died", `${time(call.diedMs)} UTC`],
  ["attempts", String(call.attempts)],
  ["reason", call.reason],
  ...(call.callbackUrl ? [["callback", call.callbackUrl] as [string, string]] : []),
];

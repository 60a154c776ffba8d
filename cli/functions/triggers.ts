/** `oslo-faas functions list` and `show`: what starts a call of a function, out of the files alone. */
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { publicUrl } from "../../components/nginx/render";
import type { Environment } from "../../environment/schema";
import { readAccess } from "../../shared/access";
import { Schedule } from "../../shared/schedule";
import { readSchedule } from "../../shared/triggers";
import { columns } from "../columns";
import type { Where } from "../environment";
import { readKnown } from "./one";
import { readSound } from "./read";

export interface Triggers {
  name: string;
  /** "functions/stack.yml:12". */
  file: string;
  image: string;
  url: string;
  /** Who may call it by HTTP: public, internal, token or networks. */
  access: string;
  schedule?: {
    times: string;
    timezone: string;
    /** The next three, ISO 8601. */
    next: string[];
  };
}

const NEXT = 3;

/** @throws Unusable with every mistake of the files */
export function triggersOf(where: Where, now = Date.now()): Triggers[] {
  const { environment, functions } = readSound(where);
  return functions.map((one) => triggers(one, environment, now));
}

/** @throws Unusable if the function does not exist, or the files have mistakes */
export function triggersOfOne(name: string, where: Where, now = Date.now()): Triggers {
  const { found, environment } = readKnown(name, where);
  return triggers(found, environment, now);
}

function triggers({ spec, file, line }: FunctionOfFile, environment: Environment, now: number): Triggers {
  const { name, image, annotations } = spec;
  const { timezone } = environment.base;
  const times = readSchedule(annotations);
  return {
    name,
    file: `${file}:${line() ?? 1}`,
    image,
    url: `${publicUrl(environment.nginx, environment.host.address)}/function/${name}`,
    access: readAccess(annotations)?.level ?? environment.openfaas.access,
    ...(times === undefined ? {} : { schedule: { times, timezone, next: nextOf(times, timezone, now) } }),
  };
}

function nextOf(times: string, timezone: string, now: number): string[] {
  const schedule = new Schedule(times, timezone);
  const next: string[] = [];
  for (let at = now; next.length < NEXT;) next.push(new Date((at = schedule.next(at))).toISOString());
  return next;
}

/** @returns lines for a person */
export function listed(all: Triggers[]): string[] {
  if (all.length === 0) return ["The environment has no function."];
  const rows = all.map(({ name, access, schedule }) => [
    name,
    access,
    schedule?.times ?? "-",
    schedule ? inZone(schedule.next[0]!, schedule.timezone) : "-",
  ]);
  return columns([["FUNCTION", "HTTP", "SCHEDULE", "NEXT"], ...rows]);
}

/** @returns lines for a person */
export function shown({ name, file, image, url, access, schedule }: Triggers): string[] {
  const rows = [
    ["file", file],
    ["image", image],
    ["HTTP", `${access}: ${url}`],
    ["asynchronous", `${access}: ${url.replace("/function/", "/async-function/")}`],
    ...(schedule ? [["schedule", `${schedule.times} (${schedule.timezone})`]] : []),
    ...(schedule?.next ?? []).map((time, at) => [at === 0 ? "next" : "", inZone(time, schedule!.timezone)]),
  ];
  return [name, ...columns(rows).map((line) => `  ${line}`)];
}

/** "Mon 2026-11-30 06:00 +01:00": the hour that clocks repeat has two offsets. */
function inZone(time: string, timeZone: string): string {
  const date = new Date(time);
  const part = (locale: string, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(date);
  const day = part("en-GB", { weekday: "short" });
  const clock = part("sv-SE", { dateStyle: "short", timeStyle: "short" });
  const offset = /GMT(.*)$/.exec(part("en-GB", { timeZoneName: "longOffset" }))?.[1] || "+00:00";
  return `${day} ${clock} ${offset}`;
}

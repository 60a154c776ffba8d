/** `oslo-faas queue`: asynchronous calls that failed in their last attempt. */
import type { Command } from "commander";
import { act, type Context, type Register, say } from "../context";
import { configFileOption, type StackFlags, stackOption, whereOf } from "../environment";
import { EXIT, UsageError } from "../errors";
import { examples, note } from "../help";
import { FUNCTION_NAME } from "../../shared/names";
import type { Selection } from "../../shared/deadCalls";

interface Flags extends StackFlags {
  json?: boolean;
}

interface Chosen extends Flags {
  function?: string;
  since?: string;
  all?: boolean;
}

export const register: Register = (parent, context) => {
  const queue = parent
    .command("queue")
    .description("asynchronous calls that failed in their last attempt: list, show, retry, drop");
  registerList(queue, context);
  registerShow(queue, context);
  registerOnes(queue, context, "retry", "make calls again, as new ones", "Made again");
  registerOnes(queue, context, "drop", "remove calls for ever", "Dropped");
};

const verb = (queue: Command, name: string): Command =>
  queue.command(name).addOption(stackOption()).addOption(configFileOption());

const SINCE = 'that died since: "2026-11-28T04:00", or so long ago, such as 30m, 6h or 2d';

function registerList(queue: Command, context: Context): void {
  const command = verb(queue, "list")
    .option("-f, --function <name>", "of one function")
    .option("--since <time>", SINCE)
    .option("-n, --limit <count>", "the newest, at the most", "50")
    .option("--json", "print JSON")
    .description("list them, and count the calls that are not done")
    .action(
      act(context, async (flags: Chosen & { limit: string }) => {
        const selection = selectionOf([], flags);
        const limit = Number(flags.limit);
        if (!Number.isInteger(limit) || limit < 1) throw new UsageError(`--limit is "${flags.limit}".`);
        const { askQueue } = await import("./ask");
        const answer = await askQueue({ verb: "list", selection, limit }, whereOf(context.root, flags));
        const { listed } = await import("./render");
        if (flags.json) say(JSON.stringify(answer, null, 2));
        else for (const line of listed(answer)) say(line);
      }),
    );
  examples(command, "-s oslo-prod", "-s oslo-prod --function resize --since 6h");
}

function registerShow(queue: Command, context: Context): void {
  const command = verb(queue, "show")
    .argument("<id>", "its number in the list")
    .option("--body", "print its body alone, as it came")
    .option("--json", "print JSON; the body is in base64")
    .description("show one: why it failed, the beginning of the last answer, its headers and its body")
    .action(
      act(context, async (word: string, flags: Flags & { body?: boolean }) => {
        const [id] = numbers([word]);
        const where = whereOf(context.root, flags);
        const { askQueue } = await import("./ask");
        const call = await askQueue({ verb: "show", id: id! }, where);
        if (!call)
          throw new Error(`${where.stack} keeps no call ${id}: it was dropped, made again, or too old.`);
        const { shown } = await import("./render");
        if (flags.body) process.stdout.write(Buffer.from(call.body, "base64"));
        else if (flags.json) say(JSON.stringify(call, null, 2));
        else for (const line of shown(call)) say(line);
      }),
    );
  examples(command, "17 -s oslo-prod", "17 -s oslo-prod --body");
}

function registerOnes(
  queue: Command,
  context: Context,
  name: "retry" | "drop",
  description: string,
  done: string,
): void {
  const command = verb(queue, name)
    .argument("[id...]", "numbers in the list")
    .option("-f, --function <name>", "all of one function")
    .option("--since <time>", `all ${SINCE}`)
    .option("--all", "all of them")
    .option("--json", "print JSON")
    .description(description)
    .action(
      act(context, async (words: string[], flags: Chosen) => {
        const selection = selectionOf(words, flags);
        const isEmpty = Object.keys(selection).length === 0;
        if (isEmpty && !flags.all) throw new UsageError("Which ones? Numbers, --function, --since or --all.");
        if (flags.all && !isEmpty) throw new UsageError("--all goes with nothing else.");
        const { askQueue } = await import("./ask");
        const count = await askQueue({ verb: name, selection }, whereOf(context.root, flags));
        if (flags.json) say(JSON.stringify({ count }));
        else say(`${done}: ${count} ${count === 1 ? "call" : "calls"}.`);
        return words.length > count ? EXIT.wrong : EXIT.fine;
      }),
    );
  note(command, "Exit code 1: a call of that number is not kept any more.");
  examples(command, "17 18 -s oslo-prod", "--function resize --since 2d -s oslo-prod", "--all -s oslo-dev");
}

function selectionOf(words: string[], { function: name, since }: Chosen): Selection {
  if (words.length > 0 && (name !== undefined || since !== undefined))
    throw new UsageError("Name calls by numbers, or by --function and --since, not both.");
  return {
    ...(words.length > 0 ? { ids: numbers(words) } : {}),
    ...(name === undefined ? {} : { function: functionName(name) }),
    ...(since === undefined ? {} : { sinceMs: timeOf(since) }),
  };
}

function numbers(words: string[]): number[] {
  const wrong = words.find((word) => !/^[1-9]\d{0,15}$/.test(word));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is not a number from the list.`);
  return words.map(Number);
}

function functionName(name: string): string {
  if (!FUNCTION_NAME.form.test(name)) throw new UsageError(`"${name}" is not the name of a function.`);
  return name;
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** @returns ms since 1970 */
function timeOf(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count) return Date.now() - Number(count) * 1000 * UNITS[unit as keyof typeof UNITS];
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new UsageError(`--since is "${text}"; it has to be ${SINCE.slice(17)}.`);
  return time;
}

/** Questions on a terminal. They go to stderr; stdout is for the result. */
import readline from "node:readline";
import { Writable } from "node:stream";
import type tty from "node:tty";

export interface Prompt {
  /** @returns the answer, or the default for an empty one. Asks again, with the mistake, until `check` finds none. A hidden one is not shown. */
  ask(
    question: string,
    options?: { default?: string; check?: (answer: string) => string | undefined; hidden?: boolean },
  ): Promise<string>;
  say: (line: string) => void;
  close(): void;
}

export function prompt(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Prompt {
  let isHidden = false;
  const screen = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) output.write(chunk);
      done();
    },
  });
  const terminal = Boolean((output as Partial<tty.WriteStream>).isTTY);
  const lines = readline.createInterface({ input, output: screen, terminal });
  // Lines that come before their question (pasted ones) wait for it.
  const typed: string[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  lines.on("line", (line) => {
    typed.push(line.trim());
    wake();
  });
  lines.on("close", () => {
    ended = true;
    wake();
  });
  const next = async (): Promise<string> => {
    while (typed.length === 0) {
      // A terminal that is gone answers no question; without this the process would end without a word, and with exit code 0.
      if (ended) throw new Error("the input ended before every question was answered; nothing was written");
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return typed.shift()!;
  };
  const say = (line: string) => void output.write(`${line}\n`);
  return {
    say,
    close: () => lines.close(),
    async ask(question, { default: standard, check, hidden = false } = {}) {
      for (;;) {
        output.write(standard === undefined ? `${question}: ` : `${question} [${standard}]: `);
        isHidden = hidden;
        const answer = (await next().finally(() => (isHidden = false))) || (standard ?? "");
        if (hidden) output.write("\n");
        const wrong = check?.(answer);
        if (wrong === undefined) return answer;
        say(`  ${wrong}`);
      }
    },
  };
}

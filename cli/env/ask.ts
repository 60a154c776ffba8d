/** Questions on a terminal. They go to stderr; stdout is for the result. */
import readline from "node:readline";

export interface Prompt {
  /** @returns the answer, or the default for an empty one. Asks again, with the mistake, until `check` finds none. */
  ask(
    question: string,
    options?: { default?: string; check?: (answer: string) => string | undefined },
  ): Promise<string>;
  say: (line: string) => void;
  close(): void;
}

export function prompt(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Prompt {
  const lines = readline.createInterface({ input, output });
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
    async ask(question, { default: standard, check } = {}) {
      for (;;) {
        output.write(standard === undefined ? `${question}: ` : `${question} [${standard}]: `);
        const answer = (await next()) || (standard ?? "");
        const wrong = check?.(answer);
        if (wrong === undefined) return answer;
        say(`  ${wrong}`);
      }
    },
  };
}

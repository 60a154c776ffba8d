/** Questions on a terminal. Everything goes to stderr, so that stdout stays what a command is about. */
import readline from "node:readline/promises";

export interface Prompt {
  /** The answer, or the default for an empty one. Asks again, with what is wrong, until `check` finds nothing. */
  ask(
    question: string,
    options?: { default?: string; check?(answer: string): string | undefined },
  ): Promise<string>;
  say(line: string): void;
  close(): void;
}

export function prompt(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Prompt {
  const lines = readline.createInterface({ input, output });
  // A terminal that is gone answers no question; without this the process would end without a word, and with exit code 0.
  const gone = new Promise<never>((_, reject) =>
    lines.once("close", () => reject(new Error("the input ended before every question was answered"))),
  );
  gone.catch(() => undefined);
  const say = (line: string) => void output.write(`${line}\n`);
  return {
    say,
    close: () => lines.close(),
    async ask(question, { default: standard, check } = {}) {
      for (;;) {
        const shown = standard === undefined ? `${question}: ` : `${question} [${standard}]: `;
        const typed = (await Promise.race([lines.question(shown), gone])).trim();
        const answer = typed === "" && standard !== undefined ? standard : typed;
        const wrong = check?.(answer);
        if (wrong === undefined) return answer;
        say(`  ${wrong}`);
      }
    },
  };
}

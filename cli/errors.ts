/** How a command ends. */
import { CommanderError } from "commander";

/** The same for every verb; `--help` and docs/reference say so. */
export const EXIT = {
  /** Done, or nothing is wrong. */
  fine: 0,
  /** What was looked at is wrong, or what was asked for failed. */
  wrong: 1,
  /** The command line, or a file that it names, cannot be used: nothing was done. */
  unusable: 2,
} as const;

export const EXIT_CODES = `Exit codes:
  0  done, and nothing is wrong
  1  something is wrong and is named, or what was asked for failed
  2  the command line, or the environment that it names, cannot be used: nothing was done`;

/** Ends a command with exit code 2: what the command line names is missing or cannot be read. */
export class Unusable extends Error {}

/** The same for a mistake in the command line itself, so that help is pointed to as well. */
export class UsageError extends Unusable {}

/** Defects of this program, which want their stack. Anything else that is thrown has a sentence for a person. */
const DEFECTS = [TypeError, ReferenceError, RangeError, SyntaxError];

/** @returns the exit code, with what a person should read; commander has printed its own errors already */
export async function ending(error: unknown): Promise<{ code: number; text?: string }> {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.fine : EXIT.unusable };
  const code = error instanceof Unusable ? EXIT.unusable : EXIT.wrong;
  if (DEFECTS.some((kind) => error instanceof kind)) return { code, text: (error as Error).stack };
  // Loaded only here: an error of a host tells where and at which step.
  const { describe } = await import("../providers/core/errors");
  return { code, text: error instanceof Unusable ? error.message : describe(error) };
}

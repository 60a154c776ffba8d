/** Exit codes and errors of commands. */
import { CommanderError } from "commander";

/** The same for every verb, and documented in docs/commands.md. */
export const EXIT = {
  /** Done, and nothing is wrong. */
  fine: 0,
  /** Something is wrong, or the requested action failed. */
  wrong: 1,
  /** The command line, or a file that it names, cannot be used: nothing was done. */
  unusable: 2,
} as const;

export const EXIT_CODES = `Exit codes:
  0  done, and nothing is wrong
  1  something is wrong and is named, or the requested action failed
  2  the command line, or the environment it names, cannot be used: nothing was done`;

/** Ends a command with exit code 2: what the command line names is missing or cannot be read. */
export class Unusable extends Error {}

/** A mistake in the command line itself. The message is followed by a pointer to help. */
export class UsageError extends Unusable {}

/** Defects of this program, which are shown with their stack. Other errors have a message for people. */
const DEFECTS = [TypeError, ReferenceError, RangeError, SyntaxError];

/** @returns the exit code, and the text to print; commander has printed its own errors already */
export async function ending(error: unknown): Promise<{ code: number; text?: string }> {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.fine : EXIT.unusable };
  const code = error instanceof Unusable ? EXIT.unusable : EXIT.wrong;
  if (DEFECTS.some((kind) => error instanceof kind)) return { code, text: (error as Error).stack };
  // Loaded late. Errors of a host name the host and the step.
  const { describe } = await import("../providers/core/errors");
  return { code, text: error instanceof Unusable ? error.message : describe(error) };
}

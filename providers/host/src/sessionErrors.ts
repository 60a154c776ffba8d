/** The ways in which a command on a host can go wrong that are not the command's own. */
import { HostError, type HostErrorDetails, type RunResult } from "./session";

/** What sudo itself says when it does not let a user in; in the C locale, which the session sees to. The last two are sudo-rs'. */
const SUDO_REFUSED = [
  /^sudo: (a password is required|a terminal is required|no tty present|sorry, you must have a tty)/m,
  /^(Sorry, user )?\S+ is not (in the sudoers file|allowed to (run|execute))/m,
  /^sudo: (interactive authentication is required|I'm sorry \S+ I'm afraid I can't do that)/m,
  /^sudo: Sorry, user \S+ (is not allowed to execute|may not run) /m,
];
/** `Defaults requiretty`. */
export const WANTS_TERMINAL = /^sudo: (sorry, )?you must have a tty/m;
const SUDO_MISSING = /^(env: .?sudo.?: No such file|.*sudo: (command )?not found)/m;

export function lostError(host: string, step: string): HostError {
  return new HostError(
    `the connection to ${host} was lost in the middle of a step; whether it was completed is not known`,
    {
      host,
      step,
      remedy: "run the same command again: it connects anew and does what is missing",
    },
  );
}

export function silentError(host: string, step: string, seconds: number, script: string): HostError {
  return new HostError(`${step}: no end within ${seconds} s, although the command was told to end`, {
    host,
    step,
    command: summary(script),
    remedy: "look on the host at what it waits for (a process in state D waits for a disk)",
  });
}

export function floodError(host: string, step: string): HostError {
  return new HostError(`${step}: the command printed more than the provider keeps`, { host, step });
}

/** What was to be sent to the command could not be had. */
export function inputError(host: string, step: string, error: Error): HostError {
  return new HostError(`${step}: ${error.message}`, { host, step });
}

/** Undefined where it was not sudo that failed. */
export function sudoError(
  host: string,
  user: string,
  step: string,
  { code, stderr }: RunResult,
): HostError | undefined {
  if (code === 127 && SUDO_MISSING.test(stderr))
    return new HostError(`there is no sudo on the host, and ${user} is not root`, {
      host,
      step,
      remedy: "install sudo on the host, or log in as root",
    });
  if (code !== 1 || !SUDO_REFUSED.some((said) => said.test(stderr))) return undefined;
  const terminal = WANTS_TERMINAL.test(stderr);
  return new HostError(
    terminal
      ? `sudo wants a terminal of ${user} (Defaults requiretty)`
      : `${user} may not use sudo without a password`,
    { host, step, output: stderr, remedy: `as root on the host: ${sudoRemedy(user, terminal)}` },
  );
}

/** The commands that let a user in. sudo ignores a file with a dot in its name. */
export function sudoRemedy(user: string, terminal: boolean): string {
  const file = `/etc/sudoers.d/90-${user.replaceAll(".", "_")}${terminal ? "-tty" : ""}`;
  const line = terminal ? `Defaults:${user} !requiretty` : `${user} ALL=(ALL) NOPASSWD: ALL`;
  return `echo '${line}' > ${file} && chmod 0440 ${file} && visudo -c`;
}

/** `timeout` had to send KILL: TERM was not heeded. */
export function stubbornError(details: HostErrorDetails, seconds: number): HostError {
  return new HostError(
    `${details.step}: not done within ${seconds} s; the command went on when it was told to end (TERM), and was killed`,
    { ...details, remedy: "look on the host at what it left half done, and at what it waits for" },
  );
}

/** A short script as it is; a long one by its length, for its step says what it is for. */
export function summary(script: string): string {
  const lines = script.trim().split("\n");
  return lines.length <= 4 && script.length <= 400 ? script.trim() : `a script of ${lines.length} lines`;
}

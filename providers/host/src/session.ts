/**
 * What a resource may do on a host. The implementation (hostSession.ts) keeps one SSH connection per host and plugin process;
 * every call is a channel on it. Resources never see ssh2.
 */
import type { Duplex, Readable } from "node:stream";

export { HostError, type HostErrorDetails } from "../../core/errors";

export interface RunOptions {
  /** What this step is for, in the words a person reads in an error: "install packages nginx, curl". */
  step: string;
  /** Given to the command's standard input. The way for secret values: never argv, never environment. Default: empty. */
  stdin?: string | Buffer;
  /** Instead of `stdin`, for what is too large to be held in memory. An error of it fails the step. */
  input?: Readable;
  /** Run as root (through `sudo -n` where the user is not root). Default: true. */
  root?: boolean;
  /** Seconds until the command is ended (TERM, then the channel closed) and an error names the step. Default: 120. */
  timeoutSeconds?: number;
  /** Exit codes that are no error. Default: [0]. */
  allow?: number[] | "any";
  /** Values masked in every error message and log line. */
  secrets?: string[];
  /** Called with each line of output as it comes, for progress. Default: none. */
  onLine?: (line: string) => void;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface WriteFileOptions {
  /** Octal permission bits as text, "0644". */
  mode: string;
  /** Owner and group by name. Default: root, root. */
  owner?: string;
  group?: string;
  /** Command run against the new file before it replaces the old one; `%s` is the temporary file's path. */
  validate?: string;
  /** True: the content is secret; it appears in no message. */
  secret?: boolean;
  step: string;
}

export interface Session {
  /** "root@host:22", for messages. */
  readonly name: string;
  /** Runs a POSIX sh script (`sh -c SCRIPT`). Throws HostError unless its exit code is allowed. Scripts hold no secret: use stdin. */
  run(script: string, options: RunOptions): Promise<RunResult>;
  /** Atomic: temporary file beside the target, fsync, chmod/chown, validate, rename, fsync of the folder. */
  writeFile(path: string, content: string | Buffer, options: WriteFileOptions): Promise<void>;
  /** A TCP stream to host:port as seen from the host (direct-tcpip on the same connection). */
  forward(host: string, port: number): Promise<Duplex>;
}

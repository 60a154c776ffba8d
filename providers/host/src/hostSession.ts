/** The Session that resources get: one connection for the whole process, a queue for its channels, sudo, time-outs. */
import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import type { Target } from "./config";
import { printed } from "../../core/errors";
import { Output } from "./output";
import { refuseTalkativeShell } from "./loginShell";
import { command } from "../../../shared/quote";
import { runScript } from "./scripts";
import {
  floodError,
  inputError,
  lostError,
  silentError,
  stubbornError,
  sudoError,
  summary,
} from "./sessionErrors";
import { HostError, type RunOptions, type RunResult, type Session, type WriteFileOptions } from "./session";
import { connect, endpointName, exec, type Connection } from "./ssh";
import { validation } from "./validation";

/** sshd allows 10 sessions a connection unless told otherwise (MaxSessions); two are left for others on the same connection. */
const CHANNELS = 8;
/** Beyond the time the host itself allows a command: for the answer to travel. */
const GRACE_SECONDS = 20;
const KILL_AFTER_SECONDS = 10;
const TIMED_OUT = 124;
const KILLED = 137;
/** A host that could not be reached is not dialled again by each of twenty resources in turn. */
const REMEMBER_FAILURE_MS = 15_000;

interface Live extends Connection {
  lost: boolean;
  /** Called once when the connection goes, for each command that was running on it. */
  onLost: Set<() => void>;
}

export class HostSession implements Session {
  readonly name: string;
  private live?: Promise<Live>;
  private failure?: { error: unknown; until: number };
  private limit = CHANNELS;
  private active = 0;
  private readonly waiting: (() => void)[] = [];
  private cancelled = false;
  /** Connections opened so far, for tests and logs. */
  dials = 0;

  constructor(private readonly target: Target) {
    this.name = endpointName(target);
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    await this.enter(options.step);
    try {
      return await this.runNow(script, options);
    } finally {
      this.leave();
    }
  }

  async writeFile(path: string, content: string | Buffer, options: WriteFileOptions): Promise<void> {
    const bytes = Buffer.from(content);
    await runScript(
      this,
      ["put-file", "write-file"],
      {
        TARGET: path,
        SIZE: bytes.length,
        MODE: options.mode,
        OWNER: options.owner ?? "root",
        GROUP: options.group ?? "root",
        VALIDATE: validation(options.validate),
      },
      { step: options.step, stdin: bytes, secrets: options.secret ? [bytes.toString()] : undefined },
    );
  }

  async forward(host: string, port: number): Promise<Duplex> {
    const step = `reach ${host}:${port} from the host`;
    const { client } = await this.connection(step);
    return new Promise((resolve, reject) => {
      client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
        if (!error) return resolve(channel);
        const remedy = /prohibited/i.test(error.message)
          ? "allow it in the host's sshd_config: AllowTcpForwarding local"
          : `check on the host that something listens there: ss -ltn 'sport = :${port}'`;
        reject(
          new HostError(`${host}:${port} cannot be reached from the host: ${error.message}`, {
            host: this.name,
            step,
            remedy,
          }),
        );
      });
    });
  }

  /** After it nothing starts any more; what runs may end. */
  cancel(): void {
    this.cancelled = true;
    for (const wake of this.waiting.splice(0)) wake();
  }

  async close(): Promise<void> {
    const live = await this.live?.catch(() => undefined);
    live?.close();
  }

  private async enter(step: string): Promise<void> {
    while (this.active >= this.limit && !this.cancelled)
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.cancelled) throw new HostError("cancelled before it began", { host: this.name, step });
    this.active++;
  }

  private leave(): void {
    this.active--;
    this.waiting.shift()?.();
  }

  private async connection(step: string): Promise<Live> {
    if (this.failure && Date.now() < this.failure.until) throw this.failure.error;
    this.live ??= this.open();
    const live = this.live;
    try {
      const found = await live;
      if (!found.lost) return found;
    } catch (error) {
      if (this.live === live) this.live = undefined;
      throw error;
    }
    if (this.live === live) this.live = undefined;
    return this.connection(step);
  }

  private async open(): Promise<Live> {
    this.dials++;
    try {
      const live: Live = { ...(await connect(this.target)), lost: false, onLost: new Set() };
      live.client.on("close", () => {
        live.lost = true;
        for (const tell of live.onLost) tell();
      });
      await refuseTalkativeShell(live.client, this.name, this.target.user).catch((error: unknown) => {
        live.close();
        throw error;
      });
      return live;
    } catch (error) {
      this.failure = { error, until: Date.now() + REMEMBER_FAILURE_MS };
      throw error;
    }
  }

  private async runNow(script: string, options: RunOptions): Promise<RunResult> {
    const { step } = options;
    const seconds = options.timeoutSeconds ?? 120;
    const sudo = (options.root ?? true) && this.target.user !== "root";
    const live = await this.connection(step);
    const body = Buffer.from(script);
    const channel = await this.openChannel(live, remoteCommand(body.length, seconds, sudo), step);
    const started = Date.now();
    const result = await this.converse(
      live,
      channel,
      Buffer.concat([body, Buffer.from(options.stdin ?? "")]),
      seconds,
      script,
      options,
    );
    const details = {
      host: this.name,
      step,
      command: summary(script),
      code: result.code,
      output: printed(result),
    };
    const late = Date.now() - started >= seconds * 950;
    if (result.code === KILLED && late) throw stubbornError(details, seconds);
    if (result.code === TIMED_OUT && late)
      throw new HostError(`${step}: not done within ${seconds} s; the command was ended`, {
        ...details,
        remedy: "look on the host at what it waits for",
      });
    const refused = sudo ? sudoError(this.name, this.target.user, step, result) : undefined;
    if (refused) throw refused;
    const allowed = options.allow ?? [0];
    if (allowed === "any" || allowed.includes(result.code)) return result;
    throw new HostError(`${step}: failed`, details);
  }

  /** A host with a lower MaxSessions than usual teaches its limit by refusing: the queue shortens to what it bears. */
  private async openChannel(live: Live, line: string, step: string): Promise<ClientChannel> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await exec(live.client, line);
      } catch (error) {
        const message = (error as Error).message;
        if (live.lost || /not connected/i.test(message)) throw lostError(this.name, step);
        if (!/open failure|open failed/i.test(message) || attempt >= 50)
          throw new HostError(`the host opens no session: ${message}`, {
            host: this.name,
            step,
            remedy: "look at MaxSessions, ForceCommand and Match blocks in the host's sshd_config",
          });
        this.limit = Math.max(1, Math.min(this.limit, this.active - 1));
        await new Promise((resolve) => setTimeout(resolve, 100 + 100 * Math.min(attempt, 9)));
      }
    }
  }

  private converse(
    live: Live,
    channel: ClientChannel,
    input: Buffer,
    seconds: number,
    script: string,
    options: RunOptions,
  ): Promise<RunResult> {
    const output = new Output(options.onLine);
    return new Promise((resolve, reject) => {
      const lost = (): void => finish(() => reject(lostError(this.name, options.step)));
      const timer = setTimeout(
        () => finish(() => (channel.close(), reject(silentError(this.name, options.step, seconds, script)))),
        (seconds + KILL_AFTER_SECONDS + GRACE_SECONDS) * 1000,
      );
      let ended = false;
      const finish = (act: () => void): void => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        live.onLost.delete(lost);
        options.input?.destroy();
        act();
      };
      let code: number | undefined;
      let signal: string | undefined;
      live.onLost.add(lost);
      channel.on(
        "exit",
        (status: number | null, name?: string) => ((code = status ?? undefined), (signal = name)),
      );
      channel.on("data", (chunk: Buffer) => {
        if (!output.out(chunk)) finish(() => (channel.close(), reject(floodError(this.name, options.step))));
      });
      channel.stderr.on("data", (chunk: Buffer) => output.err(chunk));
      // A command that does not read its input closes it: not an error, its exit code tells.
      channel.on("error", () => undefined);
      channel.on("close", () => {
        if (code === undefined && signal === undefined) lost();
        else
          finish(() =>
            resolve({
              code: code ?? 128 + (SIGNALS[signal?.replace(/^SIG/, "") ?? ""] ?? 1),
              ...output.end(),
            }),
          );
      });
      if (!options.input) return void channel.end(input);
      channel.write(input);
      options.input.once("error", (error) =>
        finish(() => (channel.close(), reject(inputError(this.name, options.step, error)))),
      );
      options.input.pipe(channel);
    });
  }
}

const SIGNALS: Record<string, number> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, PIPE: 13, TERM: 15 };

/**
 * What the login shell gets, whatever shell that is. The script precedes the data on standard input, so it is in no process
 * list, in no line of sudo's log, and as long as it likes. `timeout` on the host ends it even when the connection is gone by then.
 */
function remoteCommand(scriptBytes: number, seconds: number, sudo: boolean): string {
  const shell = `LC_ALL=C; export LC_ALL; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; umask 022; eval "$(head -c ${scriptBytes})"`;
  const limited = command("timeout", "-k", KILL_AFTER_SECONDS, Math.ceil(seconds), "sh", "-c", shell);
  return `env LC_ALL=C ${sudo ? "sudo -n -H -- " : ""}${limited}`;
}

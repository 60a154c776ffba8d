/**
 * Takes calls from the queue, makes them through the gateway, and acknowledges each when it is done. What could not be done is
 * tried again: see docs/decisions/010. It knows nothing of NATS: lanes.ts gives it messages.
 */
import * as http from "node:http";
import { Gauge, Registry } from "prom-client";
import { CallbackRefused, checkCallback, closedNetworks } from "./callback";
import type { Config, RetryPolicy } from "./config";
import { beginningOf, type DeadCalls } from "./dead";
import { DeliveredMessages } from "./deliveredMessages";
import { type Answer, Broken, post, sleep, Unreachable } from "./http";
import { CALLBACK_ATTEMPTS, CALLBACK_TIMEOUT_MS, callbackPauseMs } from "../../../shared/queueLimits";
import type { QueuedCall } from "./call";
import type { KnownFunctions } from "./functions";
import type { QueueSettings } from "../../../shared/queueSettings";
import type { Log } from "./log";
import { BoundedCounter } from "./metrics";
import { ATTEMPT_HEADER, passedOn } from "./request";

export interface Message {
  /** The same for every delivery of one message, and no other's. */
  id: string;
  /** @throws an Error for a message that is not a call */
  call(): QueuedCall;
  /** It is done, and does not come again. */
  ack(): Promise<void>;
  /** It comes again after `delayMs`, as the next attempt. */
  putBack(delayMs: number): void;
  /** It was not begun: it comes again, and has lost no attempt. */
  handBack(): Promise<void>;
}

/** Between two attempts to reach a gateway that is not there. */
const GATEWAY_PAUSE_MS = 1000;

/** Longest wait that a function may ask for. */
const MOST_RETRY_AFTER_MS = 3_600_000;

/** The environment's, and what the function says in its place. */
interface Policy extends RetryPolicy {
  /** Beyond it an attempt has run to its limit. */
  limitMs: number;
  /** The longest that an answer is waited for. */
  timeoutMs: number;
}

type Called = Answer & { milliseconds: number; noAnswer?: string };

/** Of one delivery: the call is done, or comes again after so long. */
type Outcome = "done" | "not begun" | { delayMs: number };

export class Worker {
  /** The newest delivery of each message: that of a lost connection cannot be acknowledged. */
  private readonly underWay = new Map<string, { latest: Message }>();
  private readonly delivered = new DeliveredMessages();
  /** Done, and not acknowledged yet. */
  private readonly leaving = new Set<Promise<void>>();
  private readonly agent = new http.Agent({ keepAlive: true });
  private readonly ending = new AbortController();
  private readonly registry = new Registry();
  private readonly busy = this.gauge("oslo_faas_queue_worker_under_way", "Calls under way at this worker.");
  private readonly calls = this.counter(
    "oslo_faas_queue_calls_total",
    "Attempts by function and status; 502 also where no answer came.",
    ["function_name", "code"],
  );
  private readonly retries = this.counter(
    "oslo_faas_queue_retries_total",
    "Calls put back for another attempt.",
    ["function_name"],
  );
  private readonly lost = this.counter(
    "oslo_faas_queue_failed_total",
    "Calls whose last attempt failed (5xx, 429, or the function could not be asked for).",
    ["function_name"],
  );
  private readonly callbacks = this.counter("oslo_faas_queue_callbacks_total", "Callbacks by outcome.", [
    "outcome",
  ]);

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    /** Where a call goes that failed for good. */
    private readonly dead: Pick<DeadCalls, "keep">,
    private readonly functions: Pick<KnownFunctions, "settings">,
    /** Where no callback goes. */
    private readonly closed = closedNetworks(),
  ) {}

  /** Resolves when the call's place is free again; never rejects. Unless acknowledged, the message comes again. */
  async take(message: Message): Promise<void> {
    if (this.delivered.has(message.id)) return this.leave(message.ack());
    const known = this.underWay.get(message.id);
    // Delivered again while its call is under way: after a reconnection NATS knows of no acknowledgement yet to come.
    if (known) return void (known.latest = message);
    if (this.ending.signal.aborted) return this.leave(message.handBack());
    const entry = { latest: message };
    this.underWay.set(message.id, entry);
    try {
      const outcome = await this.handle(message);
      const { latest } = entry;
      if (outcome === "not begun") this.leave(latest.handBack());
      else if (outcome === "done") {
        this.delivered.add(message.id);
        this.leave(latest.ack());
      } else latest.putBack(outcome.delayMs);
    } catch (error) {
      this.log("error", "left for another delivery", { reason: (error as Error).message });
    } finally {
      this.underWay.delete(message.id);
    }
  }

  /** No new calls; resolves when those under way are done, or after `limitMs`. True: all of them are. */
  async end(limitMs: number): Promise<boolean> {
    this.ending.abort();
    const deadline = Date.now() + limitMs;
    while (this.underWay.size + this.leaving.size > 0 && Date.now() < deadline) await sleep(50);
    return this.underWay.size + this.leaving.size === 0;
  }

  /** A queue that is away delivers it again, and its call is known to be done. */
  private leave(acknowledged: Promise<void>): void {
    const left = acknowledged
      .catch((error: Error) => this.log("warn", "not acknowledged yet", { reason: error.message }))
      .finally(() => this.leaving.delete(left));
    this.leaving.add(left);
  }

  metrics(): Promise<string> {
    this.busy.set(this.underWay.size);
    return this.registry.metrics();
  }

  private gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  private counter(name: string, help: string, labels: string[]): BoundedCounter {
    return new BoundedCounter(this.registry, name, help, labels);
  }

  private async handle(message: Message): Promise<Outcome> {
    let call: QueuedCall;
    try {
      call = message.call();
    } catch (error) {
      this.log("error", "dropped a message that is not a call", { reason: (error as Error).message });
      return "done";
    }
    this.lost.add({ function_name: call.function }, 0);
    const settings = await this.functions.settings(call.function);
    const policy = this.policy(settings);
    const answer = await this.call(call, policy);
    if (!answer) return "not begun";
    const { function: function_name, callId, attempt } = call;
    this.calls.add({ function_name, code: String(answer.status) });
    const about = { function: function_name, callId, status: answer.status, attempt };
    if (attempt < policy.attempts && isWorthAnother(answer, policy)) {
      const delayMs = delay(attempt, answer, policy);
      this.retries.add({ function_name });
      this.log("warn", "failed, and is put back", { ...about, delayMs });
      return { delayMs };
    }
    const reason = failureOf(answer);
    if (reason !== undefined) {
      this.lost.add({ function_name });
      this.log("error", "failed for good", { ...about, reason });
      const { status } = answer;
      const failure = {
        status,
        reason,
        attempts: attempt,
        diedMs: Date.now(),
        answer: beginningOf(answer.body),
      };
      if (!(await this.keep(call, failure, message.id, settings.onFailure))) return { delayMs: 0 };
    }
    if (call.callbackUrl) await this.callBack(call, answer);
    return "done";
  }

  /** A queue that is away is waited for. False: this worker ends meanwhile. */
  private async keep(...kept: Parameters<DeadCalls["keep"]>): Promise<boolean> {
    while (!this.ending.signal.aborted) {
      try {
        await this.dead.keep(...kept);
        return true;
      } catch (error) {
        this.log("warn", "a failed call cannot be kept yet", { reason: (error as Error).message });
        await sleep(GATEWAY_PAUSE_MS, this.ending.signal);
      }
    }
    return false;
  }

  /**
   * The function's answer; status 502 where the connection broke, as the gateway itself says it. A gateway that is away is waited for:
   * that is nobody's failed attempt. Undefined: this worker ends meanwhile.
   */
  private async call(call: QueuedCall, { timeoutMs }: Policy): Promise<Called | undefined> {
    const { host, port } = this.config.gateway;
    const again: Record<string, string[]> =
      call.attempt > 1 ? { [ATTEMPT_HEADER]: [String(call.attempt)] } : {};
    for (;;) {
      const begun = performance.now();
      const timed = (answer: Omit<Called, "milliseconds">): Called => ({
        ...answer,
        milliseconds: performance.now() - begun,
      });
      try {
        return timed(
          await post(
            { host, port, path: call.target },
            {
              headers: { ...passedOn(call.headers), ...again },
              body: call.body,
              timeoutMs,
              keepBody: call.callbackUrl !== undefined,
              // The gateway reads the body once it has a connection to the function: then, and only then, the call may have begun.
              askFirst: true,
              agent: this.agent,
            },
          ),
        );
      } catch (error) {
        if (!(error instanceof Unreachable)) {
          const noAnswer = (error as Error).message;
          this.log("warn", "no answer", { function: call.function, reason: noAnswer });
          const took = !(error instanceof Broken) || error.took;
          return timed({ status: 502, headers: {}, body: Buffer.alloc(0), took, noAnswer });
        }
        if (this.ending.signal.aborted) return undefined;
        await sleep(GATEWAY_PAUSE_MS, this.ending.signal);
      }
    }
  }

  private policy({ codes, timeoutMs = Infinity, ...own }: QueueSettings): Policy {
    const { retry, upstreamTimeoutMs, callTimeoutMs } = this.config;
    return {
      attempts: own.attempts ?? retry.attempts,
      codes: codes ? new Set(codes) : retry.codes,
      minDelayMs: own.minDelayMs ?? retry.minDelayMs,
      maxDelayMs: own.maxDelayMs ?? retry.maxDelayMs,
      limitMs: Math.min(timeoutMs, upstreamTimeoutMs),
      timeoutMs: Math.min(timeoutMs, callTimeoutMs),
    };
  }

  /** As upstream sends it: the function's answer with three headers more. What cannot be told is counted. */
  private async callBack(call: QueuedCall, answer: Called): Promise<void> {
    const headers = {
      ...passedOn(answer.headers),
      "X-Duration-Seconds": [(answer.milliseconds / 1000).toFixed(6)],
      "X-Function-Status": [String(answer.status)],
      "X-Function-Name": [call.function],
      ...(call.callId ? { "X-Call-Id": [call.callId] } : {}),
    };
    let reason = "";
    for (let attempt = 1; attempt <= CALLBACK_ATTEMPTS; attempt++) {
      try {
        const { status } = await post(call.callbackUrl!, {
          headers,
          body: answer.body,
          timeoutMs: CALLBACK_TIMEOUT_MS,
          keepBody: false,
          lookup: checkCallback(call.callbackUrl!, this.config.gateway, this.closed),
        });
        if (status < 500) return this.callbacks.add({ outcome: status < 400 ? "delivered" : "refused" });
        reason = `status ${status}`;
      } catch (error) {
        reason = (error as Error).message;
        const refused = [error, (error as Error).cause].some((one) => one instanceof CallbackRefused);
        if (refused) {
          this.callbacks.add({ outcome: "refused" });
          return this.log("warn", "the callback is refused", {
            function: call.function,
            callId: call.callId,
            reason,
          });
        }
      }
      if (attempt < CALLBACK_ATTEMPTS) await sleep(callbackPauseMs(attempt), this.ending.signal);
    }
    this.callbacks.add({ outcome: "failed" });
    this.log("error", "the callback failed", { function: call.function, callId: call.callId, reason });
  }
}

/** Whether another attempt is safe, or asked for by the retry codes. */
function isWorthAnother(answer: Called, { limitMs, codes }: Policy): boolean {
  // It ran to its limit, and would again.
  if (answer.milliseconds >= limitMs) return false;
  return gatewayAlone(answer) || codes.has(answer.status);
}

/** A function that says when is asked then. Otherwise calls that failed together do not come back together. */
function delay(attempt: number, { headers }: Called, { minDelayMs, maxDelayMs }: Policy): number {
  const said = retryAfterMs(headers["retry-after"]);
  if (said !== undefined) return Math.min(said, MOST_RETRY_AFTER_MS);
  const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1));
  return Math.round(longest * (0.75 + Math.random() / 4));
}

/** Seconds, or a date. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Why a call is not done; undefined: it is, whatever a function's own 4xx means. */
function failureOf(answer: Called): string | undefined {
  const { status, noAnswer } = answer;
  if (noAnswer !== undefined) return noAnswer;
  if (isGone(answer)) return "there is no such function";
  if (gatewayAlone(answer)) return "the function could not be reached";
  return status >= 500 || status === 429 ? `the last answer was ${status}` : undefined;
}

/**
 * The gateway answered by itself, without the function: it had no connection to it, or the provider could not tell it of the function
 * (which it says with 404 or 500).
 */
function gatewayAlone(answer: Answer): boolean {
  if (answer.took) return false;
  return answer.status === 502 || (notFound(answer) && !isGone(answer));
}

/** The function was removed while the call waited. */
const isGone = (answer: Answer): boolean =>
  !answer.took && notFound(answer) && beginningOf(answer.body).includes("status code (404)");

const notFound = ({ status, body }: Answer): boolean =>
  (status === 404 || status === 500) && beginningOf(body).startsWith("error finding function ");

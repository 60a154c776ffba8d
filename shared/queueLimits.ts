/** What a call may take beside the function's own time. The environment's rules want `ack_wait` to be above all of it. */

/** The gateway says by itself that a function took too long; it gets this much longer for that, in ms. */
export const GATEWAY_SAYS_SO_MS = 5000;

export const CALLBACK_ATTEMPTS = 3;
export const CALLBACK_TIMEOUT_MS = 10_000;
/** After a callback that failed, in ms. */
export const callbackPauseMs = (attempt: number): number => 1000 * attempt;

/** The longest that a call's callback takes: every attempt to its limit, and the pauses between them. */
export const CALLBACK_MS =
  CALLBACK_ATTEMPTS * CALLBACK_TIMEOUT_MS +
  Array.from({ length: CALLBACK_ATTEMPTS - 1 }, (_, i) => callbackPauseMs(i + 1)).reduce((a, b) => a + b, 0);

/** From the function's time limit until the call is acknowledged, in ms. */
export const AFTER_LIMIT_MS = GATEWAY_SAYS_SO_MS + CALLBACK_MS;

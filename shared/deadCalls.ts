/** What `oslo-faas queue` and the queue's own program say to each other about calls that failed for good. */

/** All of what is given has to hold; without any, every dead call. */
export interface Selection {
  ids?: number[];
  function?: string;
  /** Died since, ms since 1970. */
  sinceMs?: number;
}

export interface DeadCall {
  /** Names it on the command line. */
  id: number;
  function: string;
  callId: string;
  /** ms since 1970. */
  acceptedMs: number;
  /** ms since 1970. */
  diedMs: number;
  /** Of the last answer; 502 also where none came. */
  status: number;
  reason: string;
  /** Attempts made. */
  attempts: number;
  /** Size of the body. */
  bytes: number;
  /** The beginning of the last answer. */
  answer: string;
}

export interface DeadCallDetails extends DeadCall {
  /** Path and query. */
  target: string;
  headers: Record<string, string[]>;
  callbackUrl?: string;
  /** In base64. */
  body: string;
}

/** What the program in the worker's container is asked, as its one argument. */
export type QueueRequest =
  | { verb: "list"; selection: Selection; limit: number }
  | { verb: "show"; id: number }
  | { verb: "retry" | "drop"; selection: Selection };

/** And what it prints, in one line of JSON. */
export interface QueueAnswers {
  list: {
    /** How many match. */
    count: number;
    /** The newest of them, the oldest first. */
    calls: DeadCall[];
    /** Calls that are not done, by function. */
    waiting: Record<string, number>;
  };
  show: DeadCallDetails | null;
  /** How many. */
  retry: number;
  drop: number;
}

/** What a client of the provider is told: a status and one sentence, never a stack. */
export class ApiError extends Error {
  /**
   * @param status the HTTP status
   * @param message what is wrong and, where there is one, the remedy
   * @param details the single problems, when there are more than one
   */
  constructor(
    readonly status: number,
    message: string,
    readonly details: string[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** A value the client sent is not usable: 400 with every problem at once, each starting with the field's path. */
export function invalid(problems: string[]): ApiError {
  return new ApiError(400, problems.join("\n"), problems);
}

/** The engine said no, or said nothing in time. `status` is the engine's, 0 when it gave none. */
export class EngineError extends Error {
  constructor(
    readonly status: number,
    readonly step: string,
    message: string,
  ) {
    super(message);
    this.name = "EngineError";
  }
}

/** The status and sentence for whatever was thrown. What is not ours to explain is a 500 without its text. */
export function explain(error: unknown): { status: number; message: string } {
  if (error instanceof ApiError) return { status: error.status, message: error.message };
  if (error instanceof EngineError) return { status: engineStatus(error.status), message: error.message };
  const own = error as { statusCode?: number; message?: string };
  // What the HTTP framework refuses by itself: no JSON, a body too large, an unknown media type.
  if (typeof own?.statusCode === "number" && own.statusCode >= 400 && own.statusCode < 500) {
    return { status: own.statusCode, message: own.message ?? "bad request" };
  }
  return { status: 500, message: "internal error; the provider's log says more" };
}

/** 0 is an engine that did not answer; its own 404 here means a missing part of the set-up, not a missing function. */
function engineStatus(status: number): number {
  if (status === 0) return 504;
  if (status === 400 || status === 409 || status === 503) return status;
  return 500;
}

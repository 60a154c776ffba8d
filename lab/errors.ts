/** An error of the lab that a person can act on. Printed as message and remedy, without a stack. */
export class LabError extends Error {
  constructor(
    message: string,
    /** What to do about it, in a sentence or two. */
    readonly remedy?: string,
  ) {
    super(message);
    this.name = "LabError";
  }
}

export function describe(error: unknown): string {
  if (error instanceof LabError)
    return error.remedy ? `${error.message}\n  → ${error.remedy}` : error.message;
  return error instanceof Error ? error.message : String(error);
}

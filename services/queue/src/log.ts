/** One line of the log. */
export interface Log {
  (level: "info" | "warn" | "error", message: string, details?: Record<string, unknown>): void;
}

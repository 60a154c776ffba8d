/** Reads a property that a preview may not know yet. An unknown property is skipped, and others are still judged. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

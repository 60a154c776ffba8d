/** Reads a property that a preview may not know yet: what is not known cannot be judged, and is no reason to judge nothing else. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

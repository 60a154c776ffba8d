/** Comparing inputs by what they mean. Pure. */

/** The same text for the same value, independent of the order of keys. Keys without a value are left out. */
export function canonical(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    item && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
  return text ?? "";
}

/** Top-level names whose values differ, but for those in `ignored`. Example: `changedKeys({ a: 1 }, { a: 2 }, [])` is `["a"]`. */
export function changedKeys<T extends object>(olds: T, news: T, ignored: readonly string[]): string[] {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const [before, after] = [olds, news] as [Record<string, unknown>, Record<string, unknown>];
  return keys.filter((key) => !ignored.includes(key) && canonical(before[key]) !== canonical(after[key]));
}

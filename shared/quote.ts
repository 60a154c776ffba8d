/** The one place where a value becomes a part of a shell script. Nobody else concatenates values into commands. */

/**
 * One word of POSIX sh that stands for exactly this value. Numbers too go through it.
 * Example: `quote("it's")` is `'it'\''s'`; `quote("nginx")` is `nginx`. Throws on NUL, which no shell word can hold.
 */
export function quote(value: string | number): string {
  const text = String(value);
  if (text.includes("\0")) throw new Error("a shell word cannot hold a NUL byte");
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command of separate words. Example: `command("chown", "root:root", "--", path)`. */
export function command(...words: (string | number)[]): string {
  return words.map(quote).join(" ");
}

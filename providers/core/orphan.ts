/** An engine that is killed tells its plugins nothing: they see that they have another parent. */

const EVERY_MS = 5_000;

/**
 * Ends this process when the one that started it is gone and no call is under way: what was begun on the host, an installation say, is
 * finished first. Never keeps the process alive by itself.
 */
export function endWithParent(busy: () => boolean, end: () => void = () => process.exit(0)): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent && !busy()) end();
  }, EVERY_MS).unref();
}

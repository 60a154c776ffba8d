import { Counter, Gauge, type Registry } from "prom-client";

type Labels = Record<string, string>;

/** A gauge that is asked for and told at once. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  values: number | { labels: Labels; value: number }[],
): void {
  const all = typeof values === "number" ? [{ labels: {}, value: values }] : values;
  const labelNames = Object.keys(all[0]?.labels ?? {});
  const told = new Gauge({ name, help, labelNames, registers: [registry] });
  for (const { labels, value } of all) told.set(labels, value);
}

/** Names of functions come from whoever calls: beyond so many the rest is counted as one. */
const MAX_SERIES = 1000;

export class BoundedCounter {
  private readonly counter: Counter;
  private readonly seen = new Set<string>();

  constructor(registry: Registry, name: string, help: string, labelNames: string[]) {
    this.counter = new Counter({ name, help, labelNames, registers: [registry] });
  }

  /** Adds 1. With 0 it only begins: what Prometheus first sees at 1 has not increased in its eyes. */
  add(labels: Labels, by: 0 | 1 = 1): void {
    const key = JSON.stringify(labels);
    const isNew = !this.seen.has(key);
    if (isNew && this.seen.size >= MAX_SERIES)
      labels = Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
    else if (isNew) this.seen.add(key);
    this.counter.inc(labels, by);
  }
}

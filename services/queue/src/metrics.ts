/** Numbers in Prometheus's text format. */

type Labels = Record<string, string>;

const escape = (value: string) => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");

function sample(name: string, labels: Labels, value: number): string {
  const inside = Object.entries(labels)
    .map(([key, text]) => `${key}="${escape(text)}"`)
    .join(",");
  return `${name}${inside ? `{${inside}}` : ""} ${value}`;
}

/** One metric with its help; nothing where there are no values. */
export function metric(
  name: string,
  type: "counter" | "gauge",
  help: string,
  values: { labels?: Labels; value: number }[],
): string {
  if (values.length === 0) return "";
  const lines = values.map(({ labels = {}, value }) => sample(name, labels, value));
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

/** Callers choose the names of functions: beyond this number the rest is counted as one. */
const MAX_LABELS = 1000;

/** Counts by labels. */
export class Counter {
  private readonly values = new Map<string, { labels: Labels; value: number }>();

  constructor(
    private readonly name: string,
    private readonly help: string,
  ) {}

  /** Adds 1. With 0 it only begins: what Prometheus first sees at 1 has not increased in its eyes. */
  add(labels: Labels, by: 0 | 1 = 1): void {
    if (this.values.size >= MAX_LABELS && !this.values.has(JSON.stringify(labels)))
      labels = Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
    const key = JSON.stringify(labels);
    const entry = this.values.get(key) ?? { labels, value: 0 };
    entry.value += by;
    this.values.set(key, entry);
  }

  render(): string {
    return metric(this.name, "counter", this.help, [...this.values.values()]);
  }
}

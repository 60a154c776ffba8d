/** Counters in Prometheus' text form. Names of the API's are those of OpenFaaS's other providers. */

type Labels = Record<string, string>;

/** Seconds; Prometheus' own defaults. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Times {
  counts: number[];
  sum: number;
  count: number;
}

/** Counts and durations of requests, by the same labels. */
class Requests {
  private readonly series = new Map<string, Times>();

  constructor(
    private readonly total: string,
    private readonly seconds: string,
    private readonly what: string,
  ) {}

  observe(labels: Labels, seconds: number): void {
    const key = render(labels);
    let times = this.series.get(key);
    if (!times) this.series.set(key, (times = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }));
    const bucket = BUCKETS.findIndex((limit) => seconds <= limit);
    if (bucket >= 0) times.counts[bucket]!++;
    times.sum += seconds;
    times.count++;
  }

  /** Removes series whose labels have this text, so that unused names do not pile up. */
  drop(text: string): void {
    for (const key of this.series.keys()) if (key.includes(text)) this.series.delete(key);
  }

  lines(): string[] {
    const lines = [`# HELP ${this.total} Number of ${this.what}.`, `# TYPE ${this.total} counter`];
    for (const [labels, { count }] of this.series) lines.push(`${this.total}{${labels}} ${count}`);
    lines.push(`# HELP ${this.seconds} Seconds taken by ${this.what}.`, `# TYPE ${this.seconds} histogram`);
    for (const [labels, times] of this.series) {
      let below = 0;
      for (const [at, limit] of BUCKETS.entries())
        lines.push(`${this.seconds}_bucket{${labels},le="${limit}"} ${(below += times.counts[at]!)}`);
      lines.push(`${this.seconds}_bucket{${labels},le="+Inf"} ${times.count}`);
      lines.push(
        `${this.seconds}_sum{${labels}} ${times.sum}`,
        `${this.seconds}_count{${labels}} ${times.count}`,
      );
    }
    return lines;
  }
}

/** Calls of one function: what the idler goes by as well. */
export interface FunctionCalls {
  /** Under way. */
  inFlight: number;
  /** When the last one began or ended, in ms. */
  last: number;
}

export class Metrics {
  private readonly api = new Requests(
    "provider_http_requests_total",
    "provider_http_request_duration_seconds",
    "requests of the management API",
  );
  private readonly functions = new Requests(
    "provider_function_requests_total",
    "provider_function_request_duration_seconds",
    "calls of functions through the provider",
  );
  /** Under the gateway's own names: whoever adds up both has all calls. */
  private readonly edge = new Requests(
    "gateway_function_invocation_total",
    "gateway_functions_seconds",
    "calls of functions past the gateway",
  );
  private readonly calls = new Map<string, FunctionCalls>();
  private readonly scalings = { down: 0, up: 0 };

  constructor(private readonly now: () => number = Date.now) {}

  /** @param path the route, not the address: names in it would make a series each */
  apiRequest(method: string, path: string, code: number, seconds: number): void {
    this.api.observe({ code: String(code), method, path }, seconds);
  }

  /** @returns to be called when the call is over, with its status */
  callBegins(name: string): (code: number) => void {
    const calls = this.calls.get(name) ?? { inFlight: 0, last: 0 };
    this.calls.set(name, calls);
    calls.inFlight++;
    calls.last = this.now();
    const begun = performance.now();
    return (code) => {
      calls.inFlight--;
      calls.last = this.now();
      this.functions.observe({ code: String(code), function: name }, (performance.now() - begun) / 1000);
    };
  }

  /** @param fullName with its namespace, as the gateway has it */
  edgeCall(fullName: string, code: number, seconds: number): void {
    this.edge.observe({ function_name: fullName, code: String(code) }, seconds);
  }

  callsOf(name: string): FunctionCalls | undefined {
    return this.calls.get(name);
  }

  scaledToZero(): void {
    this.scalings.down++;
  }

  scaledFromZero(): void {
    this.scalings.up++;
  }

  forget(name: string): void {
    this.calls.delete(name);
    this.functions.drop(`function="${name}"`);
    this.edge.drop(`function_name="${name}.`);
  }

  text(): string {
    const gauge = "provider_function_requests_in_flight";
    const idler = "provider_idler_scalings_total";
    const memory = "process_resident_memory_bytes";
    return [
      ...this.api.lines(),
      ...this.functions.lines(),
      ...this.edge.lines(),
      `# HELP ${gauge} Calls of functions under way.`,
      `# TYPE ${gauge} gauge`,
      ...[...this.calls].map(([name, { inFlight }]) => `${gauge}{function="${name}"} ${inFlight}`),
      `# HELP ${idler} Functions scaled to zero, and from zero by a call to the provider.`,
      `# TYPE ${idler} counter`,
      ...Object.entries(this.scalings).map(([to, count]) => `${idler}{direction="${to}"} ${count}`),
      `# HELP ${memory} Resident memory size in bytes.`,
      `# TYPE ${memory} gauge`,
      `${memory} ${process.memoryUsage.rss()}`,
      "",
    ].join("\n");
  }
}

/** Values are names of functions, methods, routes and codes: nothing that would have to be escaped. */
function render(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(",");
}

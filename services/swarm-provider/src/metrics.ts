/** What Prometheus is told. Names of the API's metrics are those of OpenFaaS's other providers. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Seconds; Prometheus' own defaults. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts and durations of requests, by the same labels. */
class Requests<Name extends string> {
  private readonly count: Counter<Name>;
  private readonly duration: Histogram<Name>;
  private readonly series = new Map<string, Record<Name, string>>();

  constructor(registry: Registry, total: string, seconds: string, what: string, labelNames: Name[]) {
    const common = { labelNames, registers: [registry] };
    this.count = new Counter({ name: total, help: `Number of ${what}.`, ...common });
    const help = `Seconds taken by ${what}.`;
    this.duration = new Histogram({ name: seconds, help, buckets: BUCKETS, ...common });
  }

  observe(labels: Record<Name, string>, seconds: number): void {
    this.series.set(JSON.stringify(labels), labels);
    this.count.inc(labels);
    this.duration.observe(labels, seconds);
  }

  /** These series go, so that names that nobody uses any more do not pile up. */
  drop(unused: (labels: Record<Name, string>) => boolean): void {
    for (const [key, labels] of this.series) {
      if (!unused(labels)) continue;
      this.series.delete(key);
      this.count.remove(labels);
      this.duration.remove(labels);
    }
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
  private readonly registry = new Registry();
  private readonly api = new Requests(
    this.registry,
    "provider_http_requests_total",
    "provider_http_request_duration_seconds",
    "requests of the management API",
    ["code", "method", "path"],
  );
  private readonly functions = new Requests(
    this.registry,
    "provider_function_requests_total",
    "provider_function_request_duration_seconds",
    "calls of functions through the provider",
    ["code", "function"],
  );
  /** Under the gateway's own names: whoever adds up both has all calls. */
  private readonly edge = new Requests(
    this.registry,
    "gateway_function_invocation_total",
    "gateway_functions_seconds",
    "calls of functions past the gateway",
    ["function_name", "code"],
  );
  private readonly inFlight = new Gauge({
    name: "provider_function_requests_in_flight",
    help: "Calls of functions under way.",
    labelNames: ["function"],
    registers: [this.registry],
  });
  private readonly scalings = new Counter({
    name: "provider_idler_scalings_total",
    help: "Functions scaled to zero, and from zero by a call to the provider.",
    labelNames: ["direction"],
    registers: [this.registry],
  });
  private readonly calls = new Map<string, FunctionCalls>();

  constructor(private readonly now: () => number = Date.now) {
    for (const direction of ["down", "up"]) this.scalings.inc({ direction }, 0);
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory size in bytes.",
      registers: [this.registry],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** @param path the route, not the address: names in it would make a series each */
  apiRequest(method: string, path: string, code: number, seconds: number): void {
    this.api.observe({ code: String(code), method, path }, seconds);
  }

  /** @returns to be called when the call is over, with its status */
  callBegins(name: string): (code: number) => void {
    const calls = this.calls.get(name) ?? { inFlight: 0, last: 0 };
    this.calls.set(name, calls);
    this.inFlight.set({ function: name }, ++calls.inFlight);
    calls.last = this.now();
    const begun = performance.now();
    return (code) => {
      calls.inFlight--;
      if (this.calls.get(name) === calls) this.inFlight.set({ function: name }, calls.inFlight);
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
    this.scalings.inc({ direction: "down" });
  }

  scaledFromZero(): void {
    this.scalings.inc({ direction: "up" });
  }

  forget(name: string): void {
    this.calls.delete(name);
    this.inFlight.remove({ function: name });
    this.functions.drop((labels) => labels.function === name);
    this.edge.drop(({ function_name }) => function_name.startsWith(`${name}.`));
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}

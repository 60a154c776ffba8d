/** What Prometheus is asked, and what becomes of its answers. */
import type { FunctionStatus, ServiceStatus } from "./report";
import type { Sample } from "./parts";

/** Long enough for a quiet function, short enough to be now. */
const WINDOW = "5m";
const CALLS = "gateway_function_invocation_total";
const quantile = (q: number) =>
  `histogram_quantile(${q}, sum by (le, function_name) (rate(gateway_functions_seconds_bucket[${WINDOW}])))`;

export const QUERIES = {
  rate: `sum by (function_name) (rate(${CALLS}[${WINDOW}]))`,
  errors: `sum by (function_name) (rate(${CALLS}{code=~"5.."}[${WINDOW}]))`,
  p50: quantile(0.5),
  p99: quantile(0.99),
  oldest: "max(oslo_faas_queue_oldest_seconds)",
  missing: `max(min_over_time(oslo_faas_queue_calls_missing[${WINDOW}]))`,
  scheduleLast: "max by (function_name) (oslo_faas_schedule_last_timestamp_seconds)",
  scheduleNext: "max by (function_name) (oslo_faas_schedule_next_timestamp_seconds)",
  old: "max(oslo_faas_queue_old_depth)",
} as const;

export type Query = keyof typeof QUERIES;
export type Answers = Partial<Record<Query, Sample[]>>;

/** For the script's standard input. */
export const queryLines = (): string =>
  Object.entries(QUERIES)
    .map(([name, query]) => `${name}\t${query}\n`)
    .join("");

/** The gateway labels a function with its namespace or without it, as it was called. */
const named = (samples: Sample[] | undefined, name: string): Sample[] =>
  (samples ?? []).filter(({ labels }) => labels.function_name?.split(".")[0] === name);

const sum = (samples: Sample[]) => samples.reduce((total, { value }) => total + value, 0);

/** Milliseconds; undefined where no call was measured (Prometheus says NaN then). The slowest counts where there are two names. */
function milliseconds(samples: Sample[]): number | undefined {
  const values = samples.map(({ value }) => value).filter((value) => Number.isFinite(value));
  return values.length > 0 ? Math.max(...values) * 1000 : undefined;
}

export function withRates(service: ServiceStatus, answers: Answers): FunctionStatus {
  const { rate, errors, p50, p99, scheduleLast, scheduleNext } = answers;
  const [last] = named(scheduleLast, service.name);
  const [next] = named(scheduleNext, service.name);
  const iso = ({ value }: Sample) => new Date(value * 1000).toISOString();
  return {
    ...service,
    ...(rate ? { rate: sum(named(rate, service.name)) } : {}),
    ...(errors ? { errorRate: sum(named(errors, service.name)) } : {}),
    ...(next ? { schedule: { ...(last ? { last: iso(last) } : {}), next: iso(next) } } : {}),
    p50Ms: milliseconds(named(p50, service.name)),
    p99Ms: milliseconds(named(p99, service.name)),
  };
}

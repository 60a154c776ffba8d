/** The condition of an environment at one moment, as plain values. Parts that could not be asked are named in `missing`. */

export interface HostStatus {
  hostname: string;
  os: string;
  kernel: string;
  uptimeSeconds: number;
  cpus: number;
  /** Of 1, 5 and 15 minutes. */
  load: [number, number, number];
  memoryMiB: number;
  memoryAvailableMiB: number;
  disks: { mount: string; totalMiB: number; freeMiB: number }[];
}

export interface ServiceStatus {
  name: string;
  running: number;
  desired: number;
  /** Name and tag, without the digest. */
  image: string;
  /** The last error of a task, where fewer run than should. */
  lastError?: string;
}

export interface FunctionStatus extends ServiceStatus {
  /** The provider's problem, although every replica may run: "rolled back: the last update failed…". */
  problem?: string;
  /** Answered calls a second, over 5 minutes; undefined where Prometheus could not be asked. */
  rate?: number;
  /** Of these, answered with 5xx. */
  errorRate?: number;
  /** When the clock called it last, and will next, ISO 8601; undefined where it has no schedule. */
  schedule?: { last?: string; next: string };
  /** Undefined where there was no call. */
  p50Ms?: number;
  p99Ms?: number;
}

export interface QueueStatus {
  /** Calls accepted and not yet done, those under way included. */
  depth: number;
  /** Calls that a worker has, or that wait for another attempt. */
  underWay: number;
  /** Workers connected. */
  workers: number;
  /** Age of the oldest call that is not done; undefined while Prometheus cannot say. */
  oldestSeconds?: number;
  /** Size of the calls that are not done, on disk. */
  bytes: number;
  /** Size beyond which calls are refused. */
  maxBytes: number;
  /** Calls that failed in their last attempt, and are kept. */
  dead: number;
  /** Calls accepted, done and failed for good, since the beginning. */
  accepted?: number;
  done?: number;
  died?: number;
  /** Calls accepted that are neither done nor dead nor in the queue: the least in five minutes. */
  missing?: number;
  /** Calls in NATS Streaming that are not moved yet; undefined where it does not run. */
  oldDepth?: number;
}

export interface CertificateStatus {
  subject: string;
  /** ISO 8601. */
  expires: string;
  /** Whole days left; negative: expired. */
  days: number;
  /** Signed by itself and by no authority. */
  selfSigned: boolean;
}

/** Round trips, in milliseconds. */
export interface LatencyStatus {
  /** From here to the host, over the connection. */
  host?: number;
  /** From the host, by address; undefined: not reached. */
  targets: Record<string, number | undefined>;
}

export interface AlertStatus {
  name: string;
  state: "firing" | "pending";
  severity: string;
  summary: string;
}

export interface Report {
  environment: string;
  /** Address of the host. */
  address: string;
  /** ISO 8601. */
  at: string;
  host?: HostStatus;
  /** systemd units by name: "active", "failed", … */
  units?: Record<string, string>;
  /** Ports that no container may reach: "closed" or "open". */
  closedPorts?: Record<string, string>;
  /** GET /healthz through Nginx, on the host. */
  frontDoor?: { status: number; milliseconds: number };
  /** Only where TLS is configured. */
  certificate?: CertificateStatus;
  /** Why the last order of a certificate failed, and when (ISO 8601); only where it did. */
  order?: { at: string; error: string };
  latency?: LatencyStatus;
  services?: ServiceStatus[];
  functions?: FunctionStatus[];
  queue?: QueueStatus;
  /** Synchronous 4 KiB writes a second, measured over 2 s at most. */
  fsyncPerSecond?: number;
  alerts?: AlertStatus[];
  /** What `pulumi up --refresh` would do, one line each; only where it was asked for. */
  drift?: string[];
  /** Part → why it could not be asked. */
  missing: Record<string, string>;
  /** What is unhealthy, one sentence each. Empty: all is well. */
  problems: string[];
}

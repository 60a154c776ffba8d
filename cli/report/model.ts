/** The report on compliance as plain values, in the language that it is written in. */
import type { FunctionsRead } from "../../components/functions/files";
import type { Environment } from "../../environment/schema";
import type { Report } from "../status/report";

/** What it is made of. */
export interface Given {
  name: string;
  environment: Environment;
  /** Secret keys that are set. */
  secrets: readonly string[];
  functions: FunctionsRead["functions"];
  /** Images that registries give, by the names of the environment. */
  images: string[];
  /** How many of them have a digest. */
  locked: number;
  /** ISO 8601. */
  at: string;
  /** What `status` found; undefined where the host was not asked. */
  status?: Report;
  /** What the host says of itself; undefined where it was not asked, or did not answer. */
  host?: HostFound;
  /** Why nothing was measured. */
  unmeasured?: string;
}

export interface HostFound {
  apt: string[];
  time: string[];
  dns: string[];
  journald: Record<string, string>;
  /** Nginx's logs, as logrotate has them. */
  logs: { every?: string; kept?: number; days?: number };
  disk?: "encrypted" | "plain";
  sshPassword?: boolean;
  unattendedUpgrades?: boolean;
}

/** One field of the record of processing. */
export interface Field {
  /** Letter of Article 30(1). */
  letter: string;
  name: string;
  values: string[];
}

/** A machine outside of the host that the host, or somebody for it, speaks to. */
export interface Destination {
  /** What for. */
  purpose: string;
  /** Name or address. */
  address: string;
  /** ISO 3166; undefined: not named. */
  country?: string;
  /** What is sent there. */
  sent: string;
  /** The key, or the command, that says so. */
  source: string;
}

export interface Retention {
  data: string;
  time: string;
  source: string;
}

export interface Measure {
  /** NSM's number. Undefined: the text of no number was read that asks for it. */
  number?: string;
  name: string;
  value: string;
  /** When it was measured; undefined: it is what the configuration says. */
  measuredAt?: string;
  /** What shows it. */
  command: string;
}

export interface Compliance {
  environment: string;
  at: string;
  /** Undefined: the host was asked. */
  unmeasured?: string;
  record: Field[];
  destinations: Destination[];
  /** What no list can name. */
  open: string[];
  retention: Retention[];
  measures: Measure[];
  /** Keys of the environment that only a person can fill in. */
  missing: string[];
}

/** What the engine sends of services, tasks, secrets and containers, in the parts that the provider reads. */
import type Dockerode from "dockerode";

/** The parts of a service that the provider reads, as the engine sends them. */
export interface ServiceRecord {
  ID: string;
  Version: { Index: number };
  CreatedAt: string;
  UpdatedAt?: string;
  Spec: Spec;
  /** What a failing update goes back to. */
  PreviousSpec?: Spec;
  UpdateStatus?: { State?: string; StartedAt?: string; CompletedAt?: string; Message?: string };
}

export type Spec = Dockerode.ServiceSpec & { TaskTemplate?: Dockerode.ContainerTaskSpec };

export interface TaskRecord {
  ID: string;
  ServiceID: string;
  DesiredState: string;
  CreatedAt?: string;
  Spec?: { ContainerSpec?: object; Resources?: object; ForceUpdate?: number };
  Status: {
    State: string;
    /** Of the last change of state. */
    Timestamp?: string;
    Err?: string;
    ContainerStatus?: { ContainerID?: string; ExitCode?: number };
  };
  NetworksAttachments?: { Network?: { Spec?: { Name?: string } }; Addresses?: string[] }[];
}

/** A replica's address in a network. */
export function addressIn(task: TaskRecord, network: string): string | undefined {
  const attachment = task.NetworksAttachments?.find(({ Network }) => Network?.Spec?.Name === network);
  return attachment?.Addresses?.[0]?.split("/")[0];
}

export function replicasOf(service: ServiceRecord): number {
  return service.Spec.Mode?.Replicated?.Replicas ?? 0;
}

export interface RegistryAuth {
  username?: string;
  password?: string;
  serveraddress?: string;
  [key: string]: unknown;
}

export interface SecretRecord {
  ID: string;
  CreatedAt?: string;
  Spec: { Name: string; Labels?: Record<string, string> };
}

/** What is read of a container's statistics. */
export interface ContainerStats {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: {
    usage?: number;
    /** cgroup v2 has inactive_file, v1 total_inactive_file. */
    stats?: { inactive_file?: number; total_inactive_file?: number };
  };
}

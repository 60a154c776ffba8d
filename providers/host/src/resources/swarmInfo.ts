/** What swarm-info.sh prints, as values; and the identity of a swarm, which every join token carries. Pure. */
import { parseKeyValues } from "../scripts";

export interface SwarmInfo {
  /** The engine's word: inactive, pending, active, locked, error. */
  state: string;
  error: string;
  manager: boolean;
  nodeId: string;
  addr: string;
  /** Empty on a worker. */
  clusterId: string;
  managers: number;
  addrPool: string[];
  dataPathPort: number;
  taskHistoryLimit: number;
  autolock: boolean;
  caDigest: string;
  joinTokens: { worker: string; manager: string };
  /** True where the host is in this swarm because this project put it there, also in a run that was interrupted. */
  ours: boolean;
  /** This node as its manager sees it; undefined on a worker. */
  node?: { labels: Record<string, string>; availability: "active" | "pause" | "drain" };
}

interface EngineSwarm {
  NodeID?: string;
  NodeAddr?: string;
  LocalNodeState?: string;
  ControlAvailable?: boolean;
  Error?: string;
  Managers?: number;
  Cluster?: {
    ID?: string;
    Spec?: {
      Orchestration?: { TaskHistoryRetentionLimit?: number };
      EncryptionConfig?: { AutoLockManagers?: boolean };
    };
    DefaultAddrPool?: string[] | null;
    DataPathPort?: number;
  } | null;
}

interface EngineNode {
  Spec?: { Labels?: Record<string, string> | null; Availability?: string };
}

function parseNode(text: string | undefined): SwarmInfo["node"] {
  if (!text) return undefined;
  const { Spec } = JSON.parse(text) as EngineNode;
  const availability = Spec?.Availability;
  return {
    labels: Spec?.Labels ?? {},
    availability: availability === "pause" || availability === "drain" ? availability : "active",
  };
}

function parseCluster(cluster: NonNullable<EngineSwarm["Cluster"]>) {
  return {
    clusterId: cluster.ID ?? "",
    addrPool: cluster.DefaultAddrPool ?? [],
    dataPathPort: cluster.DataPathPort ?? 0,
    taskHistoryLimit: cluster.Spec?.Orchestration?.TaskHistoryRetentionLimit ?? 5,
    autolock: cluster.Spec?.EncryptionConfig?.AutoLockManagers === true,
  };
}

/** @throws an Error if the engine's answer is not JSON */
export function parseSwarmInfo(output: string): SwarmInfo {
  const values = parseKeyValues(output);
  const swarm = JSON.parse(values.swarm ?? "{}") as EngineSwarm;
  const state = swarm.LocalNodeState || "inactive";
  return {
    ...parseCluster(swarm.Cluster ?? {}),
    state,
    error: swarm.Error ?? "",
    manager: swarm.ControlAvailable === true,
    nodeId: swarm.NodeID ?? "",
    addr: swarm.NodeAddr ?? "",
    managers: swarm.Managers ?? 0,
    // The engine keeps the certificate's file after it has left.
    caDigest: state === "inactive" ? "" : (values.ca ?? ""),
    joinTokens: { worker: values.worker ?? "", manager: values.manager ?? "" },
    ours: values.mark !== undefined && (values.mark === "" || values.mark === swarm.NodeID),
    node: parseNode(values.node),
  };
}

/**
 * The digest (hex) of the root certificate of the swarm that a token belongs to: "SWMTKN-1-DIGEST-SECRET", the digest in base 36.
 * Empty for any other text.
 */
export function tokenDigest(token: string): string {
  const match = /^SWMTKN-[12]-(?:\d-)?([0-9a-z]{50})-[0-9a-z]+$/.exec(token);
  if (!match) return "";
  let number = 0n;
  for (const digit of match[1] ?? "") number = number * 36n + BigInt(parseInt(digit, 36));
  return number.toString(16).padStart(64, "0");
}

/** The lab's network: the host and the registry meet on it by name. */
import type Docker from "dockerode";
import type { Lab } from "./config";
import { orMissing, statusOf } from "./docker";
import { LabError } from "./errors";
import { machineMtu } from "./machine";

/** Makes the network where it is missing. Its packets are as large as what leaves the machine: see `machineMtu`. */
export async function ensureNetwork(lab: Lab, docker: Docker): Promise<void> {
  if (await orMissing(docker.getNetwork(lab.network).inspect())) return;
  try {
    await docker.createNetwork({
      Name: lab.network,
      Driver: "bridge",
      Labels: lab.labels,
      CheckDuplicate: true,
      Options: { "com.docker.network.driver.mtu": String(machineMtu()) },
    });
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
}

/** The machine's address on the lab's network: what the host, and what runs on it, can call the machine by. */
export async function gatewayAddress(lab: Lab, docker: Docker): Promise<string> {
  const network = await docker.getNetwork(lab.network).inspect();
  const gateway = (network.IPAM?.Config ?? [])
    .map((config: { Gateway?: string }) => config.Gateway)
    .find(Boolean);
  if (!gateway)
    throw new LabError(
      `The network ${lab.network} has no gateway address.`,
      "Run `npm run down`, then `npm run up`.",
    );
  return gateway;
}

/** What HAProxy's configuration and the Swarm provider, which tells HAProxy of replicas, both have to name alike. */

/** Holds the sockets between the two, in both containers. */
export const EDGE_FOLDER = "/run/edge";
/** Takes the provider's commands. */
export const ADMIN_SOCKET = "commands.sock";
/** Where the provider reads a line for each call. */
export const CALLS_SOCKET = "calls.sock";

/** Map of replicas: "NAME" → how many, "NAME:0" → the address of the first, `AS_OF` → when that was right. */
export const REPLICA_MAP = "/etc/haproxy/replicas.map";
/** The map's entry with the time it was last right, in seconds since 1970. No function can have this name. */
export const AS_OF = ".";
/** Table with the calls begun and under way, by function. */
export const CALL_TABLE = "functions";

/** Map of who may call a function: see edge/access.ts of the provider. In the shared folder, so that an edge that is started anew has it. */
export const ACCESS_MAP = `${EDGE_FOLDER}/access.map`;
/** Map of the networks that functions name, to themselves. */
export const NETWORK_MAP = `${EDGE_FOLDER}/networks.map`;

/** Checks host names, ports and networks the way programs on a host read them. */
import { isIP, isIPv4 } from "node:net";

const LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);

export const isHostName = (value: string) => HOST_NAME.test(value) && !/^[\d.]+$/.test(value);

/** An IP address without a zone such as fe80::1%eth0. */
export const isAddress = (value: string) => isIP(value) !== 0 && !value.includes("%");

/** @param text undefined, if no port is given, is valid */
export const isPort = (text: string | undefined) =>
  text === undefined || (Number(text) >= 1 && Number(text) <= 65535);

/** "NAME" or "NAME:PORT"; the name may be an IPv4 address. */
export function isHostAndPort(value: string): boolean {
  const [, host = "", port] = /^([^:]*)(?::(\d+))?$/.exec(value) ?? [];
  return (isHostName(host) || isIPv4(host)) && isPort(port);
}

/** TCP ports that only the host itself may reach; the swarm's ports are also open to its peers. */
export const closedTcpPorts = ({ gatewayPort }: { gatewayPort: number }): number[] => [
  gatewayPort,
  2377,
  7946,
];

/** Private and link-local networks: a host's neighbors, and the metadata services of providers. */
export const PRIVATE_NETWORKS = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

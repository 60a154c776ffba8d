/** IP networks in CIDR notation. */
import { isIPv4, isIPv6 } from "node:net";
import { IPv4, IPv6, parseCIDR } from "ipaddr.js";

/** True for a network whose prefix length is there and fits its address. */
export function isNetwork(value: string, family?: 4): boolean {
  const [ip = "", prefix = "", ...rest] = value.split("/");
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return false;
  if (isIPv4(ip)) return Number(prefix) <= 32;
  return family !== 4 && isIPv6(ip) && !ip.includes("%") && Number(prefix) <= 128;
}

/** The network of an address with a prefix: "10.0.0.5/8" → "10.0.0.0/8". Undefined for the network's own address. */
export function networkAround(value: string): string | undefined {
  const [address, prefix] = parseCIDR(value);
  const network = (address.kind() === "ipv4" ? IPv4 : IPv6).networkAddressFromCIDR(value);
  return network.toString() === address.toString() ? undefined : `${network.toString()}/${prefix}`;
}

/** The network that holds one address alone: "10.0.0.5" → "10.0.0.5/32". */
export const alone = (address: string): string => `${address}/${address.includes(":") ? 128 : 32}`;

/** Whether one of two networks contains the other. */
export function overlap(a: string, b: string): boolean {
  const [[one, short], [other, long]] = [parseCIDR(a), parseCIDR(b)];
  return one.kind() === other.kind() && one.match(other, Math.min(short, long));
}

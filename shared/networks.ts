/** IP networks in CIDR notation. */
import { parseCIDR } from "ipaddr.js";

/** Whether one of two networks contains the other. */
export function overlap(a: string, b: string): boolean {
  const [[one, short], [other, long]] = [parseCIDR(a), parseCIDR(b)];
  return one.kind() === other.kind() && one.match(other, Math.min(short, long));
}

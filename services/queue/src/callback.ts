/**
 * Where a callback may go. A caller of a function may name any URL, as with upstream; but the worker is on the network of the
 * stack's own services, some of which ask for no password (Alertmanager can be silenced). Callbacks reach nothing there but functions,
 * through the gateway: its management asks for a login, which the function's own answer could carry.
 */
import * as dns from "node:dns";
import * as net from "node:net";
import * as os from "node:os";

/** Docker's DNS knows a service by its name, and by its name and its network's. */
const CORE_NETWORK = "openfaas";

export class CallbackRefused extends Error {}

/** The networks that this machine is on, its own addresses, and those that are never routed (a cloud's metadata are at one of them). */
export function closedNetworks(interfaces = os.networkInterfaces()): net.BlockList {
  const closed = new net.BlockList();
  closed.addSubnet("0.0.0.0", 8, "ipv4");
  closed.addSubnet("127.0.0.0", 8, "ipv4");
  closed.addSubnet("169.254.0.0", 16, "ipv4");
  closed.addSubnet("::", 127, "ipv6");
  closed.addSubnet("fe80::", 10, "ipv6");
  for (const { cidr, family } of Object.values(interfaces).flatMap((all) => all ?? [])) {
    const [address, bits] = (cidr ?? "").split("/");
    if (address && bits) closed.addSubnet(address, Number(bits), family === "IPv4" ? "ipv4" : "ipv6");
  }
  return closed;
}

/**
 * For the connection to make: names are looked up once, so that what was looked at is what is called.
 * @throws CallbackRefused for an address that is closed; the returned look-up gives it for such a name
 */
export function checkCallback(
  url: string,
  gateway: { host: string; port: number },
  closed: net.BlockList,
): net.LookupFunction | undefined {
  const { hostname, port, protocol, pathname } = new URL(url);
  const ofGateway = [gateway.host, `${gateway.host}.${CORE_NETWORK}`].includes(hostname);
  if (ofGateway && Number(port || (protocol === "https:" ? 443 : 80)) === gateway.port) {
    if (!/^\/(async-)?function\/[^/]/.test(pathname))
      throw new CallbackRefused(
        `${pathname} of the gateway is closed to callbacks: only functions are called back`,
      );
    return undefined;
  }
  const check = (address: string) => {
    if (closed.check(address, net.isIPv6(address) ? "ipv6" : "ipv4"))
      throw new CallbackRefused(`${hostname} is on a network that is closed to callbacks`);
  };
  const literal = hostname.replace(/^\[|\]$/g, "");
  // A look-up is not made for an address.
  if (net.isIP(literal)) check(literal);
  return (name, options, done) =>
    dns.lookup(name, { ...options, all: true }, (error, found) => {
      try {
        if (error) throw error;
        for (const { address } of found) check(address);
      } catch (refused) {
        return done(refused as NodeJS.ErrnoException, []);
      }
      if (options.all) done(null, found);
      else done(null, found[0]!.address, found[0]!.family);
    });
}

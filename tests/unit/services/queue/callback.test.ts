/** Where a callback may go; that none goes elsewhere is in worker.test.ts. */
import { checkCallback, closedNetworks } from "../../../../services/queue/src/callback";

const closed = closedNetworks({
  eth0: [
    { address: "10.201.1.7", cidr: "10.201.1.7/24", family: "IPv4", internal: false, mac: "", netmask: "" },
  ],
});
const gateway = { host: "gateway", port: 8080 };

test.each([
  "http://10.201.1.9:9093/api/v2/silences",
  "http://169.254.169.254/latest/meta-data",
  "http://0x7f.1/",
  "http://[::1]/",
  "http://[::ffff:10.201.1.9]/",
  "http://10.201.1.2:8080/",
  "http://gateway:8080/",
  "http://gateway:8080/system/functions",
  "http://gateway.openfaas:8080/function/../system/scale-function/a",
  "http://gateway:8080/function/%2e%2e/system/functions",
  "http://gateway:8080/function\\..\\system\\functions",
])("%s is closed", (url) => expect(() => checkCallback(url, gateway, closed)).toThrow("closed to callbacks"));

test.each(["http://gateway:8080/function/next", "http://gateway.openfaas:8080/function/next"])(
  "but %s is the gateway",
  (url) => expect(checkCallback(url, gateway, closed)).toBeUndefined(),
);
test.each(["http://gateway:8082/metrics", "http://gateway.example.no:8080/", "http://198.51.100.7/back"])(
  "%s is looked up, and called where it is open",
  (url) => expect(checkCallback(url, gateway, closed)).toBeInstanceOf(Function),
);

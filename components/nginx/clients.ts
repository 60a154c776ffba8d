/** What one client may take up: requests, connections, and time. */
import type { Environment } from "../../environment/schema";

type Nginx = Environment["nginx"];

/** For `http`. $client_key: a client's address, or its /64 of IPv6. Empty for the host itself, which is not counted. */
export function renderClients(nginx: Nginx): string[] {
  const { requests, connections } = nginx.perClient;
  const counts = requests > 0 || connections > 0;
  return [
    `client_header_timeout ${nginx.clientHeaderTimeout};`,
    `client_body_timeout ${nginx.clientBodyTimeout};`,
    `send_timeout ${nginx.sendTimeout};`,
    "reset_timedout_connection on;",
    "large_client_header_buffers 4 16k;",
    ...(counts ? CLIENT_KEY : []),
    ...(requests > 0 ? [`limit_req_zone $client_key zone=requests:10m rate=${requests}r/s;`] : []),
    ...(connections > 0 ? ["limit_conn_zone $client_key zone=connections:10m;"] : []),
  ];
}

/** For `server`. */
export function clientLimits({ perClient }: Nginx): string[] {
  const { requests, burst, connections } = perClient;
  return [
    ...(requests > 0
      ? [`limit_req zone=requests${burst > 0 ? ` burst=${burst} nodelay` : ""};`, "limit_req_status 429;"]
      : []),
    ...(connections > 0 ? [`limit_conn connections ${connections};`, "limit_conn_status 429;"] : []),
  ];
}

const CLIENT_KEY = [
  "map $binary_remote_addr $client_key {",
  "    default $binary_remote_addr;",
  String.raw`    "~^\x7f\x00\x00\x01\z" "";`,
  String.raw`    "~^\x00{15}\x01\z" "";`,
  String.raw`    "~(?s)^(?<client_net6>.{8}).{8}\z" $client_net6;`,
  "}",
];

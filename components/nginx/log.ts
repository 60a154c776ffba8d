/** What Nginx writes down of a request, and the number by which all of its parts are found. */
import type { Environment } from "../../environment/schema";

type Nginx = Pick<Environment["nginx"], "logAddresses" | "logQueries">;

/** For `http`. $client: the caller as it is written down. $call_id: the caller's own X-Call-Id, or a new one. */
export function renderLog(nginx: Nginx): string[] {
  return [
    ...(nginx.logAddresses === "whole" ? whole : shortened),
    "map $http_x_call_id $call_id {",
    "    default $request_id;",
    '    "~^[A-Za-z0-9._-]{1,64}$" $http_x_call_id;',
    "}",
    ...(nginx.logQueries ? queries : paths),
    "log_format timed '$client - $remote_user [$time_local] \"$request_method $asked $server_protocol\" $status $body_bytes_sent '",
    '                 \'"$came_from" "$http_user_agent" $request_time $upstream_response_time $call_id\';',
    "access_log /var/log/nginx/access.log timed buffer=64k flush=5s;",
  ];
}

/** Its lines have the whole address and query of a request; from `crit` on, next to none is about one. */
export const errorLevel = (nginx: Nginx): string =>
  nginx.logAddresses === "whole" && nginx.logQueries ? "warn" : "crit";

/** The network of an address: /24, or /48 of IPv6, whose groups may be left out. */
const shortened = [
  "map $remote_addr $client {",
  "    default ::;",
  '    "~^(?<net4>[0-9]+[.][0-9]+[.][0-9]+)[.]" $net4.0;',
  '    "~^(?<net6>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" $net6::;',
  '    "~^(?<short6>[0-9a-f]+(:[0-9a-f]+)?)::" $short6::;',
  "}",
];
const whole = ["map $remote_addr $client {", "    default $remote_addr;", "}"];

const paths = [
  "map $request_uri $asked {",
  '    "~^(?<asked_path>[^?]*)" $asked_path;',
  "}",
  "map $http_referer $came_from {",
  '    "~^(?<came_from_path>[^?#]*)" $came_from_path;',
  "}",
];
const queries = [
  "map $request_uri $asked {",
  "    default $request_uri;",
  "}",
  "map $http_referer $came_from {",
  "    default $http_referer;",
  "}",
];

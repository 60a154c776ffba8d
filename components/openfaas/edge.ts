/** The edge as plain values: HAProxy, which calls functions by the addresses that the Swarm provider tells it. */
import { seconds } from "../../environment/units";
import type { Environment } from "../../environment/schema";
import {
  ACCESS_MAP,
  ADMIN_SOCKET,
  AS_OF,
  CALL_TABLE,
  CALLS_SOCKET,
  EDGE_FOLDER,
  NETWORK_MAP,
  REPLICA_MAP,
} from "../../shared/edge";
import { NAMESPACE } from "../../shared/names";
import { answer } from "./edgeAnswer";
import { limitCalls, limitTables, management } from "./edgeLimits";
import { INTAKE_SOCKET } from "./render";

/** Its folder on the host, which holds the socket that Nginx connects to. */
export const DOOR_FOLDER = "/run/oslo-faas-door";
export const DOOR_SOCKET = `${DOOR_FOLDER}/edge.sock`;
/** The queue's intake listens in a folder of its own, which is its user's. */
export const INTAKE_DOOR = `${DOOR_FOLDER}/intake`;

/** Nobody's, on the host too. */
export const EDGE_USER = "65532";

/** Holds the sockets by which the provider tells the edge of replicas, and learns of calls. */
export const EDGE_VOLUME = "edge";
/**
 * The folder is in memory, so that it is made anew after each start of the host. The edge writes there by its group; where it ran as root
 * once, its socket is root's.
 */
export const DOOR_TMPFILES = [
  `d ${DOOR_FOLDER} 0775 root root`,
  `d ${INTAKE_DOOR} 0755 65532 65532`,
  `z ${DOOR_SOCKET} 0666 ${EDGE_USER} root`,
  "",
].join("\n");

export const EMPTY_MAP = "# Told by the Swarm provider while HAProxy runs.\n";

export const HAPROXY_CONF = "/etc/haproxy/haproxy.cfg";

/** An edge ends at a socket in its place that is another user's, as admin.sock and cold.sock are where it ran as root once. */
const COLD_SOCKET = "again.sock";

/** Longest time, in seconds, for which the edge trusts what it was told. */
const TRUST_S = 30;

type EdgeSettings = Pick<
  Environment["openfaas"],
  "upstreamTimeout" | "access" | "maxConcurrent" | "failedLogins"
>;

export function renderEdge(openfaas: EdgeSettings): string {
  const longest = `${Math.ceil(seconds(openfaas.upstreamTimeout)) + 5}s`;
  return [
    ...global(),
    ...defaults(longest),
    "resolvers docker",
    "    nameserver engine 127.0.0.11:53",
    "    hold valid 1s",
    "",
    ...door(openfaas),
    ...management(openfaas.failedLogins),
    ...limitTables(),
    ...functions(),
    ...intake(),
    ...gateway(),
  ].join("\n");
}

function global(): string[] {
  return [
    "global",
    "    # Connections follow from the open files that the engine allows, up to so many.",
    "    fd-hard-limit 40000",
    `    stats socket unix@${EDGE_FOLDER}/${ADMIN_SOCKET} mode 660 level admin`,
    "    hard-stop-after 300s",
    "    tune.bufsize 32768",
    "    tune.http.maxhdr 256",
    "",
    "# A line a call, to the Swarm provider.",
    "ring calls",
    "    format raw",
    "    maxlen 256",
    "    size 1048576",
    "    timeout connect 1s",
    "    timeout server 10s",
    `    server provider unix@${EDGE_FOLDER}/${CALLS_SOCKET}`,
    "",
  ];
}

function defaults(longest: string): string[] {
  return [
    "defaults",
    "    mode http",
    "    timeout connect 1s",
    "    timeout http-request 60s",
    // Longer than Nginx keeps an idle connection, so that it is never closed under a request of Nginx's.
    "    timeout http-keep-alive 120s",
    `    timeout client ${longest}`,
    `    timeout server ${longest}`,
    `    timeout tunnel ${longest}`,
    "    # Nothing of a request has left yet when no connection comes up.",
    "    retries 2",
    "    retry-on conn-failure",
    "    option redispatch 1",
    '    http-error status 502 content-type text/plain lf-string "The function broke the connection off.\\n"',
    '    http-error status 503 content-type text/plain lf-string "No replica and no gateway answers; try again.\\n" hdr Retry-After 1',
    '    http-error status 504 content-type text/plain lf-string "The function did not answer in time.\\n"',
    "",
  ];
}

const NOBODY = answer(404, "No such function.");
const CLIMBS = `${NOBODY} if { path,url_dec -m reg '(^|/)\\.\\.?(/|$)' }`;

function door({ access, maxConcurrent }: EdgeSettings): string[] {
  const map = `map_str(${REPLICA_MAP})`;
  return [
    "frontend door",
    "    bind unix@/door/edge.sock mode 666",
    "    acl synchronous path_beg /function/",
    `    ${NOBODY} unless synchronous or { path_beg /async-function/ }`,
    `    http-request set-var(txn.name) path,field(3,/),regsub(\\.${NAMESPACE}$,)`,
    "    # The gateway decodes a name before it looks for it; no function's name needs that.",
    `    ${NOBODY} unless { var(txn.name) -m reg ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ }`,
    ...callers(access),
    ...callbacks(access),
    ...limitCalls(maxConcurrent),
    `    http-request set-var(txn.asof) str(${AS_OF}),map_str(${REPLICA_MAP},0)`,
    "    http-request set-var(txn.age) date,sub(txn.asof)",
    `    http-request set-var(txn.replicas) var(txn.name),${map} if synchronous { var(txn.age) -m int lt ${TRUST_S} }`,
    "    http-request set-var(txn.at) rand,mod(txn.replicas) if { var(txn.replicas) -m found }",
    `    http-request set-var(txn.address) var(txn.name),concat(:,txn.at,),${map} if { var(txn.at) -m found }`,
    "    acl told var(txn.address) -m found",
    `    http-request track-sc0 var(txn.name) table ${CALL_TABLE} if told`,
    // The gateway counts what goes through it.
    `    log ring@calls len 256 local0 info`,
    '    log-format "%[var(txn.name)] %ST %Ta %s"',
    "    use_backend intake unless synchronous",
    "    use_backend function if told",
    "    default_backend gateway",
    "",
    "# Calls begun and under way, by function.",
    `backend ${CALL_TABLE}`,
    "    stick-table type string len 64 size 20k expire 24d store http_req_cnt,conn_cur",
    "",
  ];
}

/** Whom the function lets in, wherever its call goes next. Nginx alone says who calls. */
function callers(access: string): string[] {
  return [
    `    http-request set-var(txn.access) var(txn.name),map_str(${ACCESS_MAP},${access})`,
    "    acl by_token var(txn.access) -m str token",
    "    acl by_network var(txn.access) -m str networks",
    `    ${NOBODY} unless by_token or by_network or { var(txn.access) -m str public }`,
    "    http-request set-var(txn.hash) http_auth_bearer,sha2(256),hex,lower if by_token",
    `    acl has_token var(txn.name),concat(:,txn.hash,),map_str(${ACCESS_MAP}) -m found`,
    `    ${answer(401, "This function needs a token.", ["WWW-Authenticate", "Bearer"])} if by_token !has_token`,
    "    # It is for the platform, and neither for the function nor for the queue's disk.",
    "    http-request del-header Authorization if by_token",
    `    http-request set-var(txn.network) req.hdr_ip(X-Real-IP),map_ip(${NETWORK_MAP}) if by_network`,
    `    acl from_network var(txn.name),concat(@,txn.network,),map_str(${ACCESS_MAP}) -m found`,
    `    ${answer(403, "This function is closed to your address.")} if by_network !from_network`,
  ];
}

/** The queue worker calls from inside, where every function answers. Through it, a caller reaches only those that are public. */
function callbacks(access: string): string[] {
  const url = "req.fhdr(X-Callback-Url,1)";
  const plain = answer(400, "X-Callback-Url has to be one plain URL.");
  const asked = "!synchronous has_callback";
  return [
    "    acl has_callback req.fhdr_cnt(X-Callback-Url) gt 0",
    "    acl has_many req.fhdr_cnt(X-Callback-Url) gt 1",
    "    # Parsers disagree about other forms of a URL.",
    `    acl readable ${url} -m reg -i '^https?://([a-z0-9._~%+=:-]*@)?([a-z0-9_.-]+|\\[[0-9a-f:.]+\\])(:[0-9]+)?([/?#].*)?$'`,
    `    ${plain} if ${asked} !readable or ${asked} has_many`,
    `    acl inwards ${url} -m reg -i '^https?://([^/?#]*@)?gateway(\\.openfaas)?([:/?#].*)?$'`,
    `    acl to_function ${url} -m reg '^http://gateway(\\.openfaas)?:8080/(async-)?function/[a-z0-9-]+(/[A-Za-z0-9/_~-]*)?([?].*)?$'`,
    `    acl to_public ${url},field(5,/),field(1,?),map_str(${ACCESS_MAP},${access}) -m str public`,
    `    ${answer(403, "X-Callback-Url names a function that is not public.")} if ${asked} inwards !to_function or ${asked} inwards !to_public`,
  ];
}

/** As the gateway passes a call on, and its answer. */
function functions(): string[] {
  return [
    "backend function",
    "    acl numbered req.hdr(X-Call-Id) -m found",
    "    http-request set-var(txn.call) uuid() unless numbered",
    "    http-request set-header X-Call-Id %[var(txn.call)] unless numbered",
    "    http-request set-var(txn.start) date(0,us)",
    "    http-request set-header X-Start-Time %[var(txn.start)]000",
    "    http-request set-header X-Forwarded-Host %[req.hdr(Host)] unless { req.hdr(X-Forwarded-Host) -m found }",
    `    http-request set-header Host %[var(txn.name)].${NAMESPACE}:8080`,
    '    http-request set-path "%[path,regsub(^/function/[^/]+/?,/)]"',
    "    http-request set-dst var(txn.address)",
    "    http-response set-header X-Call-Id %[var(txn.call)] if { var(txn.call) -m found }",
    "    http-response set-header X-Start-Time %[var(txn.start)]000",
    "    use-server replica if { always_true }",
    "    server replica 0.0.0.0:8080 weight 0",
    "    # A replica that takes no connection: the gateway looks for another, or starts one.",
    `    server cold unix@${EDGE_FOLDER}/${COLD_SOCKET}`,
    "",
    "frontend cold",
    `    bind unix@${EDGE_FOLDER}/${COLD_SOCKET} mode 600`,
    '    http-request set-path "/function/%[req.hdr(Host),field(1,.)]%[path]"',
    "    default_backend gateway",
    "",
  ];
}

/** Asynchronous calls: the queue's intake answers when one is on disk. */
function intake(): string[] {
  const text = "content-type text/plain lf-string";
  return [
    "backend intake",
    `    http-error status 502 ${text} "The queue broke the connection off. Call again with the same X-Call-Id.\\n" hdr Retry-After 5`,
    `    http-error status 503 ${text} "The queue is away. Call again later.\\n" hdr Retry-After 5`,
    `    http-error status 504 ${text} "The queue did not answer. Call again with the same X-Call-Id.\\n" hdr Retry-After 5`,
    `    ${CLIMBS}`,
    `    server intake unix@/door/intake/${INTAKE_SOCKET}`,
    "",
  ];
}

function gateway(): string[] {
  return [
    "backend gateway",
    "    # The gateway would look for what such a path climbs to.",
    `    ${CLIMBS}`,
    "    server gateway gateway:8080 resolvers docker init-addr libc,none",
    "",
  ];
}

/** What the edge bounds: calls of one function at the same time, and wrong passwords of one client. */
import { ACCESS_MAP } from "../../shared/edge";
import { answer } from "./edgeAnswer";

const CONCURRENCY_TABLE = "concurrency";
const LOGIN_TABLE = "logins";

/** Beside the socket for functions. */
export const MANAGEMENT_SOCKET = "management.sock";

/** Requests with a login that one client may have under way: more could be guesses that are sent before the first answer. */
const LOGINS_AT_ONCE = 32;

const tooMany = (text: string, seconds: number): string =>
  answer(429, text, ["Retry-After", String(seconds)]);

/** In the frontend for functions, when it is known that the caller may call. @param most of a function that says nothing; 0: no limit */
export const limitCalls = (most: number): string[] => [
  `    http-request set-var(txn.most) var(txn.name),concat(/calls),map_str(${ACCESS_MAP},${most}),add(0)`,
  "    acl bounded var(txn.most) -m int gt 0",
  `    http-request track-sc1 var(txn.name) table ${CONCURRENCY_TABLE} if synchronous bounded`,
  "    http-request set-var(txn.over) sc_conn_cur(1),sub(txn.most) if synchronous bounded",
  `    ${tooMany("This function has too many calls under way. Try again later.", 1)} if { var(txn.over) -m int gt 0 }`,
];

/** What both count in. */
export const limitTables = (): string[] => [
  `backend ${CONCURRENCY_TABLE}`,
  "    stick-table type string len 64 size 20k expire 1h store conn_cur",
  "",
  `backend ${LOGIN_TABLE}`,
  "    stick-table type ipv6 size 100k expire 10m store gpc0,gpc0_rate(60s),conn_cur",
  "",
];

/** The way to the gateway's management. Nginx says who calls. @param failures wrong passwords a minute; 0: no limit */
export const management = (failures: number): string[] => [
  "frontend management",
  `    bind unix@/door/${MANAGEMENT_SOCKET} mode 666`,
  ...(failures > 0 ? limitLogins(failures) : []),
  "    default_backend management",
  "",
  "backend management",
  ...[502, 503, 504].map(
    (status) =>
      `    http-error status ${status} content-type text/plain lf-string "The gateway does not answer. Try again later.\\n"`,
  ),
  "    server gateway gateway:8080 resolvers docker init-addr libc,none",
  "",
];

const limitLogins = (failures: number): string[] => [
  "    acl logs_in req.hdr(Authorization) -m found",
  `    http-request track-sc2 req.hdr_ip(X-Real-IP),ipmask(32,64) table ${LOGIN_TABLE} if logs_in`,
  `    acl guesses sc_gpc0_rate(2) ge ${failures}`,
  `    acl crowds sc_conn_cur(2) gt ${LOGINS_AT_ONCE}`,
  `    ${tooMany("Too many wrong passwords. Try again in a minute.", 60)} if logs_in guesses`,
  `    ${tooMany("Too many requests. Try again later.", 1)} if logs_in crowds`,
  "    http-response sc-inc-gpc0(2) if { status 401 }",
];

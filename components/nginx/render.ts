/** nginx.conf and the addresses of Nginx, as pure functions of plain values. */
import type { Environment } from "../../environment/schema";
import { bracketed } from "../../shared/address";
import { certificateFiles, challenges } from "./certificate";
import { MANAGEMENT_SOCKET } from "../openfaas/edgeLimits";
import { clientLimits, renderClients } from "./clients";
import { errorPages, renderErrors } from "./errors";
import { errorLevel, renderLog } from "./log";
import { hsts, TLS } from "./tls";

export interface NginxValues {
  nginx: Environment["nginx"];
  /** The gateway's port on the host. */
  gatewayPort: number;
  openFiles: number;
  /** Socket through which functions are called; without one the gateway calls them. */
  functionsSocket?: string;
  /** Socket through which asynchronous calls are accepted; without one the gateway accepts them. */
  queueSocket?: string;
  /** Largest body of an asynchronous call. */
  asyncBody: string;
}

export function renderNginxConf(values: NginxValues): string {
  const { nginx } = values;
  return lines(
    "# Written by oslo-faas; changes here are drift and are put back.",
    `user ${nginx.user};`,
    `worker_processes ${nginx.workerProcesses};`,
    // A proxied request holds two descriptors, the client's and the gateway's.
    `worker_rlimit_nofile ${values.openFiles};`,
    "pid /run/nginx.pid;",
    `error_log /var/log/nginx/error.log ${errorLevel(nginx)};`,
    "",
    "events {",
    `    worker_connections ${nginx.workerConnections};`,
    "    use epoll;",
    "    multi_accept on;",
    "}",
    "",
    "http {",
    ...http(values).map((line) => (line ? `    ${line}` : "")),
    "}",
    "",
  );
}

function http(values: NginxValues): string[] {
  const { nginx } = values;
  return [
    "include /etc/nginx/mime.types;",
    "default_type application/octet-stream;",
    ...renderLog(nginx),
    "",
    // A function gets the headers that were sent, X_Signature and x.trace too.
    "underscores_in_headers on;",
    "ignore_invalid_headers off;",
    "",
    "sendfile on;",
    "tcp_nopush on;",
    "server_tokens off;",
    `keepalive_timeout ${nginx.keepaliveTimeout};`,
    `client_max_body_size ${nginx.clientMaxBodySize};`,
    ...renderClients(nginx),
    "",
    "upstream gateway {",
    `    server 127.0.0.1:${values.gatewayPort};`,
    // Beside the edge, the gateway has management alone.
    `    keepalive ${values.functionsSocket ? 32 : nginx.keepalive};`,
    "}",
    ...(values.functionsSocket
      ? [
          "upstream functions {",
          `    server unix:${values.functionsSocket};`,
          `    keepalive ${nginx.keepalive};`,
          "}",
          "upstream management {",
          `    server unix:${values.functionsSocket.replace(/[^/]*$/, MANAGEMENT_SOCKET)};`,
          // Where the edge is away.
          `    server 127.0.0.1:${values.gatewayPort} backup;`,
          "    keepalive 32;",
          "}",
        ]
      : []),
    ...(hasOwnQueue(values)
      ? ["upstream queue {", `    server unix:${values.queueSocket};`, "    keepalive 32;", "}"]
      : []),
    "",
    ...BROWSERS,
    ...HEADERS,
    "",
    ...server(values),
  ];
}

function server(values: NginxValues): string[] {
  const { nginx } = values;
  const listen = (port: number, tls: string) => [
    `    listen ${port}${tls} default_server backlog=${nginx.backlog};`,
    ...(nginx.ipv6 ? [`    listen [::]:${port}${tls} default_server backlog=${nginx.backlog};`] : []),
  ];
  const plain = [
    "server {",
    ...listen(nginx.httpPort, ""),
    `    server_name ${nginx.serverName};`,
    "",
    ...challenges(nginx.tls),
    ...locations(values),
    "}",
  ];
  if (!nginx.tls) return plain;
  const to =
    nginx.httpsPort === 443 ? "https://$host$request_uri" : `https://$host:${nginx.httpsPort}$request_uri`;
  const redirect = [
    "server {",
    ...listen(nginx.httpPort, ""),
    `    server_name ${nginx.serverName};`,
    "",
    ...challenges(nginx.tls),
    ...renderErrors().map((line) => `    ${line}`),
    "",
    ...location("/", `return 308 ${to};`),
    "}",
  ];
  const { certificate, certificateKey } = certificateFiles(nginx.tls);
  return [
    ...(nginx.tls.redirect ? redirect : plain),
    "",
    "server {",
    ...listen(nginx.httpsPort, " ssl http2"),
    `    server_name ${nginx.serverName};`,
    `    ssl_certificate ${certificate};`,
    `    ssl_certificate_key ${certificateKey};`,
    ...TLS.map((line) => `    ${line}`),
    "",
    ...locations(values),
    "}",
  ];
}

/** Where functions' calls and asynchronous ones have one socket, they share its connections. */
const hasOwnQueue = ({ functionsSocket, queueSocket }: NginxValues): boolean =>
  queueSocket !== undefined && queueSocket !== functionsSocket;

const location = (place: string, ...inside: string[]): string[] => [
  `    location ${place} {`,
  ...inside.map((line) => `        ${line}`),
  "    }",
];

/** @param calls where they go without a queue's socket */
function asynchronous(values: NginxValues, calls: string): string[] {
  const { asyncBody, queueSocket } = values;
  // Such a body is held whole.
  const limit = `client_max_body_size ${asyncBody};`;
  if (!queueSocket) return [...location("/async-function/", limit, calls), ""];
  return [
    ...location(
      "/async-function/",
      limit,
      `proxy_pass http://${hasOwnQueue(values) ? "queue" : "functions"};`,
      // Nginx's own answers, and not those of what it asks.
      ...errorPages({ 502: "= @queue_away", 504: "= @queue_away" }),
    ),
    "",
    ...location(
      "@queue_away",
      "default_type text/plain;",
      "add_header Retry-After 5 always;",
      ...CALL_ID,
      String.raw`return 503 "The queue is away. Call again later, with the same X-Call-Id.\n";`,
    ),
    "",
  ];
}

function locations(values: NginxValues): string[] {
  const { nginx, functionsSocket } = values;
  const gateway = "proxy_pass http://gateway;";
  const limits = [
    `proxy_connect_timeout ${nginx.proxyConnectTimeout};`,
    `proxy_read_timeout ${nginx.proxyReadTimeout};`,
    `proxy_send_timeout ${nginx.proxySendTimeout};`,
  ];
  const calls = functionsSocket ? "proxy_pass http://functions;" : gateway;
  // At the server's level, so that each location inherits them; proxy_pass alone is per location.
  return [
    ...[
      "proxy_http_version 1.1;",
      ...proxyHeaders('""'),
      ...limits,
      ...clientLimits(nginx),
      ...CALL_ID,
      ...hsts(nginx),
      ...renderErrors(hsts(nginx)),
    ].map((line) => `    ${line}`),
    "",
    ...location(
      "~ ^/(system|ui)(/|$)",
      ...management(nginx),
      functionsSocket ? "proxy_pass http://management;" : gateway,
    ),
    "",
    ...asynchronous(values, calls),
    ...location(
      "/function/",
      ...(functionsSocket
        ? [...proxyHeaders("$connection_upgrade"), "proxy_set_header Upgrade $http_upgrade;"]
        : []),
      calls,
    ),
    "",
    ...location("~ ^/(healthz)?$", gateway),
    "",
    ...location("/", "return 404;"),
  ];
}

const proxyHeaders = (connection: string): string[] => [
  `proxy_set_header Connection ${connection};`,
  "proxy_set_header Host $host_and_port;",
  "proxy_set_header X-Real-IP $remote_addr;",
  "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
  "proxy_set_header X-Forwarded-Proto $scheme;",
  "proxy_set_header X-Forwarded-Host $host_and_port;",
  "proxy_set_header X-Forwarded-Port $server_port;",
  "proxy_set_header X-Call-Id $call_id;",
];

/** In an error's answer as well. A location that adds headers of its own inherits none. */
const CALL_ID = ["proxy_hide_header X-Call-Id;", "add_header X-Call-Id $call_id always;"];

/** $host_and_port: as the client sent it, $host where it sent none. $connection_upgrade: empty unless it is to become a WebSocket. */
const HEADERS = [
  "map $http_host $host_and_port {",
  "    default $http_host;",
  '    "" $host;',
  "}",
  "map $http_upgrade $connection_upgrade {",
  "    default upgrade;",
  '    "" "";',
  "}",
];

/** What the web page at /ui/ needs, all of it from here: AngularJS sets styles by itself, and pictures of functions may be data. */
const PAGE_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Whom management answers. A browser sends the login along for every page that asks it to, another site's too. */
function management(nginx: Environment["nginx"]): string[] {
  const { managementAllow } = nginx;
  return [
    "if ($cross_site) { return 403; }",
    "if ($form_content) { return 415; }",
    // The host itself: what ends an `up` asks from there.
    ...(managementAllow.length === 0
      ? []
      : ["allow 127.0.0.1;", "allow ::1;", ...managementAllow.map((net) => `allow ${net};`), "deny all;"]),
    "add_header X-Call-Id $call_id always;",
    `add_header Content-Security-Policy "${PAGE_POLICY}" always;`,
    "add_header X-Frame-Options DENY always;",
    "add_header X-Content-Type-Options nosniff always;",
    "add_header Referrer-Policy no-referrer always;",
    ...hsts(nginx),
  ];
}

/** $cross_site: a change that another site's page asks for. $form_content: a body as a form of any page can send it; the gateway takes it as JSON. */
const BROWSERS = [
  'map "$http_origin $http_host" $foreign_origin {',
  "    default 1;",
  '    "~^ " 0;',
  '    "~*^https?://(?<origin_host>[^ ]+) \\k<origin_host>$" 0;',
  "}",
  'map "$request_method:$foreign_origin" $cross_site {',
  "    default 0;",
  '    "~^(GET|HEAD):" 0;',
  '    "~:1$" 1;',
  "}",
  'map "$request_method:$http_content_type" $form_content {',
  "    default 0;",
  '    "~^(GET|HEAD):" 0;',
  '    "~*^[A-Z]+:\\s*(text/plain|multipart/form-data|application/x-www-form-urlencoded)" 1;',
  "}",
];

function lines(...text: string[]): string {
  return text.join("\n");
}

/** systemd's limit for Nginx's master, which worker_rlimit_nofile cannot exceed where the master may not raise its own. */
export function renderNginxDropIn(openFiles: number): string {
  return `[Service]\nLimitNOFILE=${openFiles}\nRestart=on-failure\nRestartSec=2\n`;
}

/** The workers' user, declared to systemd-sysusers. */
export function renderSysusers(user: string): string {
  return `u ${user} - "Nginx workers" /nonexistent\n`;
}

/** publicUrl, or one made of the port and the host's address; with a certificate that is ordered, of the first name in it. */
export function publicUrl(nginx: Environment["nginx"], address: string): string {
  if (nginx.publicUrl) return nginx.publicUrl.replace(/\/$/, "");
  const [scheme, port, usual] = nginx.tls ? ["https", nginx.httpsPort, 443] : ["http", nginx.httpPort, 80];
  const name = nginx.tls?.auto ? nginx.serverName.split(" ")[0]! : address;
  return `${scheme}://${bracketed(name)}${port === usual ? "" : `:${port}`}`;
}

/** Nginx as the host itself reaches it. */
export const localOrigin = (nginx: Environment["nginx"]): string =>
  nginx.tls ? `https://127.0.0.1:${nginx.httpsPort}` : `http://127.0.0.1:${nginx.httpPort}`;

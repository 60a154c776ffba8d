import { parseEnvironment } from "../../../environment/parse";
import { renderNginxConf, renderNginxDropIn, renderSysusers } from "../../../components/nginx/render";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

function conf(nginx: object = {}, more: { functionsSocket?: string; queueSocket?: string } = {}): string {
  const env = parseEnvironment({ host: { address: "198.51.100.7", hostKey: KEY }, nginx });
  return renderNginxConf({
    nginx: env.nginx,
    gatewayPort: 8080,
    openFiles: env.base.openFiles,
    asyncBody: "10m",
    ...more,
  });
}

test("the default configuration", () => expect(conf()).toMatchSnapshot());

test.each([
  "user nginx;",
  "worker_processes auto;",
  "worker_connections 10240;",
  "use epoll;",
  "server 127.0.0.1:8080;",
  "keepalive 64;",
  "proxy_http_version 1.1;",
  'proxy_set_header Connection "";',
  "proxy_read_timeout 300s;",
  "proxy_send_timeout 300s;",
])("says: %s", (line) =>
  expect(
    conf()
      .split("\n")
      .map((text) => text.trim()),
  ).toContain(line),
);

test("workers and master have the same limit of open files", () => {
  expect(conf()).toContain("worker_rlimit_nofile 65536;");
  expect(renderNginxDropIn(65536)).toContain("LimitNOFILE=65536");
});

test("one changed parameter is one changed line", () => {
  const [before, after] = [conf().split("\n"), conf({ keepalive: 128 }).split("\n")];
  expect(after.filter((line, i) => line !== before[i])).toEqual(["        keepalive 128;"]);
});

test("with TLS, HTTP only redirects", () => {
  const text = conf({
    tls: { certificate: "/etc/ssl/a.pem", certificateKey: "/etc/ssl/a.key" },
    httpsPort: 8443,
  });
  expect(text).toMatchSnapshot();
  expect(text).toContain("return 308 https://$host:8443$request_uri;");
  expect(text.match(/location \/ /g)).toHaveLength(1);
});

test("with TLS and no redirect, HTTP answers the same calls", () => {
  const text = conf({
    tls: { certificate: "/etc/ssl/a.pem", certificateKey: "/etc/ssl/a.key", redirect: false },
  });
  expect(text).not.toContain("return 308");
  expect(text.match(/location \/ /g)).toHaveLength(2);
  expect(text.match(/listen 80 default_server/g)).toHaveLength(1);
});

test("the management API can be kept to some networks, with the same proxy settings", () => {
  const text = conf({ managementAllow: ["198.51.100.0/24"] });
  expect(text).toContain("location ~ ^/(system|ui)(/|$) {");
  const order = ["allow 127.0.0.1;", "allow ::1;", "allow 198.51.100.0/24;", "deny all;"];
  expect(order.map((line) => text.indexOf(line))).toEqual(
    order.map((line) => text.indexOf(line)).sort((a, b) => a - b),
  );
  expect(text).toContain(order[0]);
});

test("without IPv6 there is no IPv6 listener", () => expect(conf({ ipv6: false })).not.toContain("[::]"));

test("the workers' user is declared to systemd-sysusers", () =>
  expect(renderSysusers("nginx")).toMatch(/^u nginx - /));

test("functions and the queue are called through a socket where there is one", () => {
  const text = conf({}, { functionsSocket: "/run/oslo-faas-door/edge.sock" });
  expect(text).toContain("server unix:/run/oslo-faas-door/edge.sock;");
  const inside = /location \/function\/ \{([^}]*)\}/.exec(text)![1]!;
  expect(inside).toContain("proxy_pass http://functions;");
  // A location that sets one header inherits none.
  const headers = [
    "Host $host_and_port",
    "X-Forwarded-For $proxy_add_x_forwarded_for",
    "Upgrade $http_upgrade",
  ];
  for (const header of headers) expect(inside).toContain(`proxy_set_header ${header};`);
  expect(text.match(/proxy_pass http:\/\/functions;/g)).toHaveLength(2);
  expect(conf()).not.toContain("http://functions");
  // One changed parameter is one changed line.
  const lines = conf({ keepalive: 128 }, { functionsSocket: "/run/oslo-faas-door/edge.sock" }).split("\n");
  expect(lines.filter((line) => !text.split("\n").includes(line))).toEqual(["        keepalive 128;"]);
});

test("limits of a client that are 0 are not written", () => {
  const text = conf({ perClient: { requests: 0, connections: 0 } });
  expect(text).not.toMatch(/limit_(req|conn)|client_key/);
  const rates = conf({ perClient: { requests: 5, burst: 0, connections: 0 } });
  expect(rates).toContain("limit_req zone=requests;");
  expect(rates).not.toContain("limit_conn");
  expect(conf()).toContain("limit_conn connections 1000;");
});

test("management goes through the edge, which counts wrong passwords, and past it where it is away", () => {
  const text = conf({}, { functionsSocket: "/run/oslo-faas-door/edge.sock" });
  const upstream = /upstream management \{([^}]*)\}/.exec(text)![1]!;
  expect(upstream).toContain("server unix:/run/oslo-faas-door/management.sock;");
  expect(upstream).toContain("server 127.0.0.1:8080 backup;");
  expect(conf()).not.toContain("http://management");
  expect(text.match(/proxy_pass http:\/\/management;/g)).toHaveLength(1);
});

test("asynchronous calls go to the edge, or without it to the intake, and its absence is a 503", () => {
  const edge = "/run/oslo-faas-door/edge.sock";
  const intake = "/run/oslo-faas-door/intake/intake.sock";
  const place = (text: string) => /location \/async-function\/ \{[^}]*\}/.exec(text)![0];
  const both = conf({}, { functionsSocket: edge, queueSocket: edge });
  expect(place(both)).toContain("proxy_pass http://functions;");
  expect(both).not.toContain("upstream queue");
  const alone = conf({}, { queueSocket: intake });
  expect(place(alone)).toContain("proxy_pass http://queue;");
  expect(alone).toContain(`server unix:${intake};`);
  for (const text of [both, alone]) {
    expect(place(text)).toContain("error_page 502 = @queue_away;");
    expect(place(text)).toContain("error_page 413 /.error/413;");
    expect(text).toMatch(/location @queue_away \{[^}]*Retry-After 5 always;[^}]*return 503 /);
  }
  expect(place(conf())).toContain("proxy_pass http://gateway;");
});

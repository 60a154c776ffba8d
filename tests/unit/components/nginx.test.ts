import { parseEnvironment } from "../../../environment/parse";
import {
  certificateFiles,
  renderCertbotSettings,
  renderCertificateScript,
} from "../../../components/nginx/certificate";
import {
  publicUrl,
  renderNginxConf,
  renderNginxDropIn,
  renderSysusers,
} from "../../../components/nginx/render";

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
  expect(text.match(/location \/ /g)).toHaveLength(2);
  // What Nginx answers by itself names no program there either.
  expect(text.match(/location = \/\.error\/400 /g)).toHaveLength(2);
});

test("with TLS and no redirect, HTTP answers the same calls", () => {
  const text = conf({
    tls: { certificate: "/etc/ssl/a.pem", certificateKey: "/etc/ssl/a.key", redirect: false },
  });
  expect(text).not.toContain("return 308");
  expect(text.match(/location \/ /g)).toHaveLength(2);
  expect(text.match(/listen 80 default_server/g)).toHaveLength(1);
});

const parsed = (nginx: object) =>
  parseEnvironment({ host: { address: "198.51.100.7", hostKey: KEY }, nginx }).nginx;

describe("a certificate that is ordered", () => {
  const auto = (more: object = {}) => ({
    serverName: "faas.example.no b.example.no",
    tls: { auto: {} },
    ...more,
  });

  test("is short to write, in a base as well", () => {
    expect(conf({ serverName: "faas.example.no", tls: "auto" })).toBe(
      conf({ serverName: "faas.example.no", tls: { auto: {} } }),
    );
  });

  test.each([true, false])(
    "its challenges are files, over HTTP alone, redirected or not (%s)",
    (redirect) => {
      const text = conf(auto({ tls: { auto: {}, redirect } }));
      const place = "location ^~ /.well-known/acme-challenge/ {";
      expect(text.split(place)).toHaveLength(2);
      const [before, after] = text.split(place) as [string, string];
      expect(before).not.toContain("ssl_certificate");
      const inside = after.slice(0, after.indexOf("}"));
      expect(inside).toContain("root /var/lib/oslo-faas-acme/webroot;");
      expect(inside).not.toContain("proxy_pass");
      // At the server's level it would come before every location.
      expect(text).not.toMatch(/^ {8}return 308/m);
    },
  );

  test("lies where the orders put it", () => {
    const { tls } = parsed(auto());
    expect(certificateFiles(tls!)).toEqual({
      certificate: "/var/lib/oslo-faas-acme/served/fullchain.pem",
      certificateKey: "/var/lib/oslo-faas-acme/served/privkey.pem",
    });
    expect(conf(auto())).toContain("ssl_certificate /var/lib/oslo-faas-acme/served/fullchain.pem;");
  });

  test("certbot's settings hold the key of an account's binding, and its arguments do not", () => {
    const { tls, serverName } = parsed(
      auto({
        tls: { auto: { email: "ops@example.no", eabKeyId: "kid-1", directoryCa: "/etc/ssl/own.pem" } },
      }),
    );
    expect(renderCertbotSettings(tls, "aGVsbG8")).toBe(
      [
        "server = https://acme-v02.api.letsencrypt.org/directory",
        "email = ops@example.no",
        "eab-kid = kid-1",
        "eab-hmac-key = aGVsbG8",
        "",
      ].join("\n"),
    );
    const script = renderCertificateScript({ tls, serverName }).split("\n");
    expect(script).toEqual(
      expect.arrayContaining([
        "NAMES='faas.example.no b.example.no'",
        "EAB=1",
        "CA=/etc/ssl/own.pem",
        "STATE=/var/lib/oslo-faas-acme",
        "CONFIG=/etc/oslo-faas/certbot.ini",
      ]),
    );
    expect(renderCertbotSettings(parsed(auto({ tls: "auto" })).tls)).toContain(
      "register-unsafely-without-email",
    );
  });

  test("another authority's is another one, which does not wait until the earlier expires", () => {
    const lineage = (directory?: string) => {
      const text = renderCertificateScript(parsed(auto({ tls: { auto: { directory } } })));
      return /^LINEAGE=(oslo-faas-[0-9a-f]{8})$/m.exec(text)![1];
    };
    expect(lineage()).toBe(lineage("https://acme-v02.api.letsencrypt.org/directory"));
    expect(lineage()).not.toBe(lineage("https://acme.example.no/directory"));
  });

  test("its first name is the one to call", () => {
    expect(publicUrl(parsed(auto()), "198.51.100.7")).toBe("https://faas.example.no");
    expect(publicUrl(parsed(auto({ publicUrl: "https://x.example.no/" })), "h")).toBe("https://x.example.no");
  });
});

test("an ACME client of one's own finds its challenges answered from a folder", () => {
  const given = { certificate: "/etc/ssl/a.pem", certificateKey: "/etc/ssl/a.key" };
  expect(conf({ tls: { ...given, webroot: "/var/www/acme" } })).toContain("root /var/www/acme;");
  expect(conf({ tls: given })).not.toContain("acme-challenge");
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

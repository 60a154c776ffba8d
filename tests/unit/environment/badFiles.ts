/** The table of stack files that are wrong, each in one way. */
import { hooks, hostile, odd } from "./hostFiles";
import { type BadFile, CIPHER, DIGEST, KEY, each, host, jump, key, set, network } from "./writing";

export { RIGHT } from "./hostFiles";
export { type BadFile, CIPHER, HOST, KEY, OF_SERVICE, whole } from "./writing";

const types: BadFile[] = [
  ...each(
    "nginx.keepalive",
    "must be a whole number from 1 to 10000",
    '"64"',
    "1.5",
    "true",
    "[64]",
    "{a: 1}",
    "~",
    "many",
  ),
  ...each("nginx.ipv6", "must be true or false", '"true"', "yes", "on", "1", "0", "~", "[true]"),
  ...each("docker.source", 'must be "docker" or "distro"', "snap", "Docker", "1", "true", "~", "[docker]"),
  ...each(
    "openfaas.readTimeout",
    "must be a duration from 1ms to 24h",
    "300",
    "5 minutes",
    '"300"',
    "5M",
    "1.5h",
    "-5s",
    "0s",
    "~",
    "[300s]",
    "1d",
  ),
  ...each(
    "nginx.clientMaxBodySize",
    "must be a size from 1 to 1024g",
    "big",
    "10mb",
    "0",
    "-1m",
    "1.5g",
    "100",
    "~",
    '"10 m"',
    "1t",
  ),
  ...each("nginx.serverName", "must be one or more server names", "1", "true", '"a;b"', '"a  b"', '""'),
  ...each("location.city", "must be a text on one line", "1", '" Oslo"', '""', '"a\\nb"', "{name: Oslo}"),
  ...each(
    "nginx",
    "must be a mapping, with keys such as user, workerProcesses",
    "64",
    "fast",
    "[keepalive]",
    "true",
  ),
  ...each("base.packages", "must be a list", "htop", "{htop: 1}", "1", "~"),
  ...each("functions", "must be a list", "{stack: functions/stack.yml}", "true", "1"),
  ...each("checks", "must be a list", "/function/hello", "{path: /}"),
  ...each("base.sysctl", "must be a mapping of kernel settings", "[vm.swappiness]", "vm.swappiness", "1"),
  [key("nginx", ""), "nginx", "or remove nginx"],
  [key("nginx", '""'), "nginx", "or remove nginx"],
  [key("openfaas", "{queue: 8}"), "openfaas.queue", "must be a mapping, with keys such as ackWait"],
  [key("functions", "[[functions/stack.yml]]"), "functions.0", "must be a mapping, with keys such as stack"],
  [key("functions", '[""]'), "functions.0.stack", "must be a path"],
  [key("checks", "[/function/hello]"), "checks.0", "must be a mapping, with keys such as path"],
  [key("checks", "[{status: 200}]"), "checks.0.path", "is missing: must be a path that starts with /"],
  [key("functions", "[{only: [hello]}]"), "functions.0.stack", "is missing: must be a path"],
  [
    key("nginx", "{tls: {certificate: /etc/a.pem}}"),
    "nginx.tls.certificateKey",
    "is missing: must be an absolute path",
  ],
  ...(
    [
      ["{certificateKey: /k.pem}", "nginx.tls.certificate", "or write `tls: auto`"],
      ["auto, serverName: _", "nginx.serverName", "write the full names that point to the host"],
      [
        "auto, serverName: 'a.example.no *.example.no'",
        "nginx.serverName",
        "cannot be ordered with nginx.tls.auto: *.example.no",
      ],
      [
        "{auto: {}, certificate: /c.pem}, serverName: a.example.no",
        "nginx.tls.certificate",
        "contradicts nginx.tls.auto",
      ],
      [
        "{auto: {}, webroot: /var/www}, serverName: a.example.no",
        "nginx.tls.webroot",
        "contradicts nginx.tls.auto",
      ],
      [
        "{auto: {eabKeyId: k}}, serverName: a.example.no",
        "nginx.tls.auto.eabKeyId",
        "config set --secret acmeEabKey",
      ],
      [
        "{auto: {directory: 'http://ca.example.no'}}, serverName: a.example.no",
        "nginx.tls.auto.directory",
        "must be a URL with https://",
      ],
      ["letsencrypt, serverName: a.example.no", "nginx.tls", "must be a mapping, with keys such as auto"],
    ] as const
  ).map(([value, path, message]): BadFile => [key("nginx", `{tls: ${value}}`), path, message]),
  [set("base.sysctl", '{"vm.swappiness": true}'), "base.sysctl.vm.swappiness", "must be a number or a text"],
];

const ranges: BadFile[] = [
  ...each(
    "nginx.httpPort",
    "must be a whole number from 1 to 65535",
    "0",
    "65536",
    "-1",
    "80.5",
    "1e9",
    "99999999999999999999",
  ),
  ...each("nginx.workerProcesses", "must be a whole number from 1 to 256", "0", "257"),
  ...each("nginx.workerProcesses", 'must be "auto" or a whole number from 1 to 256', "all", '"4"', "~"),
  ...each("openfaas.queue.workers", "must be a whole number from 1 to 32", "0", "33"),
  ...each("openfaas.queue.maxInflight", "must be a whole number from 1 to 1000", "0", "1001"),
  ...each("openfaas.prometheusRetention", "must be a duration from 1h to 87600h", "5m", "999999h"),
  ...each("nginx.proxyConnectTimeout", "must be a duration from 1ms to 75s", "76s", "2m"),
  ...each("nginx.keepaliveTimeout", "must be a duration from 1ms to 24h", "25h", "99999999999999999999s"),
  ...each("docker.logMaxSize", "must be a size from 1k to 100g", "512", "101g"),
  ...each("openfaas.queue.maxBytes", "must be a size from 1m to 1024g", "1k", "99999999g"),
  ...each("docker.mtu", "must be a whole number from 576 to 9000", "500", "9001"),
  ...each("docker.logMaxFiles", "must be a whole number from 1 to 100", "0", "101"),
  ...each("preflight.minMemoryMiB", "must be a whole number from 256", "128", "2g"),
  ...each("preflight.minFsyncPerSecond", "must be a whole number from 0", "-1"),
  ...each("base.openFiles", "must be a whole number from 1024 to 1048576", "100", "0x200000"),
  ...each("nginx.backlog", "must be a whole number from 128 to 65535", "010", "1_000_000"),
  [key("checks", "[{path: /, status: 99}]"), "checks.0.status", "must be a whole number from 100 to 599"],
  [host(", dialTimeoutSeconds: 15"), "host.dialTimeoutSeconds", "must be a whole number from 1 to 14"],
  [host(", port: 70000"), "host.port", "must be a whole number from 1 to 65535"],
  [jump(", port: 0"), "host.jump.port", "must be a whole number from 1 to 65535"],
];

const networks: BadFile[] = [
  ...[
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.256/8",
    "10.0.0.0/08",
    "2001:db8::/129",
    "oslo/8",
    "10.0.0.0/8/8",
    '""',
    "1",
  ].map((value): BadFile => [set("firewall.swarmPeers", `[${value}]`), "firewall.swarmPeers.0", network]),
  [set("nginx.managementAllow", "[198.51.100.0/24, all]"), "nginx.managementAllow.1", network],
  [set("swarm.addressPool", "10.201.0.0"), "swarm.addressPool", network],
  [set("swarm.addressPool", "10.201.0.0/28"), "swarm.addressPool", "from /8 to /24"],
  [set("swarm.addressPool", '"fd00::/16"'), "swarm.addressPool", "must be an IPv4 network"],
  ...each("docker.bip", "an IPv4 address with a prefix", "192.168.127.1", "docker0", "1"),
  [set("docker.bip", "192.168.127.0/24"), "docker.bip", "must be an address inside of its network"],
  [set("docker.bip", "10.201.0.1/24"), "swarm.addressPool", "overlaps with docker.bip 10.201.0.1/24"],
  [
    set("docker.defaultAddressPools", "[{base: 10.213.0.0/16, size: 12}]"),
    "docker.defaultAddressPools.0.size",
    "is a wider network than 10.213.0.0/16",
  ],
  [
    set("docker.defaultAddressPools", "[{base: 10.201.8.0/21, size: 24}]"),
    "docker.defaultAddressPools.0.base",
    "overlaps with swarm.addressPool 10.201.0.0/16",
  ],
  [
    set("docker.defaultAddressPools", '[{base: "fd00::/16", size: 24}]'),
    "docker.defaultAddressPools.0.base",
    "must be IPv4",
  ],
  [
    set("preflight.allowReleases", "[Debian 14]"),
    "preflight.allowReleases.0",
    'a release such as "debian 14"',
  ],
  ...each("swarm.advertiseAddress", "must be an IP address or the name of an interface", '"eth 0"', "1"),
  ...each(
    "nginx.publicUrl",
    "must be a URL with http:// or https://",
    "faas.example.no",
    "ftp://a",
    '"http://"',
    "1",
  ),
  [
    set("nginx.publicUrl", "https://admin:hunter2@faas.example.no"),
    "nginx.publicUrl",
    "without a user or password",
  ],
  [set("docker.registryMirrors", "[mirror.example.no]"), "docker.registryMirrors.0", "must be a URL"],
  ...each(
    "docker.repository.uri",
    "must be a URL with http://, https:// or file://",
    "download.docker.com",
    "ssh://a",
  ),
];

const image = "must be an image reference";
const names: BadFile[] = [
  ...each(
    "images.gateway",
    image,
    '"a b"',
    "ghcr.io/openfaas/gateway",
    "OpenFaaS/gateway:1",
    '"gateway:"',
    "gateway@sha256:abc",
    "http://ghcr.io/a:1",
    '""',
    "1.25",
    `":${DIGEST}"`,
    "a//b:1",
  ),
  ...each("images.own", 'must be "build" or "registry"', "local"),
  ...each("images.functions", 'must be "own" or "loaded"', "build"),
  ...each("images.registry", "must be a registry such as", "https://registry.example.no", '"a b"', '""'),
  ...each("location.country", "must be a two-letter country code", "no", "Norge", "NOR", "47", "false", '""'),
  ...each("docker.repository.fingerprint", "40 hexadecimal digits", "0EBFCD88", '"9DC8 5822"'),
  ...each("docker.version", "must be a version as apt writes it", "latest", "24"),
  ...each("base.timezone", "must be a time zone", '"Europe Oslo"', "1"),
  ...each("nginx.user", "must be a user's name in lower case", "Nginx", "1user", '"www data"'),
  ...each("openfaas.user", "1 to 64 letters", '"a b"', '""', "ådmin"),
  [set("base.packages", "[Htop]"), "base.packages.0", "must be a package"],
  [set("base.packages", '["jq; rm -rf /"]'), "base.packages.0", "must be a package"],
  [set("base.sysctl", "{swappiness: 1}"), "base.sysctl.swappiness", "must be the name of a kernel setting"],
  [
    set("preflight.allowVirtualization", "[OpenVZ!]"),
    "preflight.allowVirtualization.0",
    "systemd-detect-virt",
  ],
  [
    key("functions", "[{stack: functions/stack.yml, only: [Hello]}]"),
    "functions.0.only.0",
    "must be a function's name",
  ],
  [key("checks", "[{path: function/hello}]"), "checks.0.path", "must be a path that starts with /"],
  [
    set("nginx.tls", "{certificate: cert.pem, certificateKey: /k.pem}"),
    "nginx.tls.certificate",
    "must be an absolute path",
  ],
  [
    set("docker.insecureRegistries", "[http://registry.lab]"),
    "docker.insecureRegistries.0",
    "without a scheme",
  ],
];

const withHost = (flow: string) => key("host", flow);
const hosts: BadFile[] = [
  [withHost(`{hostKey: "${KEY}"}`), "host.address", "is missing: must be a host name or an IP address"],
  ...[
    "root@198.51.100.7",
    "ssh://faas.example.no",
    "198.51.100.7:22",
    "300.1.1.1",
    "-a.example.no",
    '"a b"',
    '""',
    "1",
  ].map((value): BadFile => [
    withHost(`{address: ${value}, hostKey: "${KEY}"}`),
    "host.address",
    "must be a host name or an IP address, without user, port or scheme",
  ]),
  [withHost("{address: a.example.no}"), "host.hostKey", "is required: an unknown host is never trusted"],
  [
    withHost(`{address: a, hostKey: "${KEY}", hostKeyFile: k.pub}`),
    "host.hostKeyFile",
    "contradicts host.hostKey",
  ],
  ...[
    "SHA256:abc",
    "ssh-dss AAAAB3NzaC1kc3MAAACB",
    '"ssh-ed25519 !"',
    "AAAAC3NzaC1lZDI1NTE5",
    '"ssh-ed25519 AAAA"',
  ].map((value): BadFile => [
    withHost(`{address: a, hostKey: ${value}}`),
    "host.hostKey",
    "must be a public host key such as",
  ]),
  [host(", user: 0"), "host.user", "must be a user's name"],
  [host(', user: "root; id"'), "host.user", "must be a user's name"],
  [host(", jump: bastion"), "host.jump", "must be a mapping, with keys such as address, port"],
  [host(", jump: {address: b}"), "host.jump.hostKey", "is missing: must be a public host key"],
  [host(`, jump: {address: 198.51.100.7, hostKey: "${KEY}"}`), "host.jump.address", "is the host itself"],
  [host(", hostkey: x"), "host.hostkey", "unknown, did you mean host.hostKey?"],
];

const unknown: BadFile[] = [
  [set("nginx.keepAlive", "64"), "nginx.keepAlive", "unknown, did you mean nginx.keepalive?"],
  [set("ngnix.keepalive", "64"), "ngnix", "unknown, did you mean nginx?"],
  [set("varnish.size", "1"), "varnish", "unknown; known here: extends, production, location, host"],
  [key("keepalive", "64"), "keepalive", "unknown, did you mean nginx.keepalive?"],
  [set("openfaas.ackWait", "330s"), "openfaas.ackWait", "unknown, did you mean openfaas.queue.ackWait?"],
  [set("openfaas.queue.ackwait", "330s"), "openfaas.queue.ackwait", "did you mean openfaas.queue.ackWait?"],
  [key("checks", "[{path: /, statut: 2}]"), "checks.0.statut", "unknown, did you mean checks.0.status?"],
  [
    key("functions", "[{stack: functions/stack.yml, onyl: [a]}]"),
    "functions.0.onyl",
    "did you mean functions.0.only?",
  ],
  [set("docker.registryMirror", "[]"), "docker.registryMirror", "did you mean docker.registryMirrors?"],
  [set("location.toString", "x"), "location.toString", "unknown; known here: country, city, provider"],
  [set("location.constructor", "x"), "location.constructor", "unknown"],
  ["  oslo-fass:nginx: {keepalive: 64}\n", "oslo-fass:nginx", "unknown, did you mean oslo-faas:nginx?"],
  ["  oslo:nginx: {keepalive: 64}\n", "oslo:nginx", "unknown, did you mean oslo-faas:nginx?"],
  ["  oslo:ngnix: {keepalive: 64}\n", "oslo:ngnix", "unknown, did you mean oslo-faas:nginx?"],
  ["  oslo-fass:fuctions: []\n", "oslo-fass:fuctions", "unknown, did you mean oslo-faas:functions?"],
  [
    "  oslo-faas:nginx.keepalive: 64\n",
    "nginx.keepalive",
    "write keepalive under nginx, or set it with pulumi config set --path nginx.keepalive",
  ],
  ["  oslofaas:nginx: {keepalive: 64}\n", "oslofaas:nginx", "unknown, did you mean oslo-faas:nginx?"],
  [
    "  pulumi:disable-default-provider: [docker]\n",
    "pulumi:disable-default-provider",
    "did you mean pulumi:disable-default-providers?",
  ],
  ["  oslo-faas:nginx:keepalive: 64\n", "oslo-faas:nginx:keepalive", "NAMESPACE:NAME, with one colon"],
  ["  oslo-faas:nginx: {}\n  nginx: {}\n", "nginx", "is set twice"],
];

/** Plain texts in the clothes of secrets, of which some are base64 or have its letters. */
const wrapped = [
  "hunter2hunter2",
  "",
  "v1:hunter2:hunter2",
  "hunter2hunter2hunter2hunter2hunter2hunter2=",
  "hunter2hunter2hunter2hunter2hunter2hunter2hunter2!",
  "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  `v2:${CIPHER.slice(3)}`,
  `${CIPHER} `,
  CIPHER.slice(0, -3),
  CIPHER.replace("v1:", "v1:AAAA"),
  Buffer.from("a password in base64").toString("base64"),
];

const secrets: BadFile[] = [
  [
    key("gatewayPassword", "hunter2"),
    "gatewayPassword",
    "is a secret in plain text; set it with: pulumi config set --secret",
  ],
  [key("gatewayPassword", "{value: hunter2}"), "gatewayPassword", "is a secret in plain text"],
  [key("gatewayPassword", ""), "gatewayPassword", "is a secret in plain text"],
  [
    key("functionSecrets", "{api-key: hunter2}"),
    "functionSecrets.api-key",
    "is a secret in plain text; set it with: pulumi config set --secret --path functionSecrets.api-key",
  ],
  [
    key("functionSecrets", `{a b: {secure: "${CIPHER}"}}`),
    "functionSecrets.a b",
    "must be letters, digits, dashes, dots",
  ],
  ...each(
    "functionSecrets",
    "must be a mapping of names to secrets",
    "hunter2",
    "[a]",
    `{secure: "${CIPHER}"}`,
  ),
  ...wrapped.map((value): BadFile => [
    key("gatewayPassword", `{secure: "${value}"}`),
    "gatewayPassword",
    "was not encrypted by the engine, and so is a secret in plain text; set it with: pulumi config set --secret gatewayPassword",
  ]),
  ...wrapped
    .slice(0, 3)
    .map((value): BadFile => [
      key("functionSecrets", `{a: {secure: "${value}"}}`),
      "functionSecrets.a",
      "was not encrypted by the engine, and so is a secret in plain text; set it with: pulumi config set --secret --path functionSecrets.a",
    ]),
  [key("gatewayPassword", "{secure: 12345678}"), "gatewayPassword", "is a secret in plain text"],
  [key("gatewayPassword", `{secure: "${CIPHER}", also: 1}`), "gatewayPassword", "is a secret in plain text"],
  [
    key("functionSecrets", "{api.key: hunter2}"),
    "functionSecrets.api.key",
    "pulumi config set --secret --path 'functionSecrets[\"api.key\"]'",
  ],
  [
    key("registryAuth", "{registry.example.no: user:hunter2}"),
    "registryAuth.registry.example.no",
    "is a secret in plain text; set it with: pulumi config set --secret --path 'registryAuth[\"registry.example.no\"]'",
  ],
  ...[
    "https://registry.example.no",
    "registry.example.no/path",
    "registry",
    "Registry.example.no",
    "a.no:port",
  ].map((name): BadFile => [
    key("registryAuth", `{"${name}": {secure: "v1:x"}}`),
    `registryAuth.${name}`,
    "must be a registry: a host in lower case such as",
  ]),
  ...each(
    "registryAuth",
    "must be a mapping of registries to user:password, each set with",
    "user:hunter2",
    "[a]",
    '{secure: "v1:x"}',
  ),
  [key("registryauth", "{}"), "registryauth", "unknown, did you mean registryAuth?"],
  [
    key("gatewaypassword", "hunter2"),
    "gatewaypassword",
    "unknown, did you mean gatewayPassword?; if it is a secret",
  ],
  [
    set("openfaas.gatewayPassword", "hunter2"),
    "openfaas.gatewayPassword",
    "unknown, did you mean gatewayPassword?",
  ],
  [set("openfaas.password", "hunter2"), "openfaas.password", "secrets are top-level keys of their own"],
  [host(", password: hunter2"), "host.password", "secrets are top-level keys of their own"],
  [
    set("openfaas.user", "{secure: v1:hunter2}"),
    "openfaas.user",
    "contains a secret, which is not read here",
  ],
  [
    set("openfaas.queue", "{secure: v1:hunter2}"),
    "openfaas.queue",
    "contains a secret, which is not read here",
  ],
  [
    set("base.packages", "[{secure: v1:hunter2}]"),
    "base.packages.0",
    "contains a secret, which is not read here",
  ],
  [key("nginx", "{secure: v1:hunter2}"), "nginx", "contains a secret, which is not read here"],
  [
    host(', privateKeyPath: "-----BEGIN OPENSSH PRIVATE KEY-----\\nhunter2"'),
    "host.privateKeyPath",
    "[a private key, not shown]: must be a path",
  ],
];

const contradictions: BadFile[] = [
  ...each(
    "nginx.proxyReadTimeout",
    "is below openfaas.readTimeout 295s: Nginx would give up",
    "60s",
    "4m",
    "294s",
    "500ms",
  ),
  ...each("nginx.proxySendTimeout", "is below openfaas.readTimeout 295s: Nginx would give up", "60s"),
  ...each("openfaas.readTimeout", "is below openfaas.upstreamTimeout 290s: the gateway would give up", "60s"),
  ...each(
    "openfaas.writeTimeout",
    "is below openfaas.upstreamTimeout 290s: the gateway would give up",
    "60s",
  ),
  ...each(
    "openfaas.queue.ackWait",
    "must be more than openfaas.upstreamTimeout 290s plus 38s for the callback: a long call would be delivered twice",
    "30s",
    "290s",
    "328s",
  ),
  ...each("nginx.httpPort", "is used by two listeners: openfaas.gatewayPort has 8080 too", "8080"),
  ...each("openfaas.gatewayPort", "is used by two listeners: the swarm's management has 2377 too", "2377"),
  ...each("nginx.httpPort", "is used by two listeners: the swarm's gossip has 7946 too", "7946"),
  [
    key("nginx", "{httpPort: 443, tls: {certificate: /c, certificateKey: /k}}"),
    "nginx.httpsPort",
    "nginx.httpPort has 443 too",
  ],
  [
    key("nginx", "{keepalive: 512, workerConnections: 512}"),
    "nginx.keepalive",
    "must be below nginx.workerConnections 512",
  ],
  [key("nginx", "{workerConnections: 100000}"), "nginx.workerConnections", "is above base.openFiles 65536"],
  [
    key("docker", '{source: distro, version: "20.10"}'),
    "docker.version",
    'contradicts docker.source "distro"',
  ],
];

const twice: BadFile[] = [
  [
    key("functions", "[{stack: a.yml}, {stack: b.yml}, {stack: a.yml}]"),
    "functions.2.stack",
    "repeats functions.0",
  ],
  [
    key("functions", "[{stack: a.yml, only: [hello, hello]}]"),
    "functions.0.only.1",
    "repeats functions.0.only.0",
  ],
  [key("checks", "[{path: /a}, {path: /a, status: 404}]"), "checks.1.path", "repeats checks.0"],
  [set("base.packages", "[htop, htop]"), "base.packages.1", "repeats "],
  [set("firewall.swarmPeers", "[10.0.0.0/8, 10.0.0.0/8]"), "firewall.swarmPeers.1", "repeats "],
  [set("nginx.managementAllow", "[10.0.0.0/8, 10.0.0.0/8]"), "nginx.managementAllow.1", "repeats "],
  [set("docker.insecureRegistries", '["a:1", "a:1"]'), "docker.insecureRegistries.1", "repeats "],
];

const bases: BadFile[] = [
  [key("extends", "stacks/nowhere.yaml"), "extends", "does not exist"],
  [key("extends", "stacks"), "extends", "cannot be read"],
  [key("extends", "[stacks/base.yaml]"), "extends", "must be a path of a YAML file"],
  [key("extends", "1"), "extends", "must be a path of a YAML file"],
];

/** Those that name a path under `config:`. */
export const BAD_FILES: BadFile[] = [
  ...types,
  ...ranges,
  ...networks,
  ...names,
  ...hosts,
  ...unknown,
  ...secrets,
  ...contradictions,
  ...twice,
  ...hostile,
  ...hooks,
  ...odd,
  ...bases,
];

/** Whole texts that are wrong before any key is read, and a part of the message. */
export const BROKEN_FILES: [text: string, message: string][] = [
  ["- config\n", "must be a mapping with the key `config`"],
  ["config\n", "must be a mapping with the key `config`"],
  ["config:\n  - oslo-faas:host\n", "config: must be a mapping"],
  ["config: 1\n", "config: must be a mapping"],
  ["confg:\n  a: 1\n", "confg: unknown, did you mean config?"],
  ["config: {}\noslo-faas:nginx: {}\n", "oslo-faas:nginx: belongs under config:"],
  ["config:\n  oslo-faas:nginx: [\n", "line 3: "],
  ["config:\n\toslo-faas:nginx: {}\n", "line 2: "],
  ["config:\n  oslo-faas:nginx: {keepalive: 1, keepalive: 2}\n", "line 2: Map keys must be unique"],
  ["config:\n  oslo-faas:nginx: {}\n  oslo-faas:nginx: {}\n", "line 3: Map keys must be unique"],
  ["config: {}\nconfig: {}\n", "line 2: Map keys must be unique"],
  ["config: {}\n---\nconfig: {}\n", "multiple documents"],
  ["config:\n  oslo-faas:nginx: {keepalive: .nan}\n", "line 2: .nan is not a number that can be kept"],
  ["config:\n  oslo-faas:nginx: {keepalive: -.inf}\n", "line 2: -.inf is not a number"],
  ["config:\n  oslo-faas:nginx: {keepalive: 1e999}\n", "line 2: 1e999 is not a number"],
  [
    "config:\n  oslo-faas:location: {city: 2026-11-23}\n",
    "line 2: 2026-11-23 is a date in YAML; write it in quotes",
  ],
  ["config:\n  oslo-faas:nginx: *nothing\n", "Unresolved alias"],
  ["config:\n  oslo-faas:nginx: &a [*a]\n", "cannot be read as YAML"],
  ["config:\n  oslo-faas:nginx: !!js/function x\n", "line 2: Unresolved tag"],
  ["config:\n  oslo-faas:nginx: {? [a, b] : 1}\n", "line 2: "],
  ['config:\n  oslo-faas:location: {city: "Oslo}\n', "line "],
  [`config: ${"[".repeat(20000)}\n`, ""],
  [
    `config:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n${Array.from({ length: 12 }, (_, i) => {
      const before = i === 0 ? "a" : `b${i - 1}`;
      return `  b${i}: &b${i} [${Array(10).fill(`*${before}`).join(",")}]\n`;
    }).join("")}`,
    "cannot be read as YAML: Excessive alias count",
  ],
];

/** Stack files near to what a host refuses, keys that no terminal is to see, and what is right all the same. */
import { type BadFile, CIPHER, KEY, each, host, key, mail, set, network } from "./writing";

/** What nothing here minds at first, and what a host refuses: nft, Nginx, dockerd, apt, the kernel, ssh, Alertmanager. */
const inside = (network: string) => `is an address inside of ${network}: write that network`;
export const hostile: BadFile[] = [
  [set("firewall.swarmPeers", '["fe80::1%eth0/64"]'), "firewall.swarmPeers.0", network],
  [set("firewall.swarmPeers", "[10.0.0.5/8]"), "firewall.swarmPeers.0", inside("10.0.0.0/8")],
  [set("firewall.swarmPeers", '["2001:db8::1/32"]'), "firewall.swarmPeers.0", inside("2001:db8::/32")],
  [set("nginx.managementAllow", "[192.0.2.1/24]"), "nginx.managementAllow.0", inside("192.0.2.0/24")],
  [set("swarm.addressPool", "10.201.0.5/16"), "swarm.addressPool", inside("10.201.0.0/16")],
  [set("swarm.addressPool", "127.0.0.0/8"), "swarm.addressPool", "has no addresses for containers"],
  [set("swarm.addressPool", "224.0.0.0/8"), "swarm.addressPool", "has no addresses for containers"],
  [
    set("firewall.swarmPeers", "[10.0.0.0/8, 10.1.0.0/16]"),
    "firewall.swarmPeers.1",
    "overlaps with firewall.swarmPeers.0 10.0.0.0/8",
  ],
  [
    set("firewall.swarmPeers", '["2001:db8:1::/48", 10.0.0.0/8, "2001:db8::/32"]'),
    "firewall.swarmPeers.2",
    "overlaps with firewall.swarmPeers.0",
  ],
  [
    set("firewall.containersReach", "[10.0.0.0/8, 10.1.0.0/16]"),
    "firewall.containersReach.1",
    "overlaps with firewall.containersReach.0 10.0.0.0/8",
  ],
  [
    set("alerts.webhook.url", "http://10.1.2.3:9000/hook"),
    "alerts.webhook.url",
    "is a private address that firewall.containersReach lacks: add 10.1.2.3/32 there",
  ],
  [
    set("openfaas.scaleFromZero", "false"),
    "openfaas.scaleFromZero",
    "cannot be false: the gateway would call",
  ],
  [
    set("openfaas", "{ edge: false, access: internal }"),
    "openfaas.access",
    'cannot be "internal" with openfaas.edge false',
  ],
  ...each(
    "swarm.advertiseAddress",
    "must be an IP address or the name of an interface",
    "300.1.1.1",
    "10.0.0.1:2377",
    '"fe80::1%eth0"',
    "an-interface-of-many-letters",
  ),
  [
    host(", port: 22").replace("198.51.100.7", '"fe80::1%eth0"'),
    "host.address",
    "must be a host name or an IP",
  ],
  ...each("images.registry", "has the port 99999", "r:99999", "registry.example.no:99999/mirror"),
  ...each("images.registry", "must begin with a name with a dot or a port", "mirror", "registry/mirror"),
  ...each(
    "images.registry",
    "must be a registry such as",
    "a..b:5000",
    "registry.example.no/-a",
    "a.no/x/../y",
  ),
  [set("images.gateway", "registry.lab:99999/gateway:1"), "images.gateway", "has the port 99999"],
  ...["registry.lab:99999", "registry.lab:0"].map((value): BadFile => [
    set("docker.insecureRegistries", `["${value}"]`),
    "docker.insecureRegistries.0",
    "must be from 1 to 65535",
  ]),
  ...["10.0.0.0/33", "registry.lab/5", "a..b", "a:b:c"].map((value): BadFile => [
    set("docker.insecureRegistries", `["${value}"]`),
    "docker.insecureRegistries.0",
    "must be a registry such as",
  ]),
  [set("docker.insecureRegistries", "[10.0.0.5/8]"), "docker.insecureRegistries.0", inside("10.0.0.0/8")],
  [
    set("docker.registryMirrors", '["https://mirror.example.no/?a=1"]'),
    "docker.registryMirrors.0",
    "has a query or a fragment",
  ],
  [set("nginx.publicUrl", "https://faas.example.no/#top"), "nginx.publicUrl", "has a query or a fragment"],
  [set("docker.repository.uri", '"https://mirror.example.no/[a]"'), "docker.repository.uri", "must be a URL"],
  [
    set("docker.repository.uri", "http://mirror.example.no/docker"),
    "docker.repository.uri",
    "needs docker.repository.keyUrl, with https:// or file:///",
  ],
  ...each(
    "docker.repository.keyUrl",
    "must be a URL with https:// or file:///",
    "http://mirror.example.no/gpg",
    "file://gpg",
  ),
  ...each("base.timezone", 'did you mean "Europe/Oslo"?', "europe/oslo", "Europe/Olso"),
  [set("base.timezone", "Mars/Olympus"), "base.timezone", "must be a time zone such as"],
  [
    set("base.sysctl", '{"net.*.rp_filter": 1}'),
    "base.sysctl.net.*.rp_filter",
    "must be the name of a kernel",
  ],
  [set("base.sysctl", '{"vm.swappiness": 1.5}'), "base.sysctl.vm.swappiness", "a number is whole"],
  [set("base.packages", "[docker.io]"), "base.packages.0", "belongs to the engine: see docker.source"],
  [set("base.packages", '[jq, "jq=1.5-1"]'), "base.packages.1", "repeats base.packages.0"],
  [set("location.city", '"a\\u001bb"'), "location.city", "must be a text on one line"],
  ...each("nginx.httpPort", "is used by two listeners: host.port has 22 too", "22"),
  ...each("openfaas.gatewayPort", "is used by two listeners: host.port has 22 too", "22"),
  [
    `${host(", port: 2022")}${set("nginx.httpPort", "2022")}`,
    "nginx.httpPort",
    "is used by two listeners: host.port has 2022 too",
  ],
  [
    `${host(", port: 2022")}${set("nginx.httpPort", "22")}`,
    "nginx.httpPort",
    "is used by two listeners: the host's SSH server has 22 too",
  ],
  ...['"a #b"', "a..b", "a.*.b", '"\\"a"', "'*.a.*'", "$host"].map((value): BadFile => [
    set("nginx.serverName", value),
    "nginx.serverName",
    "which cannot be a server name",
  ]),
  ...["/etc/$x.pem", '"/etc/a\\"b"', "/etc/ssl/", "/etc/a'b"].map((value): BadFile => [
    set("nginx.tls", `{certificate: ${value}, certificateKey: /k.pem}`),
    "nginx.tls.certificate",
    "must be an absolute path on the host",
  ]),
  ...['"../keys/my key"', "keys/100%h", "~root/.ssh/id", "$HOME/.ssh/id"].map((value): BadFile => [
    host(`, privateKeyPath: ${value}`),
    "host.privateKeyPath",
    "must be a path relative to the project, or to ~/, of letters, digits",
  ]),
  [
    `  oslo-faas:host: {address: a, hostKey: "${KEY.replace("ssh-ed25519", "ssh-rsa")}"}\n`,
    "host.hostKey",
    "must be a public host key such as",
  ],
  [key("checks", '[{path: "/a\\u0000b"}]'), "checks.0.path", "must be a path that starts with /"],
  ...["a..b:25", "smtp.example.no", "-a:25"].map((value): BadFile => [
    mail(`smarthost: "${value}"`),
    "alerts.email.smarthost",
    "must be a mail server and its port",
  ]),
  [mail("smarthost: smtp.example.no:99999"), "alerts.email.smarthost", "has the port 99999"],
  [mail("smarthost: smtp.example.no:0"), "alerts.email.smarthost", "has the port 0"],
  ...["a..b@example.no", "a@b_c", "a(b@example.no", "a@.no"].map((value): BadFile => [
    mail(`from: ${value}`),
    "alerts.email.from",
    "must be a mail address",
  ]),
  [mail("username: faas"), "alerts.email.username", "needs a password"],
];

/** URLs that are as good as a password, and what is not to be seen of them. */
export const hooks: BadFile[] = [
  [
    "https://hooks.example.no/T/?token=hunter2",
    "contains the parameter token; set the whole URL as the secret",
  ],
  ["https://hooks.example.no/a?x=1&Api_Key=hunter2", "contains the parameter Api_Key"],
  ["https://hooks.example.no/a?sig=hunter2#b", "contains the parameter sig"],
  ["https://hooks.example.no/services/T012AB3CD/hunter2hunter2hunter2", "contains a possible token"],
  ["https://hooks.example.no/0f8fad5b-d9cb-469f-a165-70867728950e", "contains a possible token"],
  ["https://ops:hunter2@hooks.example.no/", "without a user or password"],
].map(([url, message]): BadFile => [
  key("alerts", `{webhook: {url: "${url}"}}`),
  "alerts.webhook.url",
  message!,
]);

/** Keys as nobody writes them: on one line all the same, cut, and without what a terminal obeys. */
const long = "k".repeat(500);
export const odd: BadFile[] = [
  [set("nginx", '{"a\\nb": 1}'), "nginx.a\\u000ab", "unknown; known here"],
  [set("nginx", '{"\\u001b[31mred": 1}'), "nginx.\\u001b[31mred", "unknown"],
  [set("nginx", '{"\\u202eab": 1}'), "nginx.\\u202eab", "unknown"],
  [set("nginx", `{${long}: 1}`), `nginx.${"k".repeat(60)}…`, "unknown"],
  ['  "oslo-faas:a\\nb": {}\n', "a\\u000ab", "unknown"],
  ['  "oslo-fass:a\\nb": {}\n', "oslo-fass:a\\u000ab", "did you mean oslo-faas:a\\u000ab?"],
  [
    key("functionSecrets", `{"a\\nb": {secure: "${CIPHER}"}}`),
    "functionSecrets.a\\u000ab",
    "must be letters",
  ],
  [
    key("openfaas", '{"x\\u009bm": {secure: "y"}}'),
    "openfaas.x\\u009bm",
    "contains a secret, which is not read here",
  ],
  [set("nginx.user", '"\\u009b31m"'), "nginx.user", '"\\u009b31m": must be a user'],
  [
    "  pulumi:disable-default-providers: docker\n",
    "pulumi:disable-default-providers",
    "must be a list of providers' names",
  ],
  ["  docker:a:b: x\n", "docker:a:b", "a key is NAMESPACE:NAME, with one colon"],
  ['  ":b": x\n', ":b", "a key is NAMESPACE:NAME, with one colon"],
  ["  nginx: {keepalive: 64}\n", "nginx", "has no namespace; write oslo-faas:nginx"],
];

/** What hosts take, near to what they do not: each is right under `config:`. */
export const RIGHT: string[] = [
  "  docker:config:host: x\n  aws:region: y\n",
  "  pulumi:disable-default-providers: '[\"*\"]'\n",
  '  oslo-faas:firewall: {swarmPeers: [10.0.0.0/16, 10.1.0.0/16, "2001:db8::/32", "::ffff:10.0.0.0/104", 192.0.2.1/32]}\n',
  '  oslo-faas:swarm: {advertiseAddress: "2001:db8::1", addressPool: 172.16.0.0/12}\n',
  "  oslo-faas:swarm: {advertiseAddress: eth0.100}\n",
  '  oslo-faas:nginx: {serverName: "faas.example.no *.example.no .example.org www.example.* _ [2001:db8::1] 192.0.2.1 ~^a\\\\d+$ blåbær.no"}\n',
  "  oslo-faas:nginx: {publicUrl: https://example.no/faas, httpsPort: 22}\n",
  '  oslo-faas:images: {registry: "localhost/mirror", gateway: "registry.lab:65535/openfaas/gateway:1"}\n',
  '  oslo-faas:docker: {insecureRegistries: ["registry.lab:5000", 10.0.0.0/8, registry, 192.0.2.1:5000], registryMirrors: ["https://mirror.example.no/v2/"]}\n',
  '  oslo-faas:docker: {repository: {uri: "http://mirror.example.no/docker", keyUrl: "file:///etc/docker.gpg"}}\n',
  '  oslo-faas:docker: {source: distro, repository: {uri: "http://mirror.example.no/docker"}}\n',
  ...["UTC", "Etc/UTC", "Europe/Kyiv", "Europe/Kiev", "America/Argentina/Buenos_Aires", "Etc/GMT+1"].map(
    (zone) => `  oslo-faas:base: {timezone: ${zone}}\n`,
  ),
  '  oslo-faas:base: {sysctl: {"net.ipv4.conf.eth0/100.rp_filter": 1, "kernel.core_pattern": "|/bin/false %p"}, packages: [jq, "htop>=3"]}\n',
  "  oslo-faas:location: {city: Mo i Rana, provider: Blåbær}\n",
  '  oslo-faas:alerts: {webhook: {url: "https://alerts.example.no/hooks/alertmanager-of-oslo-prod?room=ops"}}\n',
  `  oslo-faas:alertSmtpPassword: {secure: "${CIPHER}"}\n  oslo-faas:alerts: {email: {to: [a.b+c@example.no], from: a@localhost, smarthost: "192.0.2.1:25", username: faas}}\n`,
  `  oslo-faas:host: {address: "2001:db8::", hostKey: "${KEY} root@host (prod)", privateKeyPath: ~/.ssh/oslo-prod_ed25519}\n`,
];

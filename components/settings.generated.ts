/**
 * What components take from people, with the descriptions, defaults and examples of an environment's schema.
 * Made by `npm run env -- generate` out of environment; edit there.
 */
import type * as pulumi from "@pulumi/pulumi";

/** Where the data is. It becomes labels of the node, the services and the functions, an output of the stack, and what policies judge. */
export interface LocationSettings {
  /**
   * Country the host stands in (ISO 3166).
   * Allowed: a two-letter country code in capitals (ISO 3166), such as "NO". Default: "NO".
   */
  country?: pulumi.Input<string>;
  /**
   * City the host stands in.
   * Allowed: a text on one line. Default: "Oslo".
   */
  city?: pulumi.Input<string>;
  /**
   * Who runs the hardware.
   * Allowed: a text on one line. Default: "self-hosted". Example: "example-hosting".
   */
  provider?: pulumi.Input<string>;
}

/** The host to provision, and how it is reached. */
export interface HostSettings {
  /**
   * Name or address of the host to provision.
   * Allowed: a host name or an IP address, without user, port or scheme. Example: "faas.example.no".
   */
  address: pulumi.Input<string>;
  /**
   * Its SSH port.
   * Allowed: 1 to 65535. Default: 22.
   */
  port?: pulumi.Input<number>;
  /**
   * Who logs in; one who is not root needs sudo without a password.
   * Allowed: a user's name. Default: "root". Example: "ops". Known when the program runs, not an Output: it decides which resources there are.
   */
  user?: string;
  /**
   * The host's public key, pinned: any other key is refused. This or hostKeyFile is required; `npx oslo-faas env new` fetches it.
   * Allowed: a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub). Example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ".
   */
  hostKey?: pulumi.Input<string>;
  /**
   * A file with that key instead, relative to the project.
   * Allowed: a path relative to the project. Example: ".cache/lab/ssh/host_ed25519.pub".
   */
  hostKeyFile?: pulumi.Input<string>;
  /**
   * Private key to log in with, relative to the project. Default: the SSH agent (SSH_AUTH_SOCK).
   * Allowed: a path relative to the project, or to ~/, of letters, digits and ._/+@:=,-. Example: "../keys/oslo-prod".
   */
  privateKeyPath?: pulumi.Input<string>;
  /**
   * A host to connect through. Default: none.
   */
  jump?: pulumi.Input<HostJumpSettings>;
  /**
   * Time until an unreachable host is given up.
   * Unit: seconds. Allowed: 1 to 14. Default: 10.
   */
  dialTimeoutSeconds?: pulumi.Input<number>;
}

/** A host to connect through. Default: none. */
export interface HostJumpSettings {
  /**
   * Name or address of the jump host.
   * Allowed: a host name or an IP address, without user, port or scheme. Example: "bastion.example.no".
   */
  address: pulumi.Input<string>;
  /**
   * Its SSH port.
   * Allowed: 1 to 65535. Default: 22.
   */
  port?: pulumi.Input<number>;
  /**
   * The user there.
   * Allowed: a user's name. Default: "root".
   */
  user?: pulumi.Input<string>;
  /**
   * Its public host key; any other key is refused.
   * Allowed: a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub). Example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ".
   */
  hostKey: pulumi.Input<string>;
  /**
   * Private key for it, relative to the project. Default: as for the host.
   * Allowed: a path relative to the project, or to ~/, of letters, digits and ._/+@:=,-. Example: "../keys/bastion".
   */
  privateKeyPath?: pulumi.Input<string>;
}

/** What a host has to be before anything is changed on it. */
export interface PreflightSettings {
  /**
   * Container virtualization to accept, as systemd-detect-virt names it ("docker", "lxc"). Refused by default: a swarm needs a kernel of its own.
   * Default: []. Example: ["lxc"].
   */
  allowVirtualization?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Least memory of the host.
   * Unit: MiB. Allowed: 256 to 16777216. Default: 1800.
   */
  minMemoryMiB?: pulumi.Input<number>;
  /**
   * Least free disk under /var/lib before the first up.
   * Unit: MiB. Allowed: 1024 to 1073741824. Default: 10240.
   */
  minDiskMiB?: pulumi.Input<number>;
  /**
   * Least rate of synchronous 4 KiB writes under /var/lib (a durable queue cannot be faster). 0: do not measure.
   * Unit: per second. Allowed: 0 to 10000000. Default: 100.
   */
  minFsyncPerSecond?: pulumi.Input<number>;
}

/** Packages and settings of the host itself. */
export interface BaseSettings {
  /**
   * Further packages to install.
   * Default: []. Example: ["htop","jq>=1.5"].
   */
  packages?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Time zone of the host.
   * Allowed: a time zone such as "Europe/Oslo". Default: "Europe/Oslo".
   */
  timezone?: pulumi.Input<string>;
  /**
   * Kernel settings beside the tuned ones, or in their place.
   * Default: {}. Example: {"vm.swappiness":10}.
   */
  sysctl?: pulumi.Input<{ [name: string]: pulumi.Input<string | number> }>;
  /**
   * Limit of open files of Nginx and of containers.
   * Unit: files. Allowed: 1024 to 1048576. Default: 65536.
   */
  openFiles?: pulumi.Input<number>;
}

/** What is reachable from outside the host. */
export interface FirewallSettings {
  /**
   * Keep the gateway's and the swarm's ports unreachable from outside the host.
   * Default: true. Known when the program runs, not an Output: it decides which resources there are.
   */
  enabled?: boolean;
  /**
   * Networks of the other nodes, which may reach the swarm's ports (2377, 7946, 4789).
   * Default: []. Example: ["198.51.100.0/24"].
   */
  swarmPeers?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Private networks that functions and the platform's services may call (a database, a mail server, a callback). All others are closed to them, the internet is not.
   * Default: []. Example: ["10.20.0.0/24"].
   */
  containersReach?: pulumi.Input<pulumi.Input<string>[]>;
}

/** The container engine. */
export interface DockerSettings {
  /**
   * Where the engine comes from: Docker's own apt repository (docker-ce) or the distribution (docker.io).
   * Allowed: "docker" or "distro". Default: "docker". Known when the program runs, not an Output: it decides which resources there are.
   */
  source?: "docker" | "distro";
  /**
   * Docker's apt repository, for source docker.
   */
  repository?: pulumi.Input<DockerRepositorySettings>;
  /**
   * Version of docker-ce, as apt writes it; held. Default: the newest that the repository has for the host's release.
   * Allowed: a version as apt writes it, such as "5:24.0.2-1~ubuntu.18.04~bionic". Example: "5:24.0.2-1~ubuntu.18.04~bionic".
   */
  version?: pulumi.Input<string>;
  /**
   * Mirrors of Docker Hub.
   * Default: []. Example: ["https://mirror.example.no"].
   */
  registryMirrors?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Registries spoken to without TLS: for a lab.
   * Default: []. Example: ["registry.lab:5000"].
   */
  insecureRegistries?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * A container's log is rotated at this size.
   * Allowed: a size from 1k to 100g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "10m".
   */
  logMaxSize?: pulumi.Input<string>;
  /**
   * Rotated log files kept per container.
   * Unit: files. Allowed: 1 to 100. Default: 3.
   */
  logMaxFiles?: pulumi.Input<number>;
  /**
   * MTU of the engine's networks. Default: the engine's (1500).
   * Unit: bytes. Allowed: 576 to 9000. Example: 1400.
   */
  mtu?: pulumi.Input<number>;
}

/** Docker's apt repository, for source docker. */
export interface DockerRepositorySettings {
  /**
   * Docker's apt repository; the distribution's name is appended. A mirror for an air-gapped site.
   * Allowed: a URL with http://, https:// or file://, without a user or password in it. Default: "https://download.docker.com/linux". Example: "https://mirror.example.no/docker".
   */
  uri?: pulumi.Input<string>;
  /**
   * Where its key is. Default: <uri>/<distribution>/gpg. Required where uri is http://.
   * Allowed: a URL with https:// or file:///, without a user or password in it. Example: "https://mirror.example.no/docker/gpg".
   */
  keyUrl?: pulumi.Input<string>;
  /**
   * Full fingerprint of that key; a key with another one is refused before anything is installed.
   * Allowed: a full fingerprint of 40 hexadecimal digits. Default: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88".
   */
  fingerprint?: pulumi.Input<string>;
}

/** The swarm that services run in. */
export interface SwarmSettings {
  /**
   * Address or interface the node is known by in the swarm. Default: that of the default route.
   * Allowed: an IP address or the name of an interface. Example: "eth1".
   */
  advertiseAddress?: pulumi.Input<string>;
  /**
   * Networks of the overlay come out of this IPv4 range, /24 each.
   * Allowed: a network such as "10.0.0.0/8" or "2001:db8::/32". Default: "10.201.0.0/16".
   */
  addressPool?: pulumi.Input<string>;
}

/** The images of the platform, and where they come from. */
export interface ImagesSettings {
  /**
   * Registry (and path) that stands in for every image's own: an air-gapped site's mirror. Default: none.
   * Allowed: a registry such as "registry.example.no:5000", without a scheme. Example: "registry.example.no/mirror".
   */
  registry?: pulumi.Input<string>;
  /**
   * File that holds the digest of each image, relative to the project; written by `npx oslo-faas images lock`.
   * Allowed: a path relative to the project. Default: "stacks/images.lock.json".
   */
  lock?: pulumi.Input<string>;
  /**
   * Where this project's own images come from, the Swarm provider's, the queue worker's and those of functions with a handler: built by the host's engine, or a registry.
   * Allowed: "build" or "registry". Default: "build".
   */
  own?: pulumi.Input<"build" | "registry">;
  /**
   * Where functions with a handler have their images from: as `own` says, or loaded onto the host from a developer's engine by `npx oslo-faas functions build --load`.
   * Allowed: "own" or "loaded". Default: "own".
   */
  functions?: pulumi.Input<"own" | "loaded">;
  /**
   * Base of the Swarm provider's and the queue worker's image, and of functions with `lang: node` where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "node:22-bookworm-slim".
   */
  node?: pulumi.Input<string>;
  /**
   * Base of functions with `lang: python` where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "python:3.13-slim-bookworm".
   */
  python?: pulumi.Input<string>;
  /**
   * What functions with `lang: go` are compiled in where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "golang:1.26-bookworm".
   */
  go?: pulumi.Input<string>;
  /**
   * OpenFaaS gateway.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/openfaas/gateway:0.25.4".
   */
  gateway?: pulumi.Input<string>;
  /**
   * Its basic-auth plugin.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/openfaas/basic-auth:0.25.4".
   */
  basicAuth?: pulumi.Input<string>;
  /**
   * HAProxy, which calls functions in the gateway's place where `openfaas.edge` is true.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "haproxy:3.0.11".
   */
  edge?: pulumi.Input<string>;
  /**
   * Queue worker and exporter of this project.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/oslo-faas/queue:0.1.0".
   */
  queueWorker?: pulumi.Input<string>;
  /**
   * NATS Streaming.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "nats-streaming:0.25.6".
   */
  natsStreaming?: pulumi.Input<string>;
  /**
   * Prometheus.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "prom/prometheus:v2.42.0".
   */
  prometheus?: pulumi.Input<string>;
  /**
   * Alertmanager.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "prom/alertmanager:v0.25.0".
   */
  alertmanager?: pulumi.Input<string>;
  /**
   * The Swarm provider of this project.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/oslo-faas/swarm-provider:0.1.0".
   */
  swarmProvider?: pulumi.Input<string>;
}

/** Gateway, queue and metrics of OpenFaaS. */
export interface OpenFaaSSettings {
  /**
   * User of the gateway's management API.
   * Allowed: 1 to 64 letters, digits, dots, dashes or underscores. Default: "admin".
   */
  user?: pulumi.Input<string>;
  /**
   * The gateway's port on the host; closed from outside.
   * Allowed: 1 to 65535. Default: 8080.
   */
  gatewayPort?: pulumi.Input<number>;
  /**
   * The gateway's read_timeout.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "295s".
   */
  readTimeout?: pulumi.Input<string>;
  /**
   * The gateway's write_timeout.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "295s".
   */
  writeTimeout?: pulumi.Input<string>;
  /**
   * The longest a function may take (upstream_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "290s".
   */
  upstreamTimeout?: pulumi.Input<string>;
  /**
   * A call wakes a function that has no replica. Always true: without it the gateway calls any name or address that a path holds.
   * Default: true.
   */
  scaleFromZero?: pulumi.Input<boolean>;
  /**
   * Calls from outside go straight to a function's replicas, through HAProxy, and to the gateway where none is ready. `false`: all of them go through the gateway.
   * Default: true.
   */
  edge?: pulumi.Input<boolean>;
  /**
   * The queue of asynchronous calls.
   */
  queue?: OpenFaaSQueueSettings;
  /**
   * How long Prometheus keeps what it measured.
   * Allowed: a duration from 1h to 87600h, such as "300s", "5m" or "500ms". Default: "360h".
   */
  prometheusRetention?: pulumi.Input<string>;
}

/** The queue of asynchronous calls. */
export interface OpenFaaSQueueSettings {
  /**
   * Time until an unacknowledged call is delivered again; above the longest function and its callback.
   * Allowed: a duration from 1s to 24h, such as "300s", "5m" or "500ms". Default: "390s".
   */
  ackWait?: pulumi.Input<string>;
  /**
   * Calls one worker has under way at once.
   * Unit: calls. Allowed: 1 to 1000. Default: 8.
   */
  maxInflight?: pulumi.Input<number>;
  /**
   * Replicas of the queue worker.
   * Unit: replicas. Allowed: 1 to 32. Default: 1.
   */
  workers?: pulumi.Input<number>;
  /**
   * What becomes of a call that failed.
   */
  retry?: pulumi.Input<OpenFaaSQueueRetrySettings>;
  /**
   * Largest body of an asynchronous call. A larger one is answered with 413.
   * Allowed: a size from 1k to 48m, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "10m".
   */
  maxBody?: pulumi.Input<string>;
  /**
   * Size of the queue's log on disk, answered calls included; beyond it the oldest are dropped, waiting ones too.
   * Allowed: a size from 1m to 1024g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "1g".
   */
  maxBytes?: pulumi.Input<string>;
  /**
   * Leave the queue's volume on the host when the stack is destroyed.
   * Default: true. Known when the program runs, not an Output: it decides which resources there are.
   */
  keepOnDestroy?: boolean;
}

/** What becomes of a call that failed. */
export interface OpenFaaSQueueRetrySettings {
  /**
   * Attempts of a failed call, the first included. 1: a failed call is forgotten.
   * Unit: attempts. Allowed: 1 to 100. Default: 10.
   */
  attempts?: pulumi.Input<number>;
  /**
   * Answers of a function that are worth another attempt; one not reached always is. 502 may have broken in the middle, and is then done twice.
   * Default: [429,503]. Example: [429,500,502,503,504].
   */
  codes?: pulumi.Input<pulumi.Input<number>[]>;
  /**
   * Wait before the second attempt; doubled for each further one.
   * Allowed: a duration from 100ms to 1h, such as "300s", "5m" or "500ms". Default: "1s".
   */
  minDelay?: pulumi.Input<string>;
  /**
   * And never longer than this.
   * Allowed: a duration from 100ms to 1h, such as "300s", "5m" or "500ms". Default: "30s".
   */
  maxDelay?: pulumi.Input<string>;
}

/** What people are told of, and how. */
export interface AlertsSettings {
  /**
   * A URL that is told. Default: none.
   * Known when the program runs, not an Output: it decides which resources there are.
   */
  webhook?: AlertsWebhookSettings;
  /**
   * Mail. Default: none.
   * Known when the program runs, not an Output: it decides which resources there are.
   */
  email?: AlertsEmailSettings;
  /**
   * Free part of the disk below which it is said.
   * Unit: %. Allowed: 1 to 90. Default: 10.
   */
  diskFreePercent?: pulumi.Input<number>;
  /**
   * Age of the oldest asynchronous call above which it is said.
   * Allowed: a duration from 10s to 24h, such as "300s", "5m" or "500ms". Default: "10m".
   */
  queueAge?: pulumi.Input<string>;
  /**
   * Waiting asynchronous calls above which it is said.
   * Unit: calls. Allowed: 1 to 10000000. Default: 10000.
   */
  queueDepth?: pulumi.Input<number>;
  /**
   * Part of a function's calls answered with 5xx, over 5 minutes, above which it is said.
   * Unit: %. Allowed: 1 to 100. Default: 10.
   */
  failingPercent?: pulumi.Input<number>;
  /**
   * Days before the end of Nginx's certificate from which on it is said.
   * Unit: days. Allowed: 1 to 365. Default: 14.
   */
  certificateDays?: pulumi.Input<number>;
  /**
   * An alert that lasts is told again after this time.
   * Allowed: a duration from 1m to 168h, such as "300s", "5m" or "500ms". Default: "4h".
   */
  repeat?: pulumi.Input<string>;
}

/** A URL that is told. Default: none. */
export interface AlertsWebhookSettings {
  /**
   * Where Alertmanager posts its JSON, as the platform's containers reach it. The secret key alertWebhookToken, where it is set, goes with it as a bearer token. A URL that is a secret itself is the secret key alertWebhookUrl instead.
   * Allowed: a URL with http:// or https:// and without a user or password in it. Example: "https://alerts.example.no/hook".
   */
  url: pulumi.Input<string>;
}

/** Mail. Default: none. */
export interface AlertsEmailSettings {
  /**
   * Who gets them.
   * Example: ["ops@example.no"].
   */
  to: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The sender.
   * Allowed: a mail address such as "ops@example.no". Example: "faas@example.no".
   */
  from: pulumi.Input<string>;
  /**
   * The mail server that takes them.
   * Allowed: a mail server and its port, such as "smtp.example.no:587". Example: "smtp.example.no:587".
   */
  smarthost: pulumi.Input<string>;
  /**
   * Login there; its password is the secret key alertSmtpPassword. Default: no login.
   * Allowed: a text on one line. Example: "faas".
   */
  username?: pulumi.Input<string>;
  /**
   * Send nothing without TLS.
   * Default: true.
   */
  requireTls?: pulumi.Input<boolean>;
}

/** The front door. */
export interface NginxSettings {
  /**
   * The workers' user; made where it is missing.
   * Allowed: a user's name in lower case. Default: "nginx".
   */
  user?: pulumi.Input<string>;
  /**
   * worker_processes.
   * Allowed: "auto", 1 to 256. Default: "auto".
   */
  workerProcesses?: pulumi.Input<"auto" | number>;
  /**
   * worker_connections, per worker.
   * Unit: connections. Allowed: 64 to 500000. Default: 10240.
   */
  workerConnections?: pulumi.Input<number>;
  /**
   * Idle connections to the gateway kept per worker.
   * Unit: connections. Allowed: 1 to 10000. Default: 64.
   */
  keepalive?: pulumi.Input<number>;
  /**
   * How long a client's idle connection is kept.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "65s".
   */
  keepaliveTimeout?: pulumi.Input<string>;
  /**
   * proxy_connect_timeout.
   * Allowed: a duration from 1ms to 75s, such as "300s", "5m" or "500ms". Default: "5s".
   */
  proxyConnectTimeout?: pulumi.Input<string>;
  /**
   * proxy_read_timeout.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "300s".
   */
  proxyReadTimeout?: pulumi.Input<string>;
  /**
   * proxy_send_timeout.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "300s".
   */
  proxySendTimeout?: pulumi.Input<string>;
  /**
   * Largest request body.
   * Allowed: a size from 1 to 1024g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "100m".
   */
  clientMaxBodySize?: pulumi.Input<string>;
  /**
   * Connections waiting to be accepted (and net.core.somaxconn).
   * Unit: connections. Allowed: 128 to 65535. Default: 16384.
   */
  backlog?: pulumi.Input<number>;
  /**
   * Port for HTTP.
   * Allowed: 1 to 65535. Default: 80.
   */
  httpPort?: pulumi.Input<number>;
  /**
   * Port for HTTPS, where tls is given.
   * Allowed: 1 to 65535. Default: 443.
   */
  httpsPort?: pulumi.Input<number>;
  /**
   * Listen on IPv6 as well; false where the kernel has none.
   * Default: true.
   */
  ipv6?: pulumi.Input<boolean>;
  /**
   * server_name; `_` answers to every name.
   * Allowed: one or more server names, separated by blanks. Default: "_". Example: "faas.example.no".
   */
  serverName?: pulumi.Input<string>;
  /**
   * TLS with files that are on the host. Default: HTTP only.
   */
  tls?: pulumi.Input<NginxTlsSettings>;
  /**
   * Networks that may reach /system/ and /ui/ beside the host itself (password needed in any case). Empty: all.
   * Default: []. Example: ["198.51.100.0/24"].
   */
  managementAllow?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * What the outside calls it. Default: made of the host's address and port.
   * Allowed: a URL with http:// or https:// and without a user or password in it. Example: "https://faas.example.no".
   */
  publicUrl?: pulumi.Input<string>;
}

/** TLS with files that are on the host. Default: HTTP only. */
export interface NginxTlsSettings {
  /**
   * Certificate chain, a path on the host.
   * Allowed: an absolute path on the host. Example: "/etc/ssl/oslo-faas/fullchain.pem".
   */
  certificate: pulumi.Input<string>;
  /**
   * Its private key, a path on the host.
   * Allowed: an absolute path on the host. Example: "/etc/ssl/oslo-faas/privkey.pem".
   */
  certificateKey: pulumi.Input<string>;
  /**
   * HTTP sends every caller on to HTTPS; false: both answer calls.
   * Default: true.
   */
  redirect?: pulumi.Input<boolean>;
}

/** Further calls through the front door that end an up. */
export interface CheckSettings {
  /**
   * Path called through Nginx at the end of an up.
   * Allowed: a path that starts with / and has no blanks in it. Example: "/function/hello".
   */
  path: pulumi.Input<string>;
  /**
   * Status it must answer with.
   * Allowed: 100 to 599. Default: 200.
   */
  status?: pulumi.Input<number>;
}

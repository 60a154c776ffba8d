/**
 * What components take from people, with the descriptions, defaults and examples of an environment's schema.
 * Made by `npm run env -- generate` out of environment; edit there.
 */
import type * as pulumi from "@pulumi/pulumi";

/** Where the data is. It becomes labels of the node, the services and the functions, and an output of the stack; policies check it. */
export interface LocationSettings {
  /**
   * Country of the host (ISO 3166).
   * Allowed: a two-letter country code in capitals (ISO 3166), such as "NO". Default: "NO".
   */
  country?: pulumi.Input<string>;
  /**
   * City of the host.
   * Allowed: a text on one line. Default: "Oslo".
   */
  city?: pulumi.Input<string>;
  /**
   * Operator of the hardware.
   * Allowed: a text on one line. Default: "self-hosted". Example: "example-hosting".
   */
  provider?: pulumi.Input<string>;
}

/** The host to provision, and how to reach it. */
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
   * User to log in as. A user other than root needs sudo without a password.
   * Allowed: a user's name. Default: "root". Example: "ops". Known when the program runs, not an Output: it decides which resources there are.
   */
  user?: string;
  /**
   * The host's public key. Any other key is refused. This or hostKeyFile is required; `npx oslo-faas env new` fetches it.
   * Allowed: a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub). Example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ".
   */
  hostKey?: pulumi.Input<string>;
  /**
   * File with the host's public key, relative to the project, instead of hostKey.
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
   * Time to wait for a connection to the host.
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
   * User to log in as on the jump host.
   * Allowed: a user's name. Default: "root".
   */
  user?: pulumi.Input<string>;
  /**
   * Its public host key; any other key is refused.
   * Allowed: a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub). Example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ".
   */
  hostKey: pulumi.Input<string>;
  /**
   * Private key for the jump host, relative to the project. Default: as for the host.
   * Allowed: a path relative to the project, or to ~/, of letters, digits and ._/+@:=,-. Example: "../keys/bastion".
   */
  privateKeyPath?: pulumi.Input<string>;
}

/** Requirements that are checked before anything is changed on the host. */
export interface PreflightSettings {
  /**
   * Container virtualization to accept, by its name in systemd-detect-virt ("docker", "lxc"). By default all is refused, because a swarm needs its own kernel.
   * Default: []. Example: ["lxc"].
   */
  allowVirtualization?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Releases to accept that oslo-faas has not been tried on, with a warning: ID and VERSION_ID in /etc/os-release.
   * Default: []. Example: ["debian 14"].
   */
  allowReleases?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Minimum memory of the host.
   * Unit: MiB. Allowed: 256 to 16777216. Default: 1800.
   */
  minMemoryMiB?: pulumi.Input<number>;
  /**
   * Minimum free disk under /var/lib before the first `up`.
   * Unit: MiB. Allowed: 1024 to 1073741824. Default: 10240.
   */
  minDiskMiB?: pulumi.Input<number>;
  /**
   * Minimum rate of synchronous 4 KiB writes under /var/lib; a durable queue cannot be faster. 0 skips the measurement.
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
   * Time zone of the host, and of functions' schedules.
   * Allowed: a time zone such as "Europe/Oslo". Default: "Europe/Oslo".
   */
  timezone?: pulumi.Input<string>;
  /**
   * Further kernel settings. They override the ones that oslo-faas sets.
   * Default: {}. Example: {"vm.swappiness":10}.
   */
  sysctl?: pulumi.Input<{ [name: string]: pulumi.Input<string | number> }>;
  /**
   * Maximum number of open files, for Nginx and for containers.
   * Unit: files. Allowed: 1024 to 1048576. Default: 65536.
   */
  openFiles?: pulumi.Input<number>;
}

/** What can be reached from outside the host, and from its containers. */
export interface FirewallSettings {
  /**
   * Close the gateway's and the swarm's ports to the outside.
   * Default: true. Known when the program runs, not an Output: it decides which resources there are.
   */
  enabled?: boolean;
  /**
   * Networks of other nodes, which may reach the swarm's ports (2377, 7946, 4789).
   * Default: []. Example: ["198.51.100.0/24"].
   */
  swarmPeers?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Private networks that functions and the platform's services may reach (a database, a mail server, a callback). All other private networks are closed to them; the internet is open.
   * Default: []. Example: ["10.20.0.0/24"].
   */
  containersReach?: pulumi.Input<pulumi.Input<string>[]>;
}

/** The container engine. */
export interface DockerSettings {
  /**
   * Source of the engine: Docker's own apt repository (docker-ce) or the distribution (docker.io).
   * Allowed: "docker" or "distro". Default: "docker". Known when the program runs, not an Output: it decides which resources there are.
   */
  source?: "docker" | "distro";
  /**
   * Docker's apt repository, for `source: docker`.
   */
  repository?: pulumi.Input<DockerRepositorySettings>;
  /**
   * Version of docker-ce, as apt writes it. The package is held at it. Default: the newest in the repository for the host's release.
   * Allowed: a version as apt writes it, such as "5:24.0.2-1~ubuntu.18.04~bionic". Example: "5:24.0.2-1~ubuntu.18.04~bionic".
   */
  version?: pulumi.Input<string>;
  /**
   * Mirrors of Docker Hub.
   * Default: []. Example: ["https://mirror.example.no"].
   */
  registryMirrors?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Registries to use without TLS, for a lab.
   * Default: []. Example: ["registry.lab:5000"].
   */
  insecureRegistries?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Size at which a container's log is rotated.
   * Allowed: a size from 1k to 100g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "10m".
   */
  logMaxSize?: pulumi.Input<string>;
  /**
   * Log files to keep per container.
   * Unit: files. Allowed: 1 to 100. Default: 3.
   */
  logMaxFiles?: pulumi.Input<number>;
  /**
   * MTU of the engine's networks. Default: the engine's (1500).
   * Unit: bytes. Allowed: 576 to 9000. Example: 1400.
   */
  mtu?: pulumi.Input<number>;
  /**
   * Address of the bridge docker0 with its prefix, if the engine's choice (172.17.0.1/16) is a network of yours.
   * Allowed: an IPv4 address with a prefix, such as "192.168.127.1/24". Example: "192.168.127.1/24".
   */
  bip?: pulumi.Input<string>;
  /**
   * IPv4 networks for the engine's own networks (docker0 without bip, docker_gwbridge). Default: the engine's (172.17.0.0/16 and up). Networks that exist keep theirs.
   * Default: []. Example: [{"base":"10.213.0.0/16","size":24}].
   */
  defaultAddressPools?: pulumi.Input<pulumi.Input<DockerDefaultAddressPoolSettings>[]>;
}

/** Docker's apt repository, for `source: docker`. */
export interface DockerRepositorySettings {
  /**
   * URL of Docker's apt repository, for example a mirror; the distribution's name is appended.
   * Allowed: a URL with http://, https:// or file://, without a user or password in it. Default: "https://download.docker.com/linux". Example: "https://mirror.example.no/docker".
   */
  uri?: pulumi.Input<string>;
  /**
   * URL of the repository's key. Default: <uri>/<distribution>/gpg. Required if uri is http://.
   * Allowed: a URL with https:// or file:///, without a user or password in it. Example: "https://mirror.example.no/docker/gpg".
   */
  keyUrl?: pulumi.Input<string>;
  /**
   * Full fingerprint of the repository's key. Any other key is refused before anything is installed.
   * Allowed: a full fingerprint of 40 hexadecimal digits. Default: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88".
   */
  fingerprint?: pulumi.Input<string>;
}

/** IPv4 networks for the engine's own networks (docker0 without bip, docker_gwbridge). Default: the engine's (172.17.0.0/16 and up). Networks that exist keep theirs. */
export interface DockerDefaultAddressPoolSettings {
  /**
   * IPv4 network to divide.
   * Allowed: a network such as "10.0.0.0/8" or "2001:db8::/32". Example: "10.213.0.0/16".
   */
  base: pulumi.Input<string>;
  /**
   * Prefix length of each network.
   * Unit: bits. Allowed: 8 to 30. Example: 24.
   */
  size: pulumi.Input<number>;
}

/** The Docker Swarm that runs the services. */
export interface SwarmSettings {
  /**
   * Address or interface that the node advertises to the swarm. Default: that of the default route.
   * Allowed: an IP address or the name of an interface. Example: "eth1".
   */
  advertiseAddress?: pulumi.Input<string>;
  /**
   * IPv4 range for the overlay networks, which take a /24 each.
   * Allowed: a network such as "10.0.0.0/8" or "2001:db8::/32". Default: "10.201.0.0/16".
   */
  addressPool?: pulumi.Input<string>;
}

/** The images of the platform and of functions, and their sources. */
export interface ImagesSettings {
  /**
   * Registry (and path) that replaces every image's own, for example the mirror of an air-gapped site. Default: none.
   * Allowed: a registry such as "registry.example.no:5000", without a scheme. Example: "registry.example.no/mirror".
   */
  registry?: pulumi.Input<string>;
  /**
   * Lock file with the digest of each image, relative to the project. `npx oslo-faas images lock` writes it.
   * Allowed: a path relative to the project. Default: "stacks/images.lock.json".
   */
  lock?: pulumi.Input<string>;
  /**
   * Source of oslo-faas's own images (Swarm provider, queue worker) and of the images of functions with a handler: built by the host's engine, or pulled from a registry.
   * Allowed: "build" or "registry". Default: "build".
   */
  own?: pulumi.Input<"build" | "registry">;
  /**
   * Source of the images of functions with a handler: as `own` says, or loaded onto the host from a developer's engine by `npx oslo-faas functions build --load`.
   * Allowed: "own" or "loaded". Default: "own".
   */
  functions?: pulumi.Input<"own" | "loaded">;
  /**
   * Base image of the Swarm provider, of the queue worker, and of functions with `lang: node`, where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "node:22-bookworm-slim".
   */
  node?: pulumi.Input<string>;
  /**
   * Base image of functions with `lang: python`, where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "python:3.13-slim-bookworm".
   */
  python?: pulumi.Input<string>;
  /**
   * Image in which functions with `lang: go` are compiled, where they are built.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "golang:1.26-bookworm".
   */
  go?: pulumi.Input<string>;
  /**
   * OpenFaaS's gateway.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/openfaas/gateway:0.25.4".
   */
  gateway?: pulumi.Input<string>;
  /**
   * OpenFaaS's basic-auth plugin.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/openfaas/basic-auth:0.25.4".
   */
  basicAuth?: pulumi.Input<string>;
  /**
   * HAProxy, which calls functions in the gateway's place if `openfaas.edge` is true.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "haproxy:3.0.11".
   */
  edge?: pulumi.Input<string>;
  /**
   * oslo-faas's queue: intake, worker and exporter.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/oslo-faas/queue:0.1.0".
   */
  queueWorker?: pulumi.Input<string>;
  /**
   * NATS, whose JetStream holds asynchronous calls.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "nats:2.15.3".
   */
  nats?: pulumi.Input<string>;
  /**
   * NATS Streaming, used if `openfaas.queue.natsStreaming` is true.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "nats-streaming:0.25.6".
   */
  natsStreaming?: pulumi.Input<string>;
  /**
   * Prometheus.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "prom/prometheus:v2.42.0".
   */
  prometheus?: pulumi.Input<string>;
  /**
   * Alertmanager, 0.26 or later.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "prom/alertmanager:v0.28.1".
   */
  alertmanager?: pulumi.Input<string>;
  /**
   * oslo-faas's Swarm provider.
   * Allowed: an image reference in lower case with a tag or a digest, such as "ghcr.io/openfaas/gateway:0.25.4". Default: "ghcr.io/oslo-faas/swarm-provider:0.1.0".
   */
  swarmProvider?: pulumi.Input<string>;
}

/** OpenFaaS's gateway, queue and metrics. */
export interface OpenFaaSSettings {
  /**
   * User of the gateway's management API.
   * Allowed: 1 to 64 letters, digits, dots, dashes or underscores. Default: "admin".
   */
  user?: pulumi.Input<string>;
  /**
   * The gateway's port on the host, closed to the outside.
   * Allowed: 1 to 65535. Default: 8080.
   */
  gatewayPort?: pulumi.Input<number>;
  /**
   * Longest time for the gateway to read a request (its read_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "295s".
   */
  readTimeout?: pulumi.Input<string>;
  /**
   * Longest time for the gateway to write an answer (its write_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "295s".
   */
  writeTimeout?: pulumi.Input<string>;
  /**
   * Longest time that a function may take (the gateway's upstream_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "290s".
   */
  upstreamTimeout?: pulumi.Input<string>;
  /**
   * A call wakes a function without a replica. Must be true: otherwise the gateway calls any name or address in a path.
   * Default: true.
   */
  scaleFromZero?: pulumi.Input<boolean>;
  /**
   * Calls from outside go straight to a function's replicas, through HAProxy, and to the gateway where none is ready. `false`: all of them go through the gateway.
   * Default: true.
   */
  edge?: pulumi.Input<boolean>;
  /**
   * Calls of one function at the same time that come from outside and wait for their answer. More are answered 429 with Retry-After. The annotation com.oslo-faas.max-concurrent of a function overrides it. 0: no limit. Works with `edge`.
   * Unit: calls. Allowed: 0 to 100000. Default: 1500.
   */
  maxConcurrent?: pulumi.Input<number>;
  /**
   * Wrong passwords for /system/ and /ui/ a minute, from one address or /64 of IPv6. After them every login from there is answered 429. 0: no limit. Works with `edge`.
   * Unit: logins. Allowed: 0 to 1000. Default: 10.
   */
  failedLogins?: pulumi.Input<number>;
  /**
   * Who may call a function from outside that does not say so itself (com.oslo-faas.access): everybody, or nobody. New environments are written with `internal`.
   * Allowed: "public" or "internal". Default: "public".
   */
  access?: pulumi.Input<"public" | "internal">;
  /**
   * The queue of asynchronous calls.
   */
  queue?: OpenFaaSQueueSettings;
  /**
   * The most memory that each service of the platform may take. One that takes more is ended and started again.
   */
  memory?: pulumi.Input<OpenFaaSMemorySettings>;
  /**
   * How long Prometheus keeps its data.
   * Allowed: a duration from 1h to 87600h, such as "300s", "5m" or "500ms". Default: "360h".
   */
  prometheusRetention?: pulumi.Input<string>;
}

/** The queue of asynchronous calls. */
export interface OpenFaaSQueueSettings {
  /**
   * Longest time that a worker spends on one attempt of a call. It must cover the longest function and its callback.
   * Allowed: a duration from 1s to 24h, such as "300s", "5m" or "500ms". Default: "390s".
   */
  ackWait?: pulumi.Input<string>;
  /**
   * Calls of one function that one worker makes at the same time.
   * Unit: calls. Allowed: 1 to 1000. Default: 8.
   */
  maxInflight?: pulumi.Input<number>;
  /**
   * Replicas of the queue worker.
   * Unit: replicas. Allowed: 1 to 32. Default: 1.
   */
  workers?: pulumi.Input<number>;
  /**
   * What happens to a call that failed.
   */
  retry?: pulumi.Input<OpenFaaSQueueRetrySettings>;
  /**
   * Largest body of an asynchronous call. Larger ones are answered 413.
   * Allowed: a size from 1k to 48m, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "10m".
   */
  maxBody?: pulumi.Input<string>;
  /**
   * Size of the waiting calls on disk. When it is reached, new calls are answered 503 with Retry-After; accepted calls are kept.
   * Allowed: a size from 1m to 1024g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "1g".
   */
  maxBytes?: pulumi.Input<string>;
  /**
   * Calls that failed in their last attempt. They are kept, and `npx oslo-faas queue` lists them, makes them again or drops them.
   */
  dead?: pulumi.Input<OpenFaaSQueueDeadSettings>;
  /**
   * Run NATS Streaming beside JetStream, to move the calls that an earlier version of oslo-faas accepted. Set it to false when `npx oslo-faas status` shows that it is empty, and in an environment that never had an earlier version.
   * Default: true. Known when the program runs, not an Output: it decides which resources there are.
   */
  natsStreaming?: boolean;
  /**
   * Leave the queue's volume on the host when the stack is destroyed.
   * Default: true. Known when the program runs, not an Output: it decides which resources there are.
   */
  keepOnDestroy?: boolean;
}

/** What happens to a call that failed. */
export interface OpenFaaSQueueRetrySettings {
  /**
   * Number of attempts of a call, including the first. With 1, a failed call is dropped.
   * Unit: attempts. Allowed: 1 to 100. Default: 10.
   */
  attempts?: pulumi.Input<number>;
  /**
   * Statuses of a function's answer that lead to another attempt. A function that was not reached is always tried again. With 502, a call that broke in the middle may run twice.
   * Default: [429,503]. Example: [429,500,502,503,504].
   */
  codes?: pulumi.Input<pulumi.Input<number>[]>;
  /**
   * Wait before the second attempt. It doubles for each further attempt.
   * Allowed: a duration from 100ms to 1h, such as "300s", "5m" or "500ms". Default: "1s".
   */
  minDelay?: pulumi.Input<string>;
  /**
   * Longest wait between two attempts.
   * Allowed: a duration from 100ms to 1h, such as "300s", "5m" or "500ms". Default: "30s".
   */
  maxDelay?: pulumi.Input<string>;
}

/** Calls that failed in their last attempt. They are kept, and `npx oslo-faas queue` lists them, makes them again or drops them. */
export interface OpenFaaSQueueDeadSettings {
  /**
   * Size of the kept calls on disk, their bodies included. Beyond it the oldest go.
   * Allowed: a size from 64m to 1024g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "256m".
   */
  maxBytes?: pulumi.Input<string>;
  /**
   * Time for which a call is kept.
   * Unit: days. Allowed: 1 to 365. Default: 14.
   */
  days?: pulumi.Input<number>;
}

/** The most memory that each service of the platform may take. One that takes more is ended and started again. */
export interface OpenFaaSMemorySettings {
  /**
   * Most memory of the gateway, which holds the body of a function's asynchronous call about four times over.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "768m".
   */
  gateway?: pulumi.Input<string>;
  /**
   * Most memory of the edge.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "512m".
   */
  edge?: pulumi.Input<string>;
  /**
   * Most memory of the Swarm provider.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "384m".
   */
  swarmProvider?: pulumi.Input<string>;
  /**
   * Most memory of each queue worker, which holds answers of up to 64m for callbacks.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "768m".
   */
  queueWorker?: pulumi.Input<string>;
  /**
   * Most memory of the queue's intake, which holds bodies of up to 192m until they are on disk.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "512m".
   */
  intake?: pulumi.Input<string>;
  /**
   * Most memory of NATS, whose index has an entry for each call that waits.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "1g".
   */
  nats?: pulumi.Input<string>;
  /**
   * Most memory of NATS Streaming, where it still runs.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "1g".
   */
  natsStreaming?: pulumi.Input<string>;
  /**
   * Most memory of Prometheus.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "512m".
   */
  prometheus?: pulumi.Input<string>;
  /**
   * Most memory of Alertmanager.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "128m".
   */
  alertmanager?: pulumi.Input<string>;
  /**
   * Most memory of the exporter.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "128m".
   */
  exporter?: pulumi.Input<string>;
  /**
   * Most memory of the basic-auth plugin.
   * Allowed: a size from 32m to 64g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "64m".
   */
  basicAuth?: pulumi.Input<string>;
}

/** When people are alerted, and how. */
export interface AlertsSettings {
  /**
   * A URL to post alerts to. Default: none.
   * Known when the program runs, not an Output: it decides which resources there are.
   */
  webhook?: AlertsWebhookSettings;
  /**
   * Mail to send alerts to. Default: none.
   * Known when the program runs, not an Output: it decides which resources there are.
   */
  email?: AlertsEmailSettings;
  /**
   * Alert when less than this percentage of the disk is free.
   * Unit: %. Allowed: 1 to 90. Default: 10.
   */
  diskFreePercent?: pulumi.Input<number>;
  /**
   * Alert when the oldest asynchronous call is older than this.
   * Allowed: a duration from 10s to 24h, such as "300s", "5m" or "500ms". Default: "10m".
   */
  queueAge?: pulumi.Input<string>;
  /**
   * Alert when more asynchronous calls than this wait.
   * Unit: calls. Allowed: 1 to 10000000. Default: 10000.
   */
  queueDepth?: pulumi.Input<number>;
  /**
   * Alert when more than this percentage of a function's calls over 5 minutes are answered 5xx.
   * Unit: %. Allowed: 1 to 100. Default: 10.
   */
  failingPercent?: pulumi.Input<number>;
  /**
   * Alert when Nginx's certificate expires in fewer days than this.
   * Unit: days. Allowed: 1 to 365. Default: 14.
   */
  certificateDays?: pulumi.Input<number>;
  /**
   * Repeat an alert that still holds after this time.
   * Allowed: a duration from 1m to 168h, such as "300s", "5m" or "500ms". Default: "4h".
   */
  repeat?: pulumi.Input<string>;
}

/** A URL to post alerts to. Default: none. */
export interface AlertsWebhookSettings {
  /**
   * URL that Alertmanager posts its JSON to, as containers reach it. The secret key alertWebhookToken adds a bearer token. If the URL itself contains a secret, use the secret key alertWebhookUrl instead.
   * Allowed: a URL with http:// or https://, without a user or password. Example: "https://alerts.example.no/hook".
   */
  url: pulumi.Input<string>;
}

/** Mail to send alerts to. Default: none. */
export interface AlertsEmailSettings {
  /**
   * Recipients.
   * Example: ["ops@example.no"].
   */
  to: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Sender.
   * Allowed: a mail address such as "ops@example.no". Example: "faas@example.no".
   */
  from: pulumi.Input<string>;
  /**
   * Mail server that accepts the mail, with its port.
   * Allowed: a mail server and its port, such as "smtp.example.no:587". Example: "smtp.example.no:587".
   */
  smarthost: pulumi.Input<string>;
  /**
   * Login at the mail server; its password is the secret key alertSmtpPassword. Default: no login.
   * Allowed: a text on one line. Example: "faas".
   */
  username?: pulumi.Input<string>;
  /**
   * Refuse to send mail without TLS.
   * Default: true.
   */
  requireTls?: pulumi.Input<boolean>;
}

/** Nginx, in front of the gateway. */
export interface NginxSettings {
  /**
   * User of Nginx's workers. It is created if it does not exist.
   * Allowed: a user's name in lower case. Default: "nginx".
   */
  user?: pulumi.Input<string>;
  /**
   * Number of worker processes (worker_processes); auto: one per CPU.
   * Allowed: "auto", 1 to 256. Default: "auto".
   */
  workerProcesses?: pulumi.Input<"auto" | number>;
  /**
   * Connections per worker (worker_connections).
   * Unit: connections. Allowed: 64 to 500000. Default: 10240.
   */
  workerConnections?: pulumi.Input<number>;
  /**
   * Idle connections that each worker keeps open, to the edge or, without one, to the gateway.
   * Unit: connections. Allowed: 1 to 10000. Default: 64.
   */
  keepalive?: pulumi.Input<number>;
  /**
   * How long a client's idle connection stays open.
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "65s".
   */
  keepaliveTimeout?: pulumi.Input<string>;
  /**
   * Longest time to connect to the gateway (proxy_connect_timeout).
   * Allowed: a duration from 1ms to 75s, such as "300s", "5m" or "500ms". Default: "5s".
   */
  proxyConnectTimeout?: pulumi.Input<string>;
  /**
   * Longest wait between two reads from the gateway (proxy_read_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "300s".
   */
  proxyReadTimeout?: pulumi.Input<string>;
  /**
   * Longest wait between two writes to the gateway (proxy_send_timeout).
   * Allowed: a duration from 1ms to 24h, such as "300s", "5m" or "500ms". Default: "300s".
   */
  proxySendTimeout?: pulumi.Input<string>;
  /**
   * Largest request body.
   * Allowed: a size from 1 to 1024g, such as "64m" or "1g" (k, m, g: powers of 1024). Default: "100m".
   */
  clientMaxBodySize?: pulumi.Input<string>;
  /**
   * Longest time for a client to send a request's headers (client_header_timeout).
   * Allowed: a duration from 1s to 24h, such as "300s", "5m" or "500ms". Default: "20s".
   */
  clientHeaderTimeout?: pulumi.Input<string>;
  /**
   * Longest wait between two reads of a request's body (client_body_timeout).
   * Allowed: a duration from 1s to 24h, such as "300s", "5m" or "500ms". Default: "30s".
   */
  clientBodyTimeout?: pulumi.Input<string>;
  /**
   * Longest wait between two writes of an answer to a client (send_timeout).
   * Allowed: a duration from 1s to 24h, such as "300s", "5m" or "500ms". Default: "60s".
   */
  sendTimeout?: pulumi.Input<string>;
  /**
   * Limits for one client, which is an address, or a /64 of IPv6. More is answered 429 with Retry-After. The host itself has none.
   */
  perClient?: pulumi.Input<NginxPerClientSettings>;
  /**
   * Connections that may wait to be accepted (also net.core.somaxconn).
   * Unit: connections. Allowed: 128 to 65535. Default: 16384.
   */
  backlog?: pulumi.Input<number>;
  /**
   * Port for HTTP.
   * Allowed: 1 to 65535. Default: 80.
   */
  httpPort?: pulumi.Input<number>;
  /**
   * Port for HTTPS, used with tls.
   * Allowed: 1 to 65535. Default: 443.
   */
  httpsPort?: pulumi.Input<number>;
  /**
   * Also listen on IPv6. Set it to false if the kernel has no IPv6.
   * Default: true.
   */
  ipv6?: pulumi.Input<boolean>;
  /**
   * Names that Nginx answers to (server_name); `_` is every name.
   * Allowed: one or more server names, separated by blanks. Default: "_". Example: "faas.example.no".
   */
  serverName?: pulumi.Input<string>;
  /**
   * TLS with a certificate that is ordered (`tls: auto`), or with one on the host. Default: HTTP only.
   */
  tls?: NginxTlsSettings;
  /**
   * Callers' addresses in Nginx's access log: the network alone (/24, /48), or whole. The error log, which has whole addresses and queries, is kept only for failures of Nginx itself unless both logAddresses and logQueries allow them.
   * Allowed: "shortened" or "whole". Default: "shortened".
   */
  logAddresses?: pulumi.Input<"shortened" | "whole">;
  /**
   * Query strings in Nginx's access log.
   * Default: false.
   */
  logQueries?: pulumi.Input<boolean>;
  /**
   * Networks that may reach /system/ and /ui/, in addition to the host itself. The password is always required. Empty: all networks.
   * Default: []. Example: ["198.51.100.0/24"].
   */
  managementAllow?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * URL under which the platform is reached from outside. Default: from the host's address and port.
   * Allowed: a URL with http:// or https://, without a user or password. Example: "https://faas.example.no".
   */
  publicUrl?: pulumi.Input<string>;
}

/** Limits for one client, which is an address, or a /64 of IPv6. More is answered 429 with Retry-After. The host itself has none. */
export interface NginxPerClientSettings {
  /**
   * Requests a second. 0: no limit.
   * Unit: requests. Allowed: 0 to 1000000. Default: 1000.
   */
  requests?: pulumi.Input<number>;
  /**
   * Requests at once, beyond the rate.
   * Unit: requests. Allowed: 0 to 1000000. Default: 2000.
   */
  burst?: pulumi.Input<number>;
  /**
   * Connections with a request under way; with HTTP/2, requests under way. 0: no limit.
   * Unit: connections. Allowed: 0 to 1000000. Default: 1000.
   */
  connections?: pulumi.Input<number>;
}

/** TLS with a certificate that is ordered (`tls: auto`), or with one on the host. Default: HTTP only. */
export interface NginxTlsSettings {
  /**
   * Order a certificate for the names in serverName, over ACME with HTTP-01, and renew it. `tls: auto` is short for `tls: { auto: {} }`. Until there is one, Nginx has a self-signed placeholder.
   * Known when the program runs, not an Output: it decides which resources there are.
   */
  auto?: NginxTlsAutoSettings;
  /**
   * Path of the certificate chain on the host. Required without `auto`.
   * Allowed: an absolute path on the host. Example: "/etc/ssl/oslo-faas/fullchain.pem".
   */
  certificate?: pulumi.Input<string>;
  /**
   * Path of the certificate's private key on the host. Required without `auto`.
   * Allowed: an absolute path on the host. Example: "/etc/ssl/oslo-faas/privkey.pem".
   */
  certificateKey?: pulumi.Input<string>;
  /**
   * Folder on the host whose `.well-known/acme-challenge/` Nginx answers from over HTTP, for an ACME client of your own beside `certificate`. Default: none.
   * Allowed: an absolute path on the host. Example: "/var/www/acme".
   */
  webroot?: pulumi.Input<string>;
  /**
   * Redirect HTTP to HTTPS. With false, both answer calls.
   * Default: true.
   */
  redirect?: pulumi.Input<boolean>;
  /**
   * Tell browsers to use HTTPS alone for the next two years (Strict-Transport-Security). Without `redirect` nothing is told.
   * Default: true.
   */
  hsts?: pulumi.Input<boolean>;
}

/** Order a certificate for the names in serverName, over ACME with HTTP-01, and renew it. `tls: auto` is short for `tls: { auto: {} }`. Until there is one, Nginx has a self-signed placeholder. */
export interface NginxTlsAutoSettings {
  /**
   * Directory URL of the certificate authority, whose terms you accept with this key.
   * Allowed: a URL with https://, without a user or password. Default: "https://acme-v02.api.letsencrypt.org/directory". Example: "https://acme-staging-v02.api.letsencrypt.org/directory".
   */
  directory?: pulumi.Input<string>;
  /**
   * Address that the authority writes to. It is given once, when the account there is made. Default: none.
   * Allowed: a mail address such as "ops@example.no". Example: "ops@example.no".
   */
  email?: pulumi.Input<string>;
  /**
   * Key identifier of an account at the authority (external account binding). Its HMAC key is the secret acmeEabKey. Default: none. Ubuntu 18.04's certbot cannot do this.
   * Allowed: a key's identifier without blanks or %. Example: "kid-1".
   */
  eabKeyId?: pulumi.Input<string>;
  /**
   * File on the host with the certificates that vouch for a private directory. Default: the host's own.
   * Allowed: an absolute path on the host. Example: "/etc/ssl/certs/internal-ca.pem".
   */
  directoryCa?: pulumi.Input<string>;
}

/** Further calls through Nginx at the end of an `up`. */
export interface CheckSettings {
  /**
   * Path to call through Nginx at the end of an `up`.
   * Allowed: a path that starts with / and contains no blanks. Example: "/function/hello".
   */
  path: pulumi.Input<string>;
  /**
   * Expected status of the answer.
   * Allowed: 100 to 599. Default: 200.
   */
  status?: pulumi.Input<number>;
}

/** What runs containers: the engine, the swarm, and the sources of images. */
import * as z from "zod";
import { version } from "../../package.json";
import { DEFAULT_LOCK } from "../lockFile";
import * as f from "../fields";

/** May be a folder on the host (file:) or a mirror. The distribution's name is appended to it in apt's list. */
const REPOSITORY = /^(https?|file):\/\/[^\s[\]|&\\@?#]+$/;
/** A key fetched without TLS cannot be trusted. */
const KEY = /^(https:\/\/|file:\/\/\/)[^\s@]+$/;

const repository = z.strictObject({
  uri: f
    .pattern(REPOSITORY, "a URL with http://, https:// or file://, without a user or password in it")
    .default("https://download.docker.com/linux")
    .meta({
      description:
        "URL of Docker's apt repository, for example a mirror; the distribution's name is appended.",
      examples: ["https://mirror.example.no/docker"],
    }),
  keyUrl: f
    .pattern(KEY, "a URL with https:// or file:///, without a user or password in it")
    .optional()
    .meta({
      description:
        "URL of the repository's key. Default: <uri>/<distribution>/gpg. Required if uri is http://.",
      examples: ["https://mirror.example.no/docker/gpg"],
    }),
  fingerprint: f
    .pattern(/^[0-9A-Fa-f]{40}$/, "a full fingerprint of 40 hexadecimal digits")
    .default("9DC858229FC7DD38854AE2D88D81803C0EBFCD88")
    .meta({
      description:
        "Full fingerprint of the repository's key. Any other key is refused before anything is installed.",
    }),
});

const addressPool = z.strictObject({
  base: f.cidr().meta({ description: "IPv4 network to divide.", examples: ["10.213.0.0/16"] }),
  size: f.whole(8, 30).meta({ description: "Prefix length of each network.", unit: "bits", examples: [24] }),
});

export const docker = z.strictObject({
  source: f.choice(["docker", "distro"]).default("docker").meta({
    description:
      "Source of the engine: Docker's own apt repository (docker-ce) or the distribution (docker.io).",
    plain: true,
  }),
  repository: repository.prefault({}).meta({ description: "Docker's apt repository, for `source: docker`." }),
  version: f
    .pattern(
      /^(\d+:)?\d[A-Za-z0-9.+~-]*$/,
      'a version as apt writes it, such as "5:24.0.2-1~ubuntu.18.04~bionic"',
    )
    .optional()
    .meta({
      description:
        "Version of docker-ce, as apt writes it. The package is held at it. Default: the newest in the repository for the host's release.",
      examples: ["5:24.0.2-1~ubuntu.18.04~bionic"],
    }),
  registryMirrors: f
    .list(f.url())
    .default([])
    .meta({ description: "Mirrors of Docker Hub.", examples: [["https://mirror.example.no"]] }),
  insecureRegistries: f
    .list(f.registryOrNetwork())
    .default([])
    .meta({ description: "Registries to use without TLS, for a lab.", examples: [["registry.lab:5000"]] }),
  logMaxSize: f
    .size("1k", "100g")
    .default("10m")
    .meta({ description: "Size at which a container's log is rotated." }),
  logMaxFiles: f
    .whole(1, 100)
    .default(3)
    .meta({ description: "Log files to keep per container.", unit: "files" }),
  mtu: f
    .whole(576, 9000)
    .optional()
    .meta({
      description: "MTU of the engine's networks. Default: the engine's (1500).",
      unit: "bytes",
      examples: [1400],
    }),
  bip: f
    .pattern(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'an IPv4 address with a prefix, such as "192.168.127.1/24"')
    .optional()
    .meta({
      description:
        "Address of the bridge docker0 with its prefix, if the engine's choice (172.17.0.1/16) is a network of yours.",
      examples: ["192.168.127.1/24"],
    }),
  defaultAddressPools: f
    .list(addressPool)
    .default([])
    .meta({
      description:
        "IPv4 networks for the engine's own networks (docker0 without bip, docker_gwbridge). Default: the engine's (172.17.0.0/16 and up). Networks that exist keep theirs.",
      examples: [[{ base: "10.213.0.0/16", size: 24 }]],
    }),
});

export const swarm = z.strictObject({
  advertiseAddress: f
    .addressOrInterface()
    .optional()
    .meta({
      description:
        "Address or interface that the node advertises to the swarm. Default: that of the default route.",
      examples: ["eth1"],
    }),
  addressPool: f
    .cidr()
    .default("10.201.0.0/16")
    .meta({ description: "IPv4 range for the overlay networks, which take a /24 each." }),
});

export const images = z.strictObject({
  registry: f
    .registry()
    .optional()
    .meta({
      description:
        "Registry (and path) that replaces every image's own, for example the mirror of an air-gapped site. Default: none.",
      examples: ["registry.example.no/mirror"],
    }),
  lock: f.file().default(DEFAULT_LOCK).meta({
    description:
      "Lock file with the digest of each image, relative to the project. `npx oslo-faas images lock` writes it.",
  }),
  own: f.choice(["build", "registry"]).default("build").meta({
    description:
      "Source of oslo-faas's own images (Swarm provider, queue worker) and of the images of functions with a handler: built by the host's engine, or pulled from a registry.",
  }),
  functions: f.choice(["own", "loaded"]).default("own").meta({
    description:
      "Source of the images of functions with a handler: as `own` says, or loaded onto the host from a developer's engine by `npx oslo-faas functions build --load`.",
  }),
  node: f.image().default("node:22-bookworm-slim").meta({
    description:
      "Base image of the Swarm provider, of the queue worker, and of functions with `lang: node`, where they are built.",
  }),
  python: f.image().default("python:3.13-slim-bookworm").meta({
    description: "Base image of functions with `lang: python`, where they are built.",
  }),
  go: f.image().default("golang:1.26-bookworm").meta({
    description: "Image in which functions with `lang: go` are compiled, where they are built.",
  }),
  gateway: f.image().default("ghcr.io/openfaas/gateway:0.25.4").meta({ description: "OpenFaaS's gateway." }),
  basicAuth: f
    .image()
    .default("ghcr.io/openfaas/basic-auth:0.25.4")
    .meta({ description: "OpenFaaS's basic-auth plugin." }),
  edge: f.image().default("haproxy:3.0.11").meta({
    description: "HAProxy, which calls functions in the gateway's place if `openfaas.edge` is true.",
  }),
  queueWorker: f
    .image()
    .default(`ghcr.io/oslo-faas/queue:${version}`)
    .meta({ description: "oslo-faas's queue: intake, worker and exporter." }),
  nats: f
    .image()
    .default("nats:2.15.3")
    .meta({ description: "NATS, whose JetStream holds asynchronous calls." }),
  natsStreaming: f
    .image()
    .default("nats-streaming:0.25.6")
    .meta({ description: "NATS Streaming, used if `openfaas.queue.natsStreaming` is true." }),
  prometheus: f.image().default("prom/prometheus:v2.42.0").meta({ description: "Prometheus." }),
  alertmanager: f
    .image()
    .default("prom/alertmanager:v0.28.1")
    .meta({ description: "Alertmanager, 0.26 or later." }),
  swarmProvider: f
    .image()
    .default(`ghcr.io/oslo-faas/swarm-provider:${version}`)
    .meta({ description: "oslo-faas's Swarm provider." }),
});

/** What runs the containers: the engine, the swarm, and where images come from. */
import * as z from "zod";
import { version } from "../../package.json";
import { DEFAULT_LOCK } from "../lockFile";
import * as f from "../fields";

/** The repository may be a folder on the host (file:), or a mirror. The distribution's name is put behind it, into apt's list. */
const REPOSITORY = /^(https?|file):\/\/[^\s[\]|&\\@?#]+$/;
/** What was fetched without TLS is not asked whose key it is. */
const KEY = /^(https:\/\/|file:\/\/\/)[^\s@]+$/;

const repository = z.strictObject({
  uri: f
    .pattern(REPOSITORY, "a URL with http://, https:// or file://, without a user or password in it")
    .default("https://download.docker.com/linux")
    .meta({
      description:
        "Docker's apt repository; the distribution's name is appended. A mirror for an air-gapped site.",
      examples: ["https://mirror.example.no/docker"],
    }),
  keyUrl: f
    .pattern(KEY, "a URL with https:// or file:///, without a user or password in it")
    .optional()
    .meta({
      description: "Where its key is. Default: <uri>/<distribution>/gpg. Required where uri is http://.",
      examples: ["https://mirror.example.no/docker/gpg"],
    }),
  fingerprint: f
    .pattern(/^[0-9A-Fa-f]{40}$/, "a full fingerprint of 40 hexadecimal digits")
    .default("9DC858229FC7DD38854AE2D88D81803C0EBFCD88")
    .meta({
      description:
        "Full fingerprint of that key; a key with another one is refused before anything is installed.",
    }),
});

export const docker = z.strictObject({
  source: f.choice(["docker", "distro"]).default("docker").meta({
    description:
      "Where the engine comes from: Docker's own apt repository (docker-ce) or the distribution (docker.io).",
    plain: true,
  }),
  repository: repository.prefault({}).meta({ description: "Docker's apt repository, for source docker." }),
  version: f
    .pattern(
      /^(\d+:)?\d[A-Za-z0-9.+~-]*$/,
      'a version as apt writes it, such as "5:24.0.2-1~ubuntu.18.04~bionic"',
    )
    .optional()
    .meta({
      description:
        "Version of docker-ce, as apt writes it; held. Default: the newest that the repository has for the host's release.",
      examples: ["5:24.0.2-1~ubuntu.18.04~bionic"],
    }),
  registryMirrors: f
    .list(f.url())
    .default([])
    .meta({ description: "Mirrors of Docker Hub.", examples: [["https://mirror.example.no"]] }),
  insecureRegistries: f
    .list(f.registryOrNetwork())
    .default([])
    .meta({ description: "Registries spoken to without TLS: for a lab.", examples: [["registry.lab:5000"]] }),
  logMaxSize: f
    .size("1k", "100g")
    .default("10m")
    .meta({ description: "A container's log is rotated at this size." }),
  logMaxFiles: f
    .whole(1, 100)
    .default(3)
    .meta({ description: "Rotated log files kept per container.", unit: "files" }),
  mtu: f
    .whole(576, 9000)
    .optional()
    .meta({
      description: "MTU of the engine's networks. Default: the engine's (1500).",
      unit: "bytes",
      examples: [1400],
    }),
});

export const swarm = z.strictObject({
  advertiseAddress: f
    .addressOrInterface()
    .optional()
    .meta({
      description:
        "Address or interface the node is known by in the swarm. Default: that of the default route.",
      examples: ["eth1"],
    }),
  addressPool: f
    .cidr()
    .default("10.201.0.0/16")
    .meta({ description: "Networks of the overlay come out of this IPv4 range, /24 each." }),
});

export const images = z.strictObject({
  registry: f
    .registry()
    .optional()
    .meta({
      description:
        "Registry (and path) that stands in for every image's own: an air-gapped site's mirror. Default: none.",
      examples: ["registry.example.no/mirror"],
    }),
  lock: f.file().default(DEFAULT_LOCK).meta({
    description:
      "File that holds the digest of each image, relative to the project; written by `npx oslo-faas images lock`.",
  }),
  own: f.choice(["build", "registry"]).default("build").meta({
    description:
      "Where this project's own images come from, the Swarm provider's, the queue worker's and those of functions with a handler: built by the host's engine, or a registry.",
  }),
  functions: f.choice(["own", "loaded"]).default("own").meta({
    description:
      "Where functions with a handler have their images from: as `own` says, or loaded onto the host from a developer's engine by `npx oslo-faas functions build --load`.",
  }),
  node: f.image().default("node:22-bookworm-slim").meta({
    description:
      "Base of the Swarm provider's and the queue worker's image, and of functions with `lang: node` where they are built.",
  }),
  python: f.image().default("python:3.13-slim-bookworm").meta({
    description: "Base of functions with `lang: python` where they are built.",
  }),
  go: f.image().default("golang:1.26-bookworm").meta({
    description: "What functions with `lang: go` are compiled in where they are built.",
  }),
  gateway: f.image().default("ghcr.io/openfaas/gateway:0.25.4").meta({ description: "OpenFaaS gateway." }),
  basicAuth: f
    .image()
    .default("ghcr.io/openfaas/basic-auth:0.25.4")
    .meta({ description: "Its basic-auth plugin." }),
  edge: f.image().default("haproxy:3.0.11").meta({
    description: "HAProxy, which calls functions in the gateway's place where `openfaas.edge` is true.",
  }),
  queueWorker: f
    .image()
    .default(`ghcr.io/oslo-faas/queue:${version}`)
    .meta({ description: "Queue worker and exporter of this project." }),
  natsStreaming: f.image().default("nats-streaming:0.25.6").meta({ description: "NATS Streaming." }),
  prometheus: f.image().default("prom/prometheus:v2.42.0").meta({ description: "Prometheus." }),
  alertmanager: f.image().default("prom/alertmanager:v0.25.0").meta({ description: "Alertmanager." }),
  swarmProvider: f
    .image()
    .default(`ghcr.io/oslo-faas/swarm-provider:${version}`)
    .meta({ description: "The Swarm provider of this project." }),
});

/** The images of the OpenFaaS stack and the node image, as the lab assembles them: users, paths and commands as upstream's have them. */
import { join } from "node:path";
import type { BuiltImage } from "./build";
import {
  certificates,
  debianPackage,
  goBinary,
  goModule,
  goModuleFolder,
  libraries,
  librariesOf,
  nodeBinary,
  nodeManifest,
  type GoPart,
} from "./sources";
import { treeOf, type Tree, writeArchive } from "./tree";
import type { Input, Work } from "./work";

/** What a container of the image runs, in the words of the OCI image configuration. */
interface RunConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
}

/** Raised when the way of assembling changes, since the key knows the inputs only. */
const RECIPE = "4";

export const NONROOT = 65532;
const NOBODY = 65534;

const gateway: GoPart = {
  part: "gateway",
  binary: "gateway",
  // GET /system/info is complete only with both. The commit lies behind the release 0.25.2.
  variables: {
    "github.com/openfaas/faas/gateway/version.Version": "0.25.2+c07bebbbc9c2",
    "github.com/openfaas/faas/gateway/version.GitCommitSHA": "c07bebbbc9c2",
    "github.com/openfaas/faas/gateway/types.Arch": process.arch === "x64" ? "amd64" : process.arch,
  },
};

const nats: GoPart = { part: "nats", binary: "nats-server" };
const natsStreaming: GoPart = { part: "nats-streaming", binary: "nats-streaming-server" };
const alertmanager: GoPart = {
  part: "alertmanager",
  binary: "alertmanager",
  variables: { "github.com/prometheus/common/version.Version": "0.28.1" },
};
const basicAuth: GoPart = { part: "basic-auth", binary: "basic-auth" };

/** Folders, users, certificates and name lookup, which every image has. */
function base(work: Work): Promise<Tree> {
  return work.once("base", async () => {
    const user = (name: string, id: number) => `${name}:x:${id}:${id}:${name}:/home/${name}:/sbin/nologin\n`;
    const group = (name: string, id: number) => `${name}:x:${id}:\n`;
    const ids: [string, number][] = [
      ["root", 0],
      ["nonroot", NONROOT],
      ["nobody", NOBODY],
    ];
    const text = (content: string) => ({ kind: "file", mode: 0o644, text: content }) as const;
    return {
      "etc/passwd": text(ids.map(([name, id]) => user(name, id)).join("")),
      "etc/group": text(ids.map(([name, id]) => group(name, id)).join("")),
      "etc/nsswitch.conf": text("hosts: files dns\n"),
      "etc/ssl/certs/ca-certificates.crt": text(await certificates(work)),
      "home/nonroot": { kind: "directory", mode: 0o755, uid: NONROOT },
      tmp: { kind: "directory", mode: 0o1777 },
    } satisfies Tree;
  });
}

/** @param needsC whether it gets the C library, for programs that are not static */
export async function contextOf(
  work: Work,
  name: string,
  tree: Tree,
  run: RunConfig,
  needsC = false,
): Promise<Tree> {
  const libc = needsC ? await libraries(work, "libc6") : {};
  const root = join(work.folder("roots"), `${name}.tar`);
  await writeArchive({ ...(await base(work)), ...libc, ...tree }, root);
  return {
    Dockerfile: { kind: "file", mode: 0o644, text: dockerfileOf(run) },
    "root.tar": { kind: "file", mode: 0o644, from: root },
  };
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `ADD` and not `COPY`: it keeps the owners in the archive. */
function dockerfileOf({ User, Env = [], Entrypoint, Cmd, WorkingDir, ExposedPorts = {} }: RunConfig): string {
  const lines = [
    "FROM scratch",
    "ADD root.tar /",
    `ENV ${[PATH, ...Env].join(" ")}`,
    User && `USER ${User}`,
    WorkingDir && `WORKDIR ${WorkingDir}`,
    ...Object.keys(ExposedPorts).map((port) => `EXPOSE ${port}`),
    Entrypoint && `ENTRYPOINT ${JSON.stringify(Entrypoint)}`,
    Cmd && `CMD ${JSON.stringify(Cmd)}`,
  ];
  return lines
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .join("");
}

const program = (from: string) => ({ kind: "file", mode: 0o755, from }) as const;
const goInputs = (part: GoPart): Input[] => [
  RECIPE,
  { path: goModule(part.part) },
  JSON.stringify(part.variables ?? {}),
];

export const REGISTRY_IMAGE: BuiltImage = {
  name: "oslo-faas/registry",
  inputs: [RECIPE, "docker-registry"],
  context: async (work) => {
    const root = await debianPackage(work, "docker-registry");
    const config = [
      "version: 0.1",
      "log: {level: warn, accesslog: {disabled: true}}",
      "storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}",
      "http: {addr: ':5000'}",
    ].join("\n");
    const tree: Tree = {
      "bin/registry": program(`${root}/usr/bin/docker-registry`),
      "etc/docker/registry/config.yml": { kind: "file", mode: 0o644, text: `${config}\n` },
      "var/lib/registry": { kind: "directory", mode: 0o755, uid: NONROOT },
    };
    const run: RunConfig = {
      User: String(NONROOT),
      Entrypoint: ["/bin/registry"],
      Cmd: ["serve", "/etc/docker/registry/config.yml"],
      ExposedPorts: { "5000/tcp": {} },
    };
    return contextOf(work, "registry", tree, run, true);
  },
};

/** Under the Swarm provider, the queue worker and functions of Node. */
export const NODE: BuiltImage = {
  name: "oslo-faas/node:22",
  inputs: [RECIPE, { path: nodeManifest(), skip: /^node_modules$/ }],
  context: async (work) => {
    const tree: Tree = {
      ...(await libraries(work, "libstdc++6")),
      ...(await libraries(work, "libgcc-s1")),
      "usr/local/bin/node": program(await nodeBinary(work)),
      app: { kind: "directory", mode: 0o755 },
    };
    const run: RunConfig = {
      User: String(NONROOT),
      Entrypoint: ["/usr/local/bin/node"],
      WorkingDir: "/app",
      Env: ["NODE_ENV=production", "HOME=/home/nonroot"],
    };
    return contextOf(work, "node", tree, run, true);
  },
};

export const STACK_IMAGES: BuiltImage[] = [
  NODE,
  {
    name: "openfaas/gateway:c07bebbbc9c2",
    inputs: goInputs(gateway),
    context: async (work) => {
      const binary = await goBinary(work, gateway);
      const assets = `${await goModuleFolder(work, gateway, "github.com/openfaas/faas/gateway")}/assets`;
      const tree: Tree = { "home/app/gateway": program(binary), ...treeOf(assets, "home/app/assets") };
      const ExposedPorts = { "8080/tcp": {}, "8082/tcp": {} };
      const run = { User: String(NONROOT), WorkingDir: "/home/app", Cmd: ["./gateway"], ExposedPorts };
      return contextOf(work, "gateway", tree, run);
    },
  },
  {
    name: "openfaas/basic-auth:6afae214e3ec",
    inputs: goInputs(basicAuth),
    context: async (work) => {
      const tree: Tree = { "home/app/handler": program(await goBinary(work, basicAuth)) };
      const run = { User: String(NONROOT), WorkingDir: "/home/app", Cmd: ["./handler"] };
      return contextOf(work, "basic-auth", tree, run);
    },
  },
  {
    name: "library/nats:2.15.3",
    inputs: goInputs(nats),
    context: async (work) => {
      const tree: Tree = { "nats-server": program(await goBinary(work, nats)) };
      // As upstream's image: root, since its volume is.
      const run = {
        Entrypoint: ["/nats-server"],
        ExposedPorts: { "4222/tcp": {}, "8222/tcp": {} },
      };
      return contextOf(work, "nats", tree, run);
    },
  },
  {
    name: "library/nats-streaming:0.25.6",
    inputs: goInputs(natsStreaming),
    context: async (work) => {
      const tree: Tree = { "nats-streaming-server": program(await goBinary(work, natsStreaming)) };
      // Runs as root, as upstream's image does: a volume that such a container made has to stay readable under this one.
      const run = {
        Entrypoint: ["/nats-streaming-server"],
        Cmd: ["-m", "8222"],
        ExposedPorts: { "4222/tcp": {}, "8222/tcp": {} },
      };
      return contextOf(work, "nats-streaming", tree, run);
    },
  },
  {
    name: "library/haproxy:2.6-debian",
    inputs: [RECIPE, "haproxy"],
    context: async (work) => {
      const root = await debianPackage(work, "haproxy");
      const tree: Tree = {
        ...(await librariesOf(work, "haproxy")),
        "usr/sbin/haproxy": program(`${root}/usr/sbin/haproxy`),
      };
      // The official image starts a master and a worker as well.
      const run = { User: String(NONROOT), Entrypoint: ["/usr/sbin/haproxy", "-W", "-db"] };
      return contextOf(work, "haproxy", tree, run, true);
    },
  },
  {
    name: "prom/prometheus:v2.42.0-debian",
    inputs: [RECIPE, "prometheus"],
    context: async (work) => {
      const root = await debianPackage(work, "prometheus");
      const tree: Tree = {
        "bin/prometheus": program(`${root}/usr/bin/prometheus`),
        ...treeOf(`${root}/usr/share/prometheus/web`, "usr/share/prometheus/web"),
        "etc/prometheus/prometheus.yml": { kind: "file", mode: 0o644, text: "global: {}\n" },
        prometheus: { kind: "directory", mode: 0o755, uid: NOBODY },
      };
      const run = {
        User: "nobody",
        WorkingDir: "/prometheus",
        Entrypoint: ["/bin/prometheus"],
        Cmd: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
        ExposedPorts: { "9090/tcp": {} },
      };
      return contextOf(work, "prometheus", tree, run, true);
    },
  },
  {
    name: "prom/alertmanager:v0.28.1",
    inputs: goInputs(alertmanager),
    context: async (work) => {
      const tree: Tree = {
        "bin/alertmanager": program(await goBinary(work, alertmanager)),
        alertmanager: { kind: "directory", mode: 0o755, uid: NOBODY },
        "etc/alertmanager": { kind: "directory", mode: 0o755 },
      };
      const run = {
        User: "nobody",
        WorkingDir: "/alertmanager",
        Entrypoint: ["/bin/alertmanager"],
        Cmd: ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
        ExposedPorts: { "9093/tcp": {} },
      };
      return contextOf(work, "alertmanager", tree, run);
    },
  },
];

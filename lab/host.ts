/**
 * The disposable host: a container that runs systemd and sshd, and nothing else until Pulumi has been there. It is made once
 * and then left alone; whatever a killed run left of it is repaired or made anew.
 */
import { createConnection } from "node:net";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type Docker from "dockerode";
import tar from "tar-stream";
import type { Base } from "./base";
import { ensureCertificate } from "./certificate";
import { RELEASE } from "./base";
import { LABEL_CLONE, LABEL_INSTANCE, LABEL_SPEC, type Lab, loadLab } from "./config";
import { orMissing, waitFor } from "./docker";
import { LabError } from "./errors";
import { ensureKeys } from "./keys";
import { innerContainers, removeControlGroups } from "./leftovers";
import { canBePrivileged, type HostFile, machineFiles } from "./machine";
import type { Progress } from "./progress";

/** Of the user ops, as base/setup.sh makes it. */
const OPS_UID = 2000;

export interface HostResult {
  /** True when this run made the host: what an earlier host's stack state says is then about something that is gone. */
  created: boolean;
  /** Id of the container. */
  id: string;
}

/** Makes or starts the host and waits until systemd is up and sshd answers. Leaves a running one as it is. */
export async function ensureHost(
  lab: Lab,
  docker: Docker,
  base: Base,
  progress: Progress,
): Promise<HostResult> {
  const keys = ensureKeys(lab);
  await releasePorts(lab, docker, progress);
  const spec = await hostSpec(lab, docker, base);
  let found = await orMissing(docker.getContainer(lab.container).inspect());
  // Between "create" and the files being in it a run may have been killed; the key in use may have been lost since.
  if (
    found &&
    found.Config.Labels["no.oslo-faas.host-key"] !== fingerprint(keys.hostPublic + keys.clientPublic)
  ) {
    progress.say("the host that is there does not have this lab's keys; making a new one");
    await removeHost(lab, docker);
    found = undefined;
  }
  if (found?.State.Running && (await sshdAnswers(lab))) return { created: false, id: found.Id };
  const created = !found;
  if (found && found.Config.Labels[LABEL_SPEC] !== spec.Labels?.[LABEL_SPEC]) {
    progress.say(
      "this host was made by another version of the lab: `npm run down` and `npm run up` renew it",
    );
  }
  const container = found ? docker.getContainer(found.Id) : await docker.createContainer(spec);
  if (!found?.State.Running) {
    progress.say(found ? "starting the host again" : `making the host ${lab.container}`);
    // Put in before every start: a run that was killed between "create" and here left a container without them.
    await container.putArchive(await archive([...keyFiles(keys), ...machineFiles(RELEASE, base.debian)]), {
      path: "/",
    });
    await start(container, lab);
  }
  await ready(lab, container, progress);
  const { Id: id } = await container.inspect();
  return { created, id };
}

/** Removes the container, its volume and what the containers inside it left on the machine. Nothing there is fine. */
export async function removeHost(lab: Lab, docker: Docker): Promise<void> {
  const volume = docker.getVolume(lab.volume);
  const ids = innerContainers((await orMissing(volume.inspect()))?.Mountpoint ?? "");
  await orMissing(docker.getContainer(lab.container).remove({ force: true, v: true }));
  await orMissing(volume.remove());
  removeControlGroups(ids);
}

/** What `docker run` would be given. */
async function hostSpec(lab: Lab, docker: Docker, base: Base): Promise<Docker.ContainerCreateOptions> {
  const keys = ensureKeys(lab);
  const info = (await docker.info()) as { CgroupVersion?: string };
  const spec: Docker.ContainerCreateOptions = {
    name: lab.container,
    Image: base.image,
    Hostname: lab.instance === "lab" ? "oslo-local" : `oslo-${lab.instance}`,
    Cmd: ["/sbin/init"],
    Env: ["container=docker"],
    StopSignal: "SIGRTMIN+3",
    ExposedPorts: { "22/tcp": {}, "80/tcp": {}, "443/tcp": {} },
    HostConfig: {
      ...privileges(info.CgroupVersion),
      Tmpfs: { "/run": "", "/run/lock": "", "/tmp": "exec" },
      NetworkMode: lab.network,
      PortBindings: {
        "22/tcp": [{ HostIp: "127.0.0.1", HostPort: String(lab.ports.ssh) }],
        "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(lab.ports.http) }],
        "443/tcp": [{ HostIp: "127.0.0.1", HostPort: String(lab.ports.https) }],
      },
      // The inner engine's data lies on the machine's own file system: overlayfs does not stack on overlayfs.
      Mounts: [
        { Type: "volume", Source: lab.volume, Target: "/var/lib/docker", VolumeOptions: volumeOptions(lab) },
      ],
    },
  };
  if (info.CgroupVersion !== "2") spec.HostConfig!.Binds = ["/sys/fs/cgroup:/sys/fs/cgroup:rw"];
  spec.Labels = {
    ...lab.labels,
    [LABEL_SPEC]: fingerprint(JSON.stringify(spec)),
    "no.oslo-faas.host-key": fingerprint(keys.hostPublic + keys.clientPublic),
  };
  return spec;
}

function volumeOptions(lab: Lab): Docker.MountSettings["VolumeOptions"] {
  return { NoCopy: true, Labels: lab.labels, DriverConfig: { Name: "local", Options: {} } };
}

/**
 * systemd and an engine need nearly all that the kernel can give. Where the machine itself is confined (no CAP_SYS_RESOURCE in
 * its bounding set) the engine cannot grant --privileged, and everything else is granted piece by piece.
 * cgroup v1: the machine's own tree, since in a namespace of its own the inner engine's containers do not start. Groups are named
 * by container ids, so two labs do not meet in it. cgroup v2: a namespace, in which systemd is the root.
 */
function privileges(cgroupVersion: string | undefined): Docker.HostConfig {
  const cgroup = { CgroupnsMode: cgroupVersion === "2" ? ("private" as const) : ("host" as const) };
  if (canBePrivileged()) return { ...cgroup, Privileged: true };
  return {
    ...cgroup,
    CapAdd: ["ALL"],
    CapDrop: ["SYS_RESOURCE"],
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    // The same as `--security-opt systempaths=unconfined`: sysctl writes to /proc/sys.
    MaskedPaths: [],
    ReadonlyPaths: [],
  };
}

async function start(container: Docker.Container, lab: Lab): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const taken = /port is already allocated|address already in use/.exec(message);
    if (!taken) throw error;
    throw new LabError(
      `A port of the lab is taken by another program on this machine: ${message.replace(/^.*?: /, "")}`,
      `The lab needs 127.0.0.1:${lab.ports.ssh}, :${lab.ports.http} and :${lab.ports.https}. End that program, or run a second lab: OSLO_FAAS_LAB=other OSLO_FAAS_LAB_SSH_PORT=… (see lab/README.md).`,
    );
  }
}

async function ready(lab: Lab, container: Docker.Container, progress: Progress): Promise<void> {
  let state = "nothing";
  progress.status("waiting for systemd");
  await waitFor(
    async () => {
      const info = await container.inspect();
      if (!info.State.Running) {
        throw new LabError(
          `The host ended right after its start (exit code ${info.State.ExitCode}${info.State.Error ? `, ${info.State.Error}` : ""}).`,
          `See \`docker logs ${lab.container}\`; \`npm run down\` removes it.`,
        );
      }
      state = (await execute(container, ["systemctl", "is-system-running"])).trim() || state;
      progress.status(`systemd: ${state}`);
      return state === "running" || state === "degraded";
    },
    { what: "systemd in the host to be up", limitMs: 90_000, seen: () => state },
  );
  if (machineFiles(RELEASE, false).some((file) => file.path.endsWith(".crt"))) {
    await execute(container, ["update-ca-certificates"]);
  }
  await ensureCertificate((command) => execute(container, command));
  await waitFor(() => sshdAnswers(lab), {
    what: `sshd to answer on 127.0.0.1:${lab.ports.ssh}`,
    limitMs: 30_000,
  });
}

/** True once sshd's own greeting came through the published port; the port alone is open before sshd is. */
export function sshdAnswers(lab: Lab, limitMs = 3000): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ host: "127.0.0.1", port: lab.ports.ssh });
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(limitMs, () => end(false));
    socket.once("error", () => end(false));
    socket.once("end", () => end(false));
    socket.once("data", (greeting) => end(greeting.toString().startsWith("SSH-2.0")));
  });
}

/** Runs a program in the container and gives back what it printed, whatever its exit code. */
export async function execute(
  container: Docker.Container,
  command: string[],
  limitMs = 30_000,
): Promise<string> {
  const exec = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true, Tty: true });
  const stream = await exec.start({ hijack: false, stdin: false, Tty: true });
  return new Promise((done, fail) => {
    let output = "";
    const timer = setTimeout(() => {
      stream.destroy();
      fail(new LabError(`\`${command.join(" ")}\` in the host took longer than ${limitMs / 1000} s.`));
    }, limitMs);
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    stream.on("end", () => (clearTimeout(timer), done(output)));
    stream.on("error", (error: Error) => (clearTimeout(timer), fail(error)));
  });
}

/**
 * A lab of another clone that has this one's names or ports is refused, naming the clone. One whose clone is gone is removed,
 * whatever its ports: nobody can take it down any more.
 */
async function releasePorts(lab: Lab, docker: Docker, progress: Progress): Promise<void> {
  const ports = new Set(Object.values(lab.ports));
  for (const container of await docker.listContainers({ all: true, filters: { label: [LABEL_CLONE] } })) {
    const clone = container.Labels[LABEL_CLONE]!;
    const name = container.Names[0]?.slice(1);
    if (!existsSync(clone)) {
      progress.say(`removing ${name}, left over from the deleted clone ${clone}`);
      await removeDeserted(container, docker);
      continue;
    }
    const sameName = container.Names.includes(`/${lab.container}`);
    const samePorts = container.Ports.some((port) => port.PublicPort && ports.has(port.PublicPort));
    if (clone === lab.cloneDir || !(sameName || samePorts)) continue;
    throw new LabError(
      `The lab ${name} of another clone, ${clone}, holds this lab's name or ports.`,
      `Run \`npm run down\` in ${clone}, or run a second lab beside it: OSLO_FAAS_LAB=other npm run up.`,
    );
  }
}

async function removeDeserted(container: Docker.ContainerInfo, docker: Docker): Promise<void> {
  await orMissing(docker.getContainer(container.Id).remove({ force: true, v: true }));
  const instance = container.Labels[LABEL_INSTANCE];
  if (!instance) return;
  const deserted = loadLab({ OSLO_FAAS_LAB: instance }, container.Labels[LABEL_CLONE]);
  await removeHost(deserted, docker);
  // By now a network of that name may be this lab's.
  const network = docker.getNetwork(deserted.network);
  if ((await orMissing(network.inspect()))?.Labels?.[LABEL_CLONE] === deserted.cloneDir)
    await network.remove();
}

function keyFiles(keys: { clientPublic: string; hostPrivate: string; hostPublic: string }): HostFile[] {
  return [
    { path: "/etc/ssh/ssh_host_ed25519_key", content: keys.hostPrivate, mode: 0o600 },
    { path: "/etc/ssh/ssh_host_ed25519_key.pub", content: keys.hostPublic, mode: 0o644 },
    { path: "/root/.ssh/authorized_keys", content: keys.clientPublic, mode: 0o600 },
    { path: "/home/ops/.ssh/authorized_keys", content: keys.clientPublic, mode: 0o600, uid: OPS_UID },
  ];
}

function archive(files: HostFile[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const file of files) {
    const uid = file.uid ?? 0;
    pack.entry(
      { name: file.path.slice(1), mode: file.mode, uid, gid: uid, mtime: new Date(0) },
      file.content,
    );
  }
  pack.finalize();
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    pack.on("data", (chunk: Buffer) => chunks.push(chunk));
    pack.on("end", () => done(Buffer.concat(chunks)));
    pack.on("error", fail);
  });
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

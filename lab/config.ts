/**
 * Where a lab lives: its name, ports, folders and the names of its Docker objects. Everything else in lab/ takes the `Lab`
 * made here, so that the tests can run a second one ("instance") beside a developer's.
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { LabError } from "./errors";

export interface Ports {
  /** sshd of the host, on 127.0.0.1. */
  ssh: number;
  /** Nginx of the host, HTTP, on 127.0.0.1. */
  http: number;
  /** Nginx of the host, HTTPS, on 127.0.0.1. */
  https: number;
}

export interface Lab {
  /** "lab", or what OSLO_FAAS_LAB names. */
  instance: string;
  /** Name of the container, the network and (with "-docker") the volume: `oslo-faas-<instance>`. */
  name: string;
  container: string;
  network: string;
  volume: string;
  labels: Record<string, string>;
  ports: Ports;
  /** The stack this lab is the host of: "local" for the instance "lab", else the instance's name. */
  stack: string;
  /** The clone's root folder, absolute. */
  cloneDir: string;
  /** <clone>/.cache/<instance>: keys, logs and the image lock of this lab. `down` removes it. */
  cacheDir: string;
  /** ${XDG_CACHE_HOME:-~/.cache}/oslo-faas: what is slow to build, shared by every clone on the machine. */
  sharedCacheDir: string;
  ssh: { privateKey: string; publicKey: string; hostPrivateKey: string; hostPublicKey: string };
  /** Written by lab/images, read by the Pulumi program. */
  imagesLock: string;
  /** Passphrase of the lab's stack: a constant, see lab/README.md. */
  passphraseFile: string;
  /** Stack file handed to the engine, or undefined where the committed one fits (the instance "lab"). */
  derivedStackFile: string | undefined;
}

export const LABEL_INSTANCE = "no.oslo-faas.instance";
export const LABEL_CLONE = "no.oslo-faas.clone";
/** Hash of all that `docker run` was given: another value means that the container has to be made anew. */
export const LABEL_SPEC = "no.oslo-faas.spec";

const DEFAULT_PORTS: Ports = { ssh: 2222, http: 8088, https: 8443 };
const OTHER_PORTS: Ports = { ssh: 2232, http: 8098, https: 8453 };

/**
 * The lab of this process, from its environment:
 * - OSLO_FAAS_LAB: name of the instance. Default: "lab". Example: "e2e".
 * - OSLO_FAAS_LAB_SSH_PORT, …_HTTP_PORT, …_HTTPS_PORT: ports of an instance other than "lab", whose ports are fixed because
 *   the committed stack `local` names them. Default: 2232, 8098, 8453.
 * Throws LabError naming the variable for a value that cannot be used.
 */
export function loadLab(env: NodeJS.ProcessEnv = process.env, cloneDir = resolve(__dirname, "..")): Lab {
  const instance = env.OSLO_FAAS_LAB || "lab";
  if (!/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(instance) || instance.startsWith("oslo-")) {
    throw new LabError(
      `OSLO_FAAS_LAB is "${instance}", which cannot name a lab.`,
      "Use up to 30 lower-case letters, digits and dashes, not beginning with `oslo-` (those are real environments).",
    );
  }
  const isDefault = instance === "lab";
  const name = `oslo-faas-${instance}`;
  const cacheDir = join(cloneDir, ".cache", instance);
  const ssh = join(cacheDir, "ssh");
  return {
    instance,
    name,
    container: name,
    network: name,
    volume: `${name}-docker`,
    labels: { [LABEL_INSTANCE]: instance, [LABEL_CLONE]: cloneDir },
    ports: isDefault ? DEFAULT_PORTS : portsFrom(env),
    stack: isDefault ? "local" : instance,
    cloneDir,
    cacheDir,
    sharedCacheDir: join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "oslo-faas"),
    ssh: {
      privateKey: join(ssh, "id_ed25519"),
      publicKey: join(ssh, "id_ed25519.pub"),
      hostPrivateKey: join(ssh, "host_ed25519"),
      hostPublicKey: join(ssh, "host_ed25519.pub"),
    },
    imagesLock: join(cacheDir, "images.lock.json"),
    passphraseFile: join(cloneDir, "lab", "passphrase"),
    derivedStackFile: isDefault ? undefined : join(cacheDir, `Pulumi.${instance}.yaml`),
  };
}

function portsFrom(env: NodeJS.ProcessEnv): Ports {
  const ports = {
    ssh: port(env, "OSLO_FAAS_LAB_SSH_PORT", OTHER_PORTS.ssh),
    http: port(env, "OSLO_FAAS_LAB_HTTP_PORT", OTHER_PORTS.http),
    https: port(env, "OSLO_FAAS_LAB_HTTPS_PORT", OTHER_PORTS.https),
  };
  if (new Set(Object.values(ports)).size < 3) {
    throw new LabError(
      `The lab's ports have to differ: ssh ${ports.ssh}, http ${ports.http}, https ${ports.https}.`,
      "Set OSLO_FAAS_LAB_SSH_PORT, OSLO_FAAS_LAB_HTTP_PORT and OSLO_FAAS_LAB_HTTPS_PORT to three free ports.",
    );
  }
  return ports;
}

function port(env: NodeJS.ProcessEnv, variable: string, fallback: number): number {
  const text = env[variable];
  if (!text) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1024 && value <= 65535) return value;
  throw new LabError(`${variable} is "${text}".`, "Give a port from 1024 to 65535.");
}

/**
 * The connection to the machine's Docker engine. dockerode rather than the docker command: it asks for no API version, so an
 * engine older than the command on PATH (which then refuses to talk to it) works too, and nothing needs quoting.
 */
import { existsSync } from "node:fs";
import Docker from "dockerode";
import { run } from "../programs/run";
import { LabError } from "./errors";

export const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * Where the engine listens: DOCKER_HOST, else the usual socket, else what the docker command's current context says (rootless
 * engines, Docker Desktop). Throws LabError for an engine on another machine: the lab's ports have to be on this one.
 */
export async function engineAddress(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const address = env.DOCKER_HOST || (existsSync(DEFAULT_SOCKET) ? undefined : await contextAddress(env));
  if (!address) return `unix://${DEFAULT_SOCKET}`;
  const local =
    /^unix:\/\//.test(address) || /^tcp:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:|$)/.test(address);
  if (!local) {
    throw new LabError(
      `The Docker engine at ${address} is not on this machine.`,
      "The lab publishes its ports on 127.0.0.1 and needs an engine here: unset DOCKER_HOST for this command.",
    );
  }
  return address;
}

async function contextAddress(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const inspect = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
  const { problem, stdout } = await run("docker", inspect, { env, limitMs: 5000 });
  // No docker command: nothing but the usual socket to look at.
  return problem ? undefined : stdout.trim() || undefined;
}

export async function connect(env: NodeJS.ProcessEnv = process.env): Promise<Docker> {
  const address = await engineAddress(env);
  if (address.startsWith("unix://")) return new Docker({ socketPath: address.slice("unix://".length) });
  // docker-modem reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH itself when it is given nothing.
  return new Docker();
}

/** True when the engine answers within the limit. */
export async function answers(docker: Docker, limitMs = 5000): Promise<boolean> {
  const ping = docker.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([ping, delay(limitMs).then(() => false)]);
}

/** The value of a Docker call, or undefined where the engine says that the object does not exist. */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds).unref());
}

export interface WaitOptions {
  /** What is waited for, as it is to read in the error: "sshd to answer on 127.0.0.1:2222". */
  what: string;
  limitMs: number;
  everyMs?: number;
  /** Adds what was last seen to the error. */
  seen?: () => string | undefined;
  remedy?: string;
}

/** Polls until `ready` gives a value other than false or undefined. Throws LabError once the limit has passed. */
export async function waitFor<T>(
  ready: () => Promise<T | false | undefined>,
  options: WaitOptions,
): Promise<T> {
  const end = Date.now() + options.limitMs;
  for (;;) {
    const value = await ready();
    if (value !== false && value !== undefined) return value;
    if (Date.now() >= end) {
      const seen = options.seen?.();
      throw new LabError(
        `Waited ${Math.round(options.limitMs / 1000)} s for ${options.what}.${seen ? ` Last seen: ${seen}` : ""}`,
        options.remedy,
      );
    }
    await new Promise((done) => setTimeout(done, options.everyMs ?? 250));
  }
}

/** One SSH connection: the host's key is checked before anything else, and every way it can fail has a message of its own. */
import * as crypto from "node:crypto";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import type { Endpoint, Target } from "./config";
import { bracketed } from "../../../shared/address";
import { HostError } from "./session";

/** ssh2 sends none unless told. Half a minute of silence is a lost connection: a busy host's sshd still answers these. */
const KEEPALIVE_MS = 5_000;
const KEEPALIVE_MISSES = 6;
const RETRY_MS = [250, 500, 1000, 2000];

const ALGORITHMS: Record<string, string[]> = { "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] };

/** A failed dial that another attempt may heal: nobody listens (yet), or the connection was dropped before a word was said. */
class Transient extends Error {}

export const endpointName = ({ user, host, port }: Endpoint): string => `${user}@${bracketed(host)}:${port}`;

const fingerprint = (key: Buffer): string =>
  `SHA256:${crypto.createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
const keyBytes = (line: string): Buffer => Buffer.from(line.split(" ")[1] ?? "", "base64");
/** The key's own name for its type: a length and the name. */
const keyType = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString();

export interface Connection {
  client: Client;
  close(): void;
}

/**
 * Connects within `dialTimeoutSeconds` in all, jump host included. A refused or dropped connection is tried again within that time;
 * a wrong host key and a refused login are not.
 */
export async function connect(target: Target): Promise<Connection> {
  const deadline = Date.now() + target.dialTimeoutSeconds * 1000;
  if (!target.jump) {
    const client = await dialWithRetries(target, target, deadline);
    return { client, close: () => client.end() };
  }
  const first = await dialWithRetries(target.jump, target, deadline);
  try {
    const client = await dialWithRetries(target, target, deadline, first);
    const close = () => (client.end(), first.end());
    client.on("close", () => first.end());
    // What goes through a dead jump host is dead too; ssh2 does not see it by itself.
    first.on("close", () => client.destroy());
    return { client, close };
  } catch (error) {
    first.end();
    throw error;
  }
}

async function dialWithRetries(
  endpoint: Endpoint,
  target: Target,
  deadline: number,
  through?: Client,
): Promise<Client> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await dial(endpoint, target, deadline, through);
    } catch (error) {
      const pause = RETRY_MS[attempt] ?? RETRY_MS.at(-1) ?? 0;
      if (!(error instanceof Transient) || Date.now() + pause + 100 > deadline)
        throw unreachable(endpoint, target, error, attempt + 1);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function unreachable(endpoint: Endpoint, target: Target, error: unknown, attempts: number): unknown {
  if (!(error instanceof Transient)) return error;
  const times = attempts > 1 ? ` (${attempts} attempts within ${target.dialTimeoutSeconds} s)` : "";
  return connectError(
    endpoint,
    target,
    `cannot connect to ${endpointName(endpoint)}: ${error.message}${times}`,
    `check that the host is up, that its address and port are right, and that a firewall lets this machine in: ssh -p ${endpoint.port} ${endpoint.user}@${endpoint.host}`,
  );
}

function connectError(endpoint: Endpoint, target: Target, message: string, remedy: string): HostError {
  const host = endpointName(target);
  const step = endpoint === target ? "connect" : "connect through the jump host";
  return new HostError(message, { host, step, remedy });
}

/** Loaded when it is needed. Outside of a bundle an import() of CommonJS names only some of what it exports; `default` is all of it. */
const ssh2 = async () => (await import("ssh2")).default;

/** Says in which phase a dial is, so that its time-out can say what was waited for. */
type Phase = "a TCP connection" | "the SSH server's greeting and key" | "the login";

async function dial(endpoint: Endpoint, target: Target, deadline: number, through?: Client): Promise<Client> {
  const { Client: SshClient } = await ssh2();
  const client = new SshClient();
  let phase: Phase = "a TCP connection";
  let sock: Duplex | undefined;
  let verdict: HostError | undefined;
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const ms = Math.max(1, deadline - Date.now());
    timer = setTimeout(
      () => reject(new Transient(`no answer within ${target.dialTimeoutSeconds} s, waiting for ${phase}`)),
      ms,
    );
  });
  const attempt = async (): Promise<Client> => {
    sock = through
      ? await openThrough(through, endpoint)
      : await openTcp(endpoint, (socket) => (sock = socket));
    phase = "the SSH server's greeting and key";
    return handshake(client, {
      ...(await credentials(endpoint, target)),
      sock,
      username: endpoint.user,
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_MISSES,
      algorithms: { serverHostKey: serverHostKeys(endpoint) },
      hostVerifier: (key: Buffer) => {
        phase = "the login";
        verdict = judgeKey(endpoint, target, key);
        return verdict === undefined;
      },
    });
  };
  try {
    return await Promise.race([attempt(), expiry]);
  } catch (error) {
    client.destroy();
    sock?.destroy();
    throw verdict ?? (await explain(error as ConnectError, endpoint, target, deadline, through));
  } finally {
    clearTimeout(timer);
  }
}

function openTcp({ host, port }: Endpoint, created: (socket: net.Socket) => void): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, noDelay: true });
    created(socket);
    socket.once("connect", () => (socket.removeListener("error", reject), resolve(socket)));
    socket.once("error", reject);
  });
}

function openThrough(jump: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    jump.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
      error ? reject(new Transient(`the jump host cannot reach it (${error.message})`)) : resolve(channel),
    );
  });
}

function handshake(client: Client, config: ConnectConfig): Promise<Client> {
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      client.removeAllListeners("error");
      // An error without a listener would end the process; "close" follows and is what the pool listens to.
      client.on("error", () => undefined);
      resolve(client);
    });
    client.on("error", reject);
    client.once("close", () =>
      reject(Object.assign(new Error("the connection was closed before the login"), { code: "ECLOSED" })),
    );
    client.connect(config);
  });
}

function serverHostKeys({ hostKeys }: Endpoint): ServerHostKeyAlgorithm[] {
  return [...new Set(hostKeys.map((line) => line.split(" ")[0] ?? ""))].flatMap(
    (type) => ALGORITHMS[type] ?? [type],
  ) as ServerHostKeyAlgorithm[];
}

async function credentials(endpoint: Endpoint, target: Target): Promise<Partial<ConnectConfig>> {
  if (endpoint.privateKey !== undefined) {
    const { parseKey } = (await ssh2()).utils;
    const parsed = parseKey(endpoint.privateKey);
    if (!(parsed instanceof Error)) return { privateKey: endpoint.privateKey };
    const remedy = /encrypted/i.test(parsed.message)
      ? "a key with a passphrase is used through the agent: ssh-add it and give neither privateKey nor privateKeyPath"
      : "give a private key as OpenSSH writes it (ssh-keygen -t ed25519)";
    throw connectError(
      endpoint,
      target,
      `the private key for ${endpointName(endpoint)} cannot be used: ${parsed.message}`,
      remedy,
    );
  }
  const agent = process.env.SSH_AUTH_SOCK;
  if (agent) return { agent };
  throw connectError(
    endpoint,
    target,
    `there is no key to log in to ${endpointName(endpoint)} with: neither privateKey nor privateKeyPath is given, and no SSH agent runs (SSH_AUTH_SOCK is not set)`,
    "give privateKeyPath, or start an agent and ssh-add a key",
  );
}

function judgeKey(endpoint: Endpoint, target: Target, offered: Buffer): HostError | undefined {
  const pinned = endpoint.hostKeys.map(keyBytes);
  if (pinned.some((key) => key.equals(offered))) return undefined;
  const wanted = pinned.map((key) => `${fingerprint(key)} (${keyType(key)})`).join(" or ");
  return connectError(
    endpoint,
    target,
    `the host key of ${endpointName(endpoint)} is not the pinned one: pinned ${wanted}, offered ${fingerprint(offered)} (${keyType(offered)}). Nothing was sent to that host`,
    "compare with what the host's own console prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); set hostKey to the new key only if the host was reinstalled by you; else somebody stands in between",
  );
}

/** What ssh2 and Node say of a connection that did not come about. */
interface ConnectError extends Error {
  level?: string;
  code?: string;
}

async function explain(
  error: ConnectError,
  endpoint: Endpoint,
  target: Target,
  deadline: number,
  through?: Client,
): Promise<Error> {
  if (error instanceof HostError || error instanceof Transient) return error;
  const name = endpointName(endpoint);
  if (error.level === "client-authentication") {
    const how = endpoint.privateKey === undefined ? "any key of the SSH agent" : "the given private key";
    return connectError(
      endpoint,
      target,
      `${name} does not accept ${how}`,
      `put the public key into ~${endpoint.user}/.ssh/authorized_keys on the host`,
    );
  }
  if (error.code === "ENOTFOUND")
    return connectError(endpoint, target, `there is no host called ${endpoint.host}`, "check the address");
  if (/no matching host key/i.test(error.message)) {
    const offered = await offeredKey(endpoint, deadline, through);
    if (offered) return judgeKey(endpoint, target, offered) ?? error;
  }
  const transient = [
    "ECONNREFUSED",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ETIMEDOUT",
    "ECONNRESET",
    "EPIPE",
    "EAI_AGAIN",
    "ECLOSED",
  ];
  if (
    transient.includes(error.code ?? "") ||
    /lost before handshake|ended without|client-socket/i.test(`${error.message} ${error.level ?? ""}`)
  )
    return new Transient(error.message);
  return connectError(
    endpoint,
    target,
    `cannot connect to ${name}: ${error.message}`,
    "check that an SSH server answers there",
  );
}

/** The key the host offers when it has none of the pinned type: for the message only. The handshake ends right after it. */
async function offeredKey(
  endpoint: Endpoint,
  deadline: number,
  through?: Client,
): Promise<Buffer | undefined> {
  const { Client: SshClient } = await ssh2();
  const client = new SshClient();
  try {
    const sock = through ? await openThrough(through, endpoint) : await openTcp(endpoint, () => undefined);
    return await new Promise((resolve) => {
      client.on("error", () => resolve(undefined));
      client.connect({
        sock,
        username: endpoint.user,
        readyTimeout: Math.max(100, deadline - Date.now()),
        hostVerifier: (key: Buffer) => (resolve(key), false),
      });
    });
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

/** Opens a session channel that runs `command` through the user's login shell. */
export function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

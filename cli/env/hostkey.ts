/** Fetches the public key of a host like ssh-keyscan, with a handshake that ends before the login. */
import crypto from "node:crypto";
import net from "node:net";
import { Client } from "ssh2";
import { bracketed } from "../../shared/address";
import { hostKeyProblem } from "../../shared/hostKey";

export interface HostKey {
  /** As it is pinned: "ssh-ed25519 AAAA…". */
  line: string;
  /** As OpenSSH shows it: "SHA256:…". */
  fingerprint: string;
}

/** The types that an environment can pin, in the order in which a host is asked for them. */
const TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;

export const TIMEOUT_MS = 15_000;

/** Parses the line of a key. @throws an Error if it is not one */
export function hostKey(line: string): HostKey {
  const [type = "", data = ""] = line.trim().split(/\s+/);
  const problem = hostKeyProblem(line);
  if (problem) throw new Error(`not a public host key such as "ssh-ed25519 AAAA…": ${problem}`);
  const blob = Buffer.from(data, "base64");
  return { line: `${type} ${blob.toString("base64")}`, fingerprint: fingerprint(blob) };
}

const fingerprint = (blob: Buffer) =>
  `SHA256:${crypto.createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;

/**
 * Fetches a host's key, which must not be trusted before its fingerprint was compared with one from another source.
 * @throws an Error after at most `timeoutMs`, which says what it waited for
 */
export function fetchHostKey(address: string, port: number, timeoutMs = TIMEOUT_MS): Promise<HostKey> {
  const where = `${bracketed(address)}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port });
    const client = new Client();
    let waiting = "a TCP connection";
    const timer = setTimeout(
      () => finish(new Error(`${where} did not answer within ${timeoutMs / 1000} s, waiting for ${waiting}`)),
      timeoutMs,
    );
    const finish = (result: HostKey | Error) => {
      clearTimeout(timer);
      client.destroy();
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const failed = (error: Error) => finish(new Error(`${where} cannot be reached: ${reason(error)}`));
    socket.on("error", failed);
    client.on("error", failed);
    client.on("close", () => failed(new Error("it closed the connection before it showed a key")));
    socket.once("connect", () => {
      waiting = "the SSH server's greeting and key";
      client.connect({
        sock: socket,
        username: "nobody",
        readyTimeout: timeoutMs,
        algorithms: { serverHostKey: [...TYPES] },
        hostVerifier: (blob: Buffer) => {
          const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
          finish({ line: `${type} ${blob.toString("base64")}`, fingerprint: fingerprint(blob) });
          return false;
        },
      });
    });
  });
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "connection refused";
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") return "its name cannot be resolved";
  return error.message;
}

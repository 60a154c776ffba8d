/** The lab's keys: made once per lab, thrown away by `down`. The client's for root and ops, the host's for sshd. */
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { utils } from "ssh2";
import { writeAtomically } from "../shared/atomicFile";
import type { Lab } from "./config";

export interface Keys {
  clientPublic: string;
  hostPrivate: string;
  hostPublic: string;
}

/** Makes what is missing; a pair of which only a half is left (a killed run) is made anew. */
export function ensureKeys(lab: Lab): Keys {
  mkdirSync(dirname(lab.ssh.privateKey), { recursive: true, mode: 0o700 });
  pair(lab.ssh.privateKey, lab.ssh.publicKey, `${lab.name} client`);
  pair(lab.ssh.hostPrivateKey, lab.ssh.hostPublicKey, `${lab.name} host`);
  return {
    clientPublic: readFileSync(lab.ssh.publicKey, "utf8"),
    hostPrivate: readFileSync(lab.ssh.hostPrivateKey, "utf8"),
    hostPublic: readFileSync(lab.ssh.hostPublicKey, "utf8"),
  };
}

function pair(privateFile: string, publicFile: string, comment: string): void {
  if (existsSync(privateFile) && existsSync(publicFile)) {
    chmodSync(privateFile, 0o600); // ssh refuses a key that others can read, and a copied clone may have lost the mode.
    return;
  }
  const keys = generate(comment);
  write(privateFile, keys.private, 0o600);
  write(publicFile, keys.public, 0o644);
}

/** "ssh-ed25519" and 32 bytes, each behind a length of four. */
const BLOB = 51;

/**
 * ssh2 1.17 drops leading zero bytes of the public key, so OpenSSH cannot read one pair in 256 ("error in libcrypto"): another
 * is made then.
 */
function generate(comment: string): { private: string; public: string } {
  for (;;) {
    const keys = utils.generateKeyPairSync("ed25519", { comment });
    if (Buffer.from(keys.public.split(" ")[1]!, "base64").length === BLOB) return keys;
  }
}

function write(file: string, content: string, mode: number): void {
  writeAtomically(file, content.endsWith("\n") ? content : `${content}\n`, mode);
}

/**
 * The stack file of a lab other than "lab": the committed stack `local` with this lab's ports and files in it. Only so can the
 * end-to-end tests run beside a developer's lab with the same configuration as that.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseDocument } from "yaml";
import type { Lab } from "./config";
import { LabError } from "./errors";

const SOURCE = join("stacks", "Pulumi.local.yaml");

/** Writes the derived file, if this lab has one. */
export function writeStackFile(lab: Lab): void {
  if (!lab.derivedStackFile) return;
  const source = join(lab.cloneDir, SOURCE);
  if (!existsSync(source)) throw new LabError(`${source} is missing.`, "Restore it from git.");
  mkdirSync(dirname(lab.derivedStackFile), { recursive: true });
  writeFileSync(lab.derivedStackFile, deriveStackFile(readFileSync(source, "utf8"), lab));
}

/** The text of the derived stack file. Comments and everything that is not this lab's own stay as they are. */
export function deriveStackFile(text: string, lab: Lab): string {
  const document = parseDocument(text);
  const inClone = (file: string) => relative(lab.cloneDir, file);
  document.setIn(["config", "oslo-faas:host", "port"], lab.ports.ssh);
  document.setIn(["config", "oslo-faas:host", "privateKeyPath"], inClone(lab.ssh.privateKey));
  document.setIn(["config", "oslo-faas:host", "hostKeyFile"], inClone(lab.ssh.hostPublicKey));
  document.setIn(["config", "oslo-faas:images", "lock"], inClone(lab.imagesLock));
  const publicUrl = document.getIn(["config", "oslo-faas:nginx", "publicUrl"]);
  if (typeof publicUrl === "string") {
    document.setIn(["config", "oslo-faas:nginx", "publicUrl"], withPort(publicUrl, lab));
  }
  return document.toString({ lineWidth: 0 });
}

function withPort(publicUrl: string, lab: Lab): string {
  const url = new URL(publicUrl);
  url.port = String(url.protocol === "https:" ? lab.ports.https : lab.ports.http);
  return url.toString().replace(/\/$/, "");
}

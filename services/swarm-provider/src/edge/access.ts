/**
 * Tells the edge who may call which function. It writes that into files as well, in the folder that both share: an edge that is started
 * anew knows it before its first call.
 */
import { existsSync } from "node:fs";
import { type Access, contains, parseNetwork, readAccess } from "../../../../shared/access";
import { writeAtomically } from "../../../../shared/atomicFile";
import { readMaxConcurrent } from "../../../../shared/concurrency";
import { ACCESS_MAP, NETWORK_MAP } from "../../../../shared/edge";
import type { ServiceRecord } from "../records";
import { annotationsOf } from "../status";
import { ask, replaceMap } from "./haproxy";

/** Lets nobody in. */
const CLOSED: Access = { level: "internal", tokens: [], networks: [] };
/** An entry that a HAProxy which was started meanwhile does not have. No function can have this name. */
const TOLD = ".";

interface Maps {
  /**
   * "NAME" → its level, "NAME:HASH" for each of its tokens, "NAME@NETWORK" for each network whose callers it takes, "NAME/calls" → how many of
   * its calls may be under way.
   */
  access: Map<string, string>;
  /** Each network that any function names, to itself: the edge finds the narrowest one around a caller. */
  networks: Map<string, string>;
}

/**
 * @param functions what they leave to their environment is not in the maps
 * @param begun names of functions that are being made, and closed until it is known what they say
 */
export function accessMaps(functions: ServiceRecord[], begun: Iterable<string> = []): Maps {
  const all = new Map<string, Access>();
  for (const name of begun) all.set(name, CLOSED);
  for (const service of functions) {
    const access = readAccess(annotationsOf(service.Spec.Labels));
    if (access) all.set(service.Spec.Name!, access);
  }
  const most = functions.flatMap((service): [string, string][] => {
    const calls = readMaxConcurrent(annotationsOf(service.Spec.Labels));
    return calls === undefined ? [] : [[`${service.Spec.Name!}/calls`, String(calls)]];
  });
  const texts = new Set([...all.values()].flatMap(({ networks }) => networks));
  const known = [...texts].map((text) => ({ text, network: parseNetwork(text)! }));
  const access = new Map(most);
  for (const [name, { level, tokens, networks }] of all) {
    access.set(name, level);
    for (const token of tokens) access.set(`${name}:${token}`, "1");
    const own = networks.map((text) => parseNetwork(text)!);
    for (const { text, network } of known)
      if (own.some((one) => contains(one, network))) access.set(`${name}@${text}`, "1");
  }
  return { access, networks: new Map([...texts].map((text) => [text, text])) };
}

export class AccessTeller {
  private saved = "";
  private told = "";

  constructor(
    private readonly socket: string,
    private readonly files: { access: string; networks: string } = {
      access: ACCESS_MAP,
      networks: NETWORK_MAP,
    },
  ) {}

  /** Whether an edge can start. */
  get isThere(): boolean {
    return existsSync(this.files.access) && existsSync(this.files.networks);
  }

  /** What an edge starts with. @throws Error */
  save({ access, networks }: Maps): void {
    const texts = [mapFile(networks), mapFile(access)];
    if (this.saved === texts.join("") && this.isThere) return;
    writeAtomically(this.files.networks, texts[0]!, 0o644);
    writeAtomically(this.files.access, texts[1]!, 0o644);
    this.saved = texts.join("");
  }

  /** @throws Error when the edge cannot be told; it then goes by what it was told before */
  async tell({ access, networks }: Maps): Promise<void> {
    const text = mapFile(networks) + mapFile(access);
    const { socket, files } = this;
    if (text === this.told && (await ask(socket, `set map ${files.access} ${TOLD} 1`)) === "") return;
    this.told = "";
    // In this order a caller is let in later rather than too early.
    await replaceMap(socket, files.networks, networks);
    await replaceMap(socket, files.access, [...access, [TOLD, "1"]]);
    this.told = text;
  }
}

const mapFile = (entries: Map<string, string>): string =>
  ["# Written by the Swarm provider.", ...[...entries].map(([key, value]) => `${key} ${value}`), ""].join(
    "\n",
  );

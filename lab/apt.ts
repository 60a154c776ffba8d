/**
 * The machine's way to Debian's packages, handed to the lab's host: sources, their keyrings, proxy and certificate settings.
 * Where the machine reaches packages only through a mirror or a proxy of its own, its host must too. Pure functions; what
 * they render is put into the host when it is made and is never committed.
 */
import { parse as parsePath } from "node:path";

export interface AptSource {
  uris: string[];
  suites: string[];
  components: string[];
  /** Path of a keyring, or the key itself. */
  signedBy?: string;
  /** Options such as Trusted or Check-Valid-Until, as they stand. */
  options: Record<string, string>;
}

/** Settings of apt that say how to reach an archive; everything else about apt is the host's own. */
const REACHING =
  /^Acquire::(?:[a-z]+::)?(?:Proxy\b|Check-Valid-Until|Check-Date|Retries|ForceIPv[46]|Timeout|CaInfo|Verify-Peer|Verify-Host)/i;

/** Reads sources.list ("deb …" lines) and *.sources (deb822 stanzas); sources of source code and disabled ones are left out. */
export function parseSources(file: string, text: string): AptSource[] {
  return parsePath(file).ext === ".sources" ? parseStanzas(text) : parseLines(text);
}

function parseLines(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    if (!match) continue;
    const options: Record<string, string> = {};
    for (const pair of (match[1] ?? "").split(/\s+/).filter(Boolean)) {
      const [key, value] = pair.split(/=(.*)/s);
      options[key!.toLowerCase()] = value ?? "";
    }
    const { "signed-by": signedBy, ...rest } = options;
    const components = (match[4] ?? "").trim().split(/\s+/).filter(Boolean);
    found.push({ uris: [match[2]!], suites: [match[3]!], components, signedBy, options: rest });
  }
  return found;
}

function parseStanzas(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const stanza of text.replace(/^#.*\n?/gm, "").split(/\n[ \t]*\n/)) {
    const fields = new Map<string, string>();
    let last = "";
    for (const line of stanza.split("\n")) {
      const field = /^([A-Za-z0-9-]+):[ \t]*(.*)$/.exec(line);
      if (field) fields.set((last = field[1]!.toLowerCase()), field[2]!);
      else if (/^[ \t]/.test(line) && last) fields.set(last, `${fields.get(last)}\n${line}`);
    }
    const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter(Boolean);
    if (!words("types").includes("deb") || /^(no|false|0)$/i.test(fields.get("enabled") ?? "yes")) continue;
    const options: Record<string, string> = {};
    for (const name of ["trusted", "check-valid-until", "architectures"]) {
      const value = fields.get(name);
      if (value !== undefined) options[name] = value;
    }
    const signedBy = fields.get("signed-by");
    found.push({
      uris: words("uris"),
      suites: words("suites"),
      components: words("components"),
      signedBy,
      options,
    });
  }
  return found;
}

/**
 * The sources that hold Debian itself, for `release`; third-party ones are left out, whose packages have no business on the
 * host. `machineRelease` is the machine's own ("trixie"): a mirror that has it has `release` too.
 */
export function debianSources(sources: AptSource[], machineRelease: string, release: string): AptSource[] {
  const wanted = new RegExp(`^${machineRelease}(-updates|-security|-backports|-proposed-updates)?$`);
  return sources
    .filter(
      (source) => source.components.includes("main") && source.suites.every((suite) => wanted.test(suite)),
    )
    .map((source) => ({
      ...source,
      suites: source.suites.map((suite) => suite.replace(machineRelease, release)),
    }));
}

export function renderSources(sources: AptSource[]): string {
  const title = (name: string) => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
  return sources
    .map((source) => {
      const lines = [
        "Types: deb",
        `URIs: ${source.uris.join(" ")}`,
        `Suites: ${source.suites.join(" ")}`,
        `Components: ${source.components.join(" ")}`,
        ...Object.entries(source.options).map(
          ([name, value]) => `${title(name === "arch" ? "architectures" : name)}: ${value}`,
        ),
      ];
      if (source.signedBy) lines.push(`Signed-By: ${source.signedBy}`);
      return `${lines.join("\n")}\n`;
    })
    .join("\n");
}

/** Keyring files that the sources name, in the machine's paths. */
export function keyringsOf(sources: AptSource[]): string[] {
  const files = sources
    .flatMap((source) => (source.signedBy ?? "").split(/[\s,]+/))
    .filter((word) => word.startsWith("/"));
  return [...new Set(files)].sort();
}

/** The lines of `apt-config dump` that say how to reach an archive. */
export function reachingSettings(dump: string): string {
  const lines = dump.split("\n").filter((line) => REACHING.test(line) && !/ "";$/.test(line));
  return lines.map((line) => `${line}\n`).join("");
}

/** The proxy for http that apt uses, for programs that take it from the environment. */
export function httpProxy(dump: string): string | undefined {
  return /^Acquire::http::Proxy "([^"]+)";$/m.exec(dump)?.[1];
}

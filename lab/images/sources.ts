/** Where the programs in the lab's images come from: Go modules, Debian's packages and npm's builds of Node. */
import { copyFileSync, existsSync, readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { LabError } from "../errors";
import { treeOf, type Tree } from "./tree";
import { contentKey, imageCacheDir, type Work } from "./work";

const GO_DIR = join(__dirname, "go");
const NODE_DIR = join(__dirname, "node");

export interface GoPart {
  /** Folder under lab/images/go with the go.mod that pins the program. */
  part: string;
  /** File that `go install` makes: the last part of the tool's path. */
  binary: string;
  /** Values for `-X`, such as a version that the program answers with. */
  variables?: Record<string, string>;
}

export function goModule(part: string): string {
  return join(GO_DIR, part);
}

/** Builds the program statically; gives the file. */
export function goBinary(work: Work, { part, binary, variables = {} }: GoPart): Promise<string> {
  return work.once(`go ${part}`, async () => {
    const bin = work.folder(`go-${part}`);
    const flags = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
    await work.run("go", ["install", "-trimpath", `-ldflags=${["-s", "-w", ...flags].join(" ")}`, "tool"], {
      step: `build ${binary}`,
      cwd: goModule(part),
      env: {
        ...process.env,
        GOBIN: bin,
        CGO_ENABLED: "0",
        GOFLAGS: "-mod=readonly -buildvcs=false",
        GOWORK: "off",
      },
      limitMs: 900_000,
      remedy:
        "The lab builds OpenFaaS from Go modules: it needs Go 1.24 or later on PATH, and a Go module proxy.",
    });
    return join(bin, binary);
  });
}

/** Folder of a module's own files, from the module cache that building the part filled. */
export async function goModuleFolder(work: Work, part: GoPart, module: string): Promise<string> {
  await goBinary(work, part);
  const result = await work.run("go", ["list", "-m", "-f", "{{.Dir}}", module], {
    step: `find the module ${module}`,
    cwd: goModule(part.part),
    limitMs: 60_000,
  });
  return result.stdout.trim();
}

/** Unpacks one package of this machine's Debian (or Ubuntu); nothing is installed. Gives the folder. */
export async function debianPackage(work: Work, name: string): Promise<string> {
  return (await debianPackages(work, [name]))[0]!;
}

const APT_REMEDY =
  "The lab takes this program from the distribution's packages: it needs Debian or Ubuntu with apt's package lists (`apt-get update`).";

/** Lists may be missing or name versions that the archive no longer has. Only root can renew them. */
async function withLists<T>(work: Work, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    const renew = { step: "refresh the package lists", limitMs: 300_000, remedy: APT_REMEDY };
    await work.once("apt-get update", () => work.run("apt-get", ["update"], renew));
    return ask();
  }
}

/** The folders of packages, downloaded together. */
function debianPackages(work: Work, names: string[]): Promise<string[]> {
  return work.once(`deb ${names.join(" ")}`, async () => {
    const folder = work.folder(`deb-${names[0]}-${names.length}`);
    const what = names.length === 1 ? `the package ${names[0]}` : `${names.length} packages`;
    await withLists(work, () =>
      work.run("apt-get", ["-o", "APT::Sandbox::User=", "download", ...names], {
        step: `download ${what}`,
        cwd: folder,
        limitMs: 300_000,
        remedy: APT_REMEDY,
      }),
    );
    return Promise.all(
      names.map(async (name) => {
        const deb = readdirSync(folder).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
        if (!deb) throw new LabError(`apt-get download ${name} left no package behind.`, APT_REMEDY);
        const unpacked = work.folder(`${basename(folder)}/root-${name}`);
        const step = `unpack ${name}`;
        await work.run("dpkg", ["-x", join(folder, deb), unpacked], { step, limitMs: 60_000 });
        return unpacked;
      }),
    );
  });
}

/** What only installs packages: in an image that is made of unpacked ones it has nothing to do. */
const INSTALLERS = new Set(["dpkg", "tar", "perl-base", "debconf"]);
const FOR_PEOPLE = /^usr\/share\/(doc|man|info|locale|lintian|common-licenses|bug)\//;
/** Folders of the root that Debian has under /usr since its release 12; a package of before still fills both. */
const MERGED = ["bin", "sbin", "lib", "lib32", "lib64"];

/** Packages and all that they depend on, unpacked over one another. No maintainer's script runs. */
export async function debianTree(work: Work, ...names: string[]): Promise<Tree> {
  const folders = await debianPackages(work, await withDependencies(work, names));
  const files = folders.flatMap((folder) => Object.entries(treeOf(folder, "")));
  const moved = files.flatMap(([path, entry]): [string, Tree[string]][] => {
    const [top] = path.split("/") as [string];
    if (FOR_PEOPLE.test(path) || MERGED.includes(path)) return [];
    return [[MERGED.includes(top) ? `usr/${path}` : path, entry]];
  });
  const links = MERGED.filter((top) => moved.some(([path]) => path.startsWith(`usr/${top}/`)));
  return {
    ...Object.fromEntries(moved),
    ...Object.fromEntries(links.map((top) => [top, { kind: "link", target: `usr/${top}` } as const])),
  };
}

/** As on a machine that has nothing yet. */
async function withDependencies(work: Work, names: string[]): Promise<string[]> {
  const empty = ["Dir::State::status=/dev/null", "APT::Install-Recommends=0", "Debug::NoLocking=1"];
  const asked = await withLists(work, () =>
    work.run("apt-get", ["install", "--simulate", ...empty.flatMap((one) => ["-o", one]), ...names], {
      step: `look for what ${names[0]} depends on`,
      limitMs: 120_000,
      env: { ...process.env, LC_ALL: "C" },
      remedy: APT_REMEDY,
    }),
  );
  const found = [...asked.stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name!.split(":")[0]!);
  return found.filter((name) => !INSTALLERS.has(name));
}

/** Where this machine's Go lies. */
export async function goRoot(work: Work): Promise<string> {
  const asked = await work.run("go", ["env", "GOROOT"], {
    step: "look for Go",
    limitMs: 30_000,
    remedy: "The lab's Go image is made of the Go on PATH.",
  });
  return asked.stdout.trim();
}

const NOT_NEEDED = /\/(gconv|audit|libmemusage|libpcprofile)/;

/** The shared libraries of a package, under /lib and /lib64 of the image whatever the distribution calls its folders. */
export async function libraries(work: Work, name: string): Promise<Tree> {
  const root = await debianPackage(work, name);
  const all = treeOf(
    root,
    "",
    (path) => /^(usr\/)?lib.*\.so(\.[0-9.]+)?$/.test(path) && !NOT_NEEDED.test(path),
  );
  return Object.fromEntries(Object.entries(all).map(([path, entry]) => [path.replace(/^usr\//, ""), entry]));
}

/** The shared libraries that a package needs, those of the libraries included; not the C library, which has a layer of its own. */
export async function librariesOf(work: Work, name: string): Promise<Tree> {
  const found = new Set<string>();
  for (const waiting = [name]; waiting.length > 0;) {
    const args = ["depends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"];
    const { stdout } = await work.run("apt-cache", [...args, "--no-replaces", waiting.pop()!], {
      step: `read what ${name} depends on`,
      limitMs: 60_000,
    });
    for (const [, needed] of stdout.matchAll(/^\s+(?:Pre)?Depends: (lib\S+)$/gm)) {
      if (needed === "libc6" || found.has(needed!)) continue;
      found.add(needed!);
      waiting.push(needed!);
    }
  }
  const trees = await Promise.all([...found].sort().map((library) => libraries(work, library)));
  return Object.assign({}, ...trees) as Tree;
}

/** Mozilla's certificates as one file, from the package and not from this machine, which may trust others as well. */
export async function certificates(work: Work): Promise<string> {
  const root = await debianPackage(work, "ca-certificates");
  const tree = treeOf(join(root, "usr/share/ca-certificates/mozilla"), "", (path) => path.endsWith(".crt"));
  const files = Object.keys(tree).sort();
  return files
    .map((path) => readFileSync(join(root, "usr/share/ca-certificates/mozilla", path), "utf8").trimEnd())
    .join("\n")
    .concat("\n");
}

export function nodeManifest(): string {
  return NODE_DIR;
}

/** The node program, from the npm package that the committed lock pins by hash. */
export function nodeBinary(work: Work): Promise<string> {
  return work.once("node", async () => {
    const modules = await npmInstall(work, NODE_DIR, "node");
    const file = join(modules, `node-linux-${process.arch}`, "bin", "node");
    if (!existsSync(file)) {
      throw new LabError(`There is no Node for ${process.platform} on ${process.arch} in lab/images/node.`);
    }
    return file;
  });
}

/** `npm ci` of a folder's package.json and lock, beside the sources; gives its node_modules. */
export function npmInstall(work: Work, source: string, name: string): Promise<string> {
  return work.once(`npm ${source}`, async () => {
    const folder = work.folder(`npm-${name}`);
    for (const file of ["package.json", "package-lock.json"])
      copyFileSync(join(source, file), join(folder, file));
    await work.run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], {
      step: `install the packages of ${name}`,
      cwd: folder,
      limitMs: 300_000,
      remedy: "npm has to reach its registry.",
    });
    return join(folder, "node_modules");
  });
}

/**
 * Wheels for the lab's Python image, whatever Python this machine has; empty where requirements.txt names nothing. Kept from one run to the
 * next, since a changed handler rarely changes them.
 */
export function pipInstall(work: Work, source: string, what: string): Promise<string> {
  return work.once(`pip ${source}`, async () => {
    const requirements = join(source, "requirements.txt");
    const lines = existsSync(requirements) ? readFileSync(requirements, "utf8").split("\n") : [];
    const wanted = lines.filter((line) => !/^\s*(#|$)/.test(line));
    if (wanted.length === 0) return work.folder("pip-nothing");
    const kept = join(imageCacheDir(work.lab), `pip-${contentKey(["1", machineRelease(), ...wanted])}`);
    if (existsSync(kept)) return kept;
    const target = work.folder(`pip-${contentKey([source])}`);
    await pip(work, requirements, target, what);
    renameSync(target, kept);
    return kept;
  });
}

async function pip(work: Work, requirements: string, target: string, what: string): Promise<void> {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const platforms = ["manylinux_2_28", "manylinux_2_17", "manylinux2014"].map((one) => `${one}_${machine}`);
  const version = ["--python-version", await pythonVersion(work), "--only-binary=:all:"];
  const options = ["--quiet", "--require-hashes", "--no-compile", "--disable-pip-version-check"];
  const given = [...options, ...version, ...platforms.flatMap((one) => ["--platform", one])];
  await work.run("python3", ["-m", "pip", "install", ...given, "--target", target, "-r", requirements], {
    step: `install the packages of ${what}`,
    limitMs: 300_000,
    remedy:
      "requirements.txt has to be complete and with hashes (pip-compile --generate-hashes writes it); this machine needs pip (`apt-get install python3-pip`), and pip has to reach its index.",
  });
}

/** Another release of the distribution has another Python. */
const machineRelease = (): string => readFileSync("/etc/os-release", "utf8");

/** Of the distribution's Python, which the lab's Python image is made of: "3.11". */
async function pythonVersion(work: Work): Promise<string> {
  const program = readlinkSync(join(await debianPackage(work, "python3-minimal"), "usr", "bin", "python3"));
  return program.replace("python", "");
}

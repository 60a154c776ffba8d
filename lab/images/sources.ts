/** Where the programs in the lab's images come from: Go modules, Debian's packages and npm's builds of Node. */
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../errors";
import { treeOf, type Tree } from "./oci";
import type { Work } from "./work";

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
export function debianPackage(work: Work, name: string): Promise<string> {
  return work.once(`deb ${name}`, async () => {
    const folder = work.folder(`deb-${name}`);
    const remedy =
      "The lab takes this program from the distribution's packages: it needs Debian or Ubuntu with apt's package lists (`apt-get update`).";
    const download = () =>
      work.run("apt-get", ["-o", "APT::Sandbox::User=", "download", name], {
        step: `download the package ${name}`,
        cwd: folder,
        limitMs: 180_000,
        remedy,
      });
    try {
      await download();
    } catch (error) {
      // Lists may be missing or name versions that the archive no longer has. Only root can renew them.
      if (process.getuid?.() !== 0) throw error;
      await work.once("apt-get update", () =>
        work.run("apt-get", ["update"], { step: "refresh the package lists", limitMs: 300_000, remedy }),
      );
      await download();
    }
    const deb = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
    if (!deb) throw new LabError(`apt-get download ${name} left no package behind.`, remedy);
    const unpacked = work.folder(`deb-${name}/root`);
    await work.run("dpkg", ["-x", join(folder, deb), unpacked], { step: `unpack ${name}`, limitMs: 60_000 });
    return unpacked;
  });
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

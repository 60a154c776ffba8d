/** A signed apt repository in a folder, made with dpkg-deb and gpg alone: for tests of apt sources. */
import { execFileSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

export interface SignedRepository {
  /** "file:/..." */
  uri: string;
  /** Armored public key that signs it. */
  key: string;
  fingerprint: string;
  /** Signs the repository again, with another key than the one published. */
  signWithAnotherKey(): void;
}

interface Key {
  home: string;
  fingerprint: string;
  armored: string;
}

const gpg = (home: string, ...args: string[]): string =>
  execFileSync(
    "gpg",
    ["--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", ...args],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    },
  );

export function makeKey(folder: string, name: string): Key {
  const home = path.join(folder, `gnupg-${name}`);
  fs.mkdirSync(home, { mode: 0o700 });
  gpg(
    home,
    "--passphrase",
    "",
    "--quick-gen-key",
    `${name} <${name}@example.invalid>`,
    "ed25519",
    "sign",
    "1d",
  );
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg(home, "--with-colons", "--list-keys"))?.[1] ?? "";
  return { home, fingerprint, armored: gpg(home, "--armor", "--export", fingerprint) };
}

/** gpg leaves an agent behind for each home. */
export function stopAgents(folder: string): void {
  for (const entry of fs.readdirSync(folder).filter((name) => name.startsWith("gnupg-")))
    execFileSync("gpgconf", ["--homedir", path.join(folder, entry), "--kill", "all"], { stdio: "ignore" });
}

/** A version, or a version with what the package depends on, or another package's file under this name and version. */
export type PackageSpec = string | { version: string; depends?: string; from?: string };

function buildPackage(folder: string, name: string, spec: PackageSpec): string {
  const { version, depends, from } = typeof spec === "string" ? { version: spec } : spec;
  const plain = version.replace(/[:~]/g, "-");
  const root = path.join(folder, `${name}-${plain}`);
  const control = path.join(root, "DEBIAN", "control");
  if (from) execFileSync("dpkg-deb", ["--raw-extract", from, root], { stdio: "ignore" });
  else fs.mkdirSync(path.dirname(control), { recursive: true });
  const lines = from
    ? renamed(fs.readFileSync(control, "utf8"))
    : ["Architecture: all", "Description: for a test"];
  lines.unshift(`Package: ${name}`, `Version: ${version}`, "Maintainer: Test <test@example.invalid>");
  if (depends) lines.splice(3, 0, `Depends: ${depends}`);
  fs.writeFileSync(control, `${lines.join("\n")}\n`);
  const file = path.join(folder, "repo", `${name}_${plain}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "--build", root, file], { stdio: "ignore" });
  const data = fs.readFileSync(file);
  const sha256 = crypto.createHash("sha256").update(data).digest("hex");
  return `${lines.join("\n")}\nFilename: ./${path.basename(file)}\nSize: ${data.length}\nSHA256: ${sha256}\n`;
}

/** A control file without its name, and without what keeps packages of other names away. */
function renamed(control: string): string[] {
  const fields = control.trimEnd().split(/\n(?! )/);
  const dropped =
    /^(Package|Version|Maintainer|Conflicts|Breaks|Replaces|Provides|Recommends|Suggests|Enhances|Source|Built-Using):/;
  return fields.filter((field) => !dropped.test(field));
}

/** A repository of one suite with one component ("main") and the packages given as name -> version. */
export function makeRepository(
  folder: string,
  suite: string,
  packages: Record<string, PackageSpec>,
  component = "main",
): SignedRepository {
  const repo = path.join(folder, "repo");
  const binary = path.join(repo, "dists", suite, component, "binary-amd64");
  fs.mkdirSync(binary, { recursive: true });
  const index = Object.entries(packages).map(([name, spec]) => buildPackage(folder, name, spec));
  fs.writeFileSync(path.join(binary, "Packages"), index.join("\n"));
  const key = makeKey(folder, "owner");
  const sign = (by: Key): void => {
    const data = fs.readFileSync(path.join(binary, "Packages"));
    const release = [
      "Origin: test",
      `Suite: ${suite}`,
      `Codename: ${suite}`,
      "Architectures: amd64 all",
      `Components: ${component}`,
      `Date: ${new Date().toUTCString()}`,
      "SHA256:",
      ` ${crypto.createHash("sha256").update(data).digest("hex")} ${data.length} ${component}/binary-amd64/Packages`,
    ];
    const plain = path.join(repo, "dists", suite, "Release");
    fs.writeFileSync(plain, `${release.join("\n")}\n`);
    gpg(by.home, "--yes", "--clearsign", "--output", path.join(repo, "dists", suite, "InRelease"), plain);
    fs.rmSync(plain);
  };
  sign(key);
  // apt reads as its own user.
  execFileSync("chmod", ["-R", "a+rX", folder]);
  fs.chmodSync(key.home, 0o700);
  return {
    uri: `file:${repo}`,
    key: key.armored,
    fingerprint: key.fingerprint,
    signWithAnotherKey: () => sign(makeKey(folder, "stranger")),
  };
}

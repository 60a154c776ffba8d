/** Installs the programs that the integration and end-to-end tests start, where they are missing and this is root on Debian or Ubuntu. */
import { execFileSync, spawnSync } from "node:child_process";

/** Program → Debian's package of it. */
const PROGRAMS: Record<string, string> = {
  sshd: "openssh-server",
  ssh: "openssh-client",
  dockerd: "docker.io",
  ip: "iproute2",
  iptables: "iptables",
  nft: "nftables",
  ping: "iputils-ping",
  nginx: "nginx-light",
  certbot: "certbot",
  sudo: "sudo",
  gpg: "gnupg",
  curl: "curl",
  jq: "jq",
  "apt-ftparchive": "apt-utils",
  "dpkg-deb": "dpkg",
  pip3: "python3-pip",
};

export default function installPrograms(): void {
  // A lab that goes down leaves the engine on: the next test asks it. The last `npm run down` outside of the tests stops it.
  process.env.OSLO_FAAS_KEEP_ENGINE = "1";
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  process.env.PATH = path;
  const missing = Object.keys(PROGRAMS).filter(
    (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0,
  );
  if (missing.length === 0) return;
  const packages = missing.map((name) => PROGRAMS[name]!);
  if (process.getuid?.() !== 0 || spawnSync("sh", ["-c", "command -v apt-get"]).status !== 0)
    throw new Error(
      `These tests start ${missing.join(", ")}: install ${packages.join(", ")} and run them again.`,
    );
  process.stderr.write(`installing ${packages.join(", ")} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: string[]) =>
    execFileSync("apt-get", ["-q", "-y", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
      timeout: 600_000,
    });
  apt("update");
  apt("install", "--no-install-recommends", ...packages);
}

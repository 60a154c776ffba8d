/** A real nats-server, configured as the platform configures it, under other paths and ports. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { renderNats, renderNatsSecrets } from "../../components/openfaas/render";
import { parseEnvironment } from "../../environment/parse";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

/** Writes its files into `dir`, where its program is. @returns the environment of a service that uses it */
export function configureNats(
  dir: string,
  ports: { nats: number; monitor: number; gateway: number },
  queue: object = {},
): Record<string, string> {
  const { openfaas } = parseEnvironment({
    host: { address: "198.51.100.7", hostKey: KEY },
    openfaas: { queue },
  });
  for (const name of ["etc", "run/secrets"]) fs.mkdirSync(path.join(dir, name), { recursive: true });
  const text = renderNats(openfaas.queue)
    .replace("port: 4222", `port: ${ports.nats}`)
    .replace("http_port: 8222", `http_port: ${ports.monitor}`)
    .replace("store_dir: /data", `store_dir: ${dir}/data`);
  fs.writeFileSync(path.join(dir, "etc/nats.conf"), text);
  fs.writeFileSync(path.join(dir, "run/secrets/nats-secrets"), renderNatsSecrets("word", "k".repeat(32)));
  fs.writeFileSync(path.join(dir, "password"), "word\n");
  return {
    faas_nats_address: "127.0.0.1",
    faas_nats_port: String(ports.nats),
    faas_nats_password_file: path.join(dir, "password"),
    faas_gateway_address: "127.0.0.1",
    faas_gateway_port: String(ports.gateway),
  };
}

export const startNats = (dir: string): ChildProcess =>
  spawn(path.join(dir, "nats-server"), ["-c", path.join(dir, "etc/nats.conf")], { stdio: "ignore" });

/** Resolves when it is gone. */
export async function killNats(nats: ChildProcess): Promise<void> {
  const gone = new Promise((done) => nats.once("exit", done));
  nats.kill("SIGKILL");
  await gone;
}

export async function until(what: string, is: () => boolean | Promise<boolean>, seconds = 40): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await is()) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`waited for ${what} in vain`);
}

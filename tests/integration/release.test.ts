/** Every `run:` step of release.yml as it is written, against a registry of images, one of packages and a `gh` of the test's own. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { version } from "../../package.json";
import { loadLab, type Lab } from "../../lab/config";
import { orMissing } from "../../lab/docker";
import { ensureEngine } from "../../lab/engine";
import { type Registry, startRegistry, stopRegistry } from "../../lab/images/registry";
import { PreviewRepo } from "./previewRepo";
import { codes, everyStep, WorkflowJobs } from "./workflowJobs";

jest.setTimeout(600_000);

const SILENT = { say: () => undefined, status: () => undefined };
const BASE = `oslo-faas-test-${process.pid}/node:1`;
const SERVICES = ["queue", "swarm-provider"];

let folder: string;
let lab: Lab;
let registry: Registry;
let packages: http.Server;
let jobs: WorkflowJobs;
/** What was published: name and version, and who asked. */
const published: { name: string; versions: string[]; login?: string; tarball: number }[] = [];

const inRelease = (...parts: string[]) => path.join(jobs.repo.dir, "release", ...parts);
const docker = (...args: string[]) => execFileSync("docker", args, { encoding: "utf8", timeout: 120_000 });

/** What npm asks of a registry when it publishes. */
function packageRegistry(): http.Server {
  return http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      if (request.method !== "PUT") return response.writeHead(404).end("{}");
      const body = JSON.parse(Buffer.concat(parts).toString()) as {
        name: string;
        versions: object;
        _attachments: Record<string, { length: number }>;
      };
      const [tarball] = Object.values(body._attachments);
      published.push({
        name: body.name,
        versions: Object.keys(body.versions),
        login: request.headers.authorization,
        tarball: tarball!.length,
      });
      return response.writeHead(201, { "content-type": "application/json" }).end('{"ok":true}');
    });
  });
}

/** `gh release create`: keeps what it was given. */
const GH = (store: string) => `#!${process.execPath}
const fs = require("node:fs");
const args = process.argv.slice(2);
if (args[0] !== "release" || args[1] !== "create" || process.env.GH_TOKEN !== "token-of-the-job") process.exit(3);
const assets = args.filter((arg) => arg.startsWith("assets/"));
const notes = fs.readFileSync(args[args.indexOf("--notes-file") + 1], "utf8");
const sizes = Object.fromEntries(assets.map((file) => [file.slice(7), fs.statSync(file).size]));
fs.writeFileSync(${JSON.stringify(store)}, JSON.stringify({ tag: args[2], repository: args[args.indexOf("--repo") + 1], notes, sizes }));
`;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-release-"));
  lab = loadLab(
    { XDG_CACHE_HOME: folder, OSLO_FAAS_LAB: `release-test-${process.pid}` },
    path.join(folder, "clone"),
  );
  await ensureEngine(loadLab(), SILENT);
  registry = await startRegistry(lab, SILENT);
  // The images only copy files onto their base, so that an empty one will do.
  execFileSync("sh", ["-c", `tar -cf - -T /dev/null | docker import - ${BASE}`], { timeout: 60_000 });
  packages = packageRegistry();
  await new Promise<void>((done) => packages.listen(0, "127.0.0.1", done));
  const { port } = packages.address() as AddressInfo;
  // As actions/setup-node writes it.
  const npmrc = path.join(folder, "npmrc");
  fs.writeFileSync(
    npmrc,
    `//127.0.0.1:${port}/:_authToken=\${NODE_AUTH_TOKEN}\nregistry=http://127.0.0.1:${port}/\n`,
  );
  fs.mkdirSync(path.join(folder, "bin"));
  fs.writeFileSync(path.join(folder, "bin/gh"), GH(path.join(folder, "release.json")), { mode: 0o755 });
  jobs = new WorkflowJobs(new PreviewRepo(), folder, {
    PATH: [path.join(folder, "bin"), process.env.PATH].join(":"),
    DOCKER_CONFIG: path.join(folder, "docker"),
    NPM_CONFIG_USERCONFIG: npmrc,
  });
  // workflows.test.ts runs it; here the clone's own modules serve.
  jobs.installed = { code: 0, out: "", err: "" };
  jobs.repo.commit("as it is");
}, 180_000);

afterAll(async () => {
  packages.close();
  jobs.repo.remove();
  const pushed = SERVICES.map((name) => `127.0.0.1:${registry.port}/owner/${name}:${version}`);
  for (const image of [...pushed, BASE]) docker("image", "rm", "--force", image);
  await stopRegistry(lab);
  const { docker: engine } = await ensureEngine(loadLab(), SILENT);
  await orMissing(engine.getNetwork(lab.network).remove());
  fs.rmSync(folder, { recursive: true, force: true });
}, 120_000);

test("build: refuses a tag that is not the package's version", async () => {
  const outcomes = await jobs.job("release", "build", { "github.ref_name": "v9.9.9" });
  expect(outcomes.map(({ code }) => code)).toEqual([0, 1]);
  expect(outcomes[1]!.out).toContain(`::error::The tag is v9.9.9, and package.json says ${version}.`);
});

test("build: makes the package, the plugins' archives, the images' contexts and the notes", async () => {
  expect(codes(await jobs.job("release", "build", { "github.ref_name": `v${version}` }))).toEqual([
    "0",
    "0",
    "0",
  ]);
  expect(fs.readdirSync(inRelease()).sort()).toEqual(
    ["SHA256SUMS", "notes.md", `oslo-faas-${version}.tgz`, "plugins", "services"].sort(),
  );
  expect(fs.readdirSync(inRelease("plugins"))).toHaveLength(8);
  expect(fs.readFileSync(inRelease("notes.md"), "utf8")).toContain("### Added");
  expect(fs.readFileSync(inRelease("SHA256SUMS"), "utf8").trim().split("\n")).toHaveLength(9);
});

test("images: builds each service's image, pushes it and keeps its digest", async () => {
  const context = {
    "vars.REGISTRY || 'ghcr.io'": `127.0.0.1:${registry.port}`,
    "vars.NODE_IMAGE || 'node:22-bookworm-slim'": BASE,
    "github.repository_owner": "Owner",
    "github.actor": "somebody",
    "github.token": "token-of-the-job",
    "github.ref_name": `v${version}`,
  };
  expect(codes(await jobs.job("release", "images", context))).toEqual(["0"]);
  const digests = fs.readFileSync(inRelease("images", "digests.txt"), "utf8").trim().split("\n");
  expect(digests).toHaveLength(2);
  for (const [i, name] of SERVICES.entries()) {
    const [image, digest] = digests[i]!.split("@");
    expect(image).toBe(`127.0.0.1:${registry.port}/owner/${name}`);
    const manifest = await fetch(`http://127.0.0.1:${registry.port}/v2/owner/${name}/manifests/${version}`, {
      headers: { accept: "application/vnd.docker.distribution.manifest.v2+json" },
    });
    expect(manifest.headers.get("docker-content-digest")).toBe(digest);
  }
  expect(fs.readFileSync(path.join(folder, "docker/config.json"), "utf8")).not.toContain(
    String(registry.port),
  );
});

test("npm: publishes the package that was built", async () => {
  const context = { "secrets.NPM_TOKEN": "token-of-npm", "!github.event.repository.private": "false" };
  expect(codes(await jobs.job("release", "npm", context))).toEqual(["0"]);
  expect(published).toEqual([
    {
      name: "oslo-faas",
      versions: [version],
      login: "Bearer token-of-npm",
      tarball: fs.statSync(inRelease(`oslo-faas-${version}.tgz`)).size,
    },
  ]);
});

test("release: keeps package, archives, checksums and digests with the tag", async () => {
  const context = {
    "github.token": "token-of-the-job",
    "github.repository": "owner/name",
    "github.ref_name": `v${version}`,
  };
  expect(codes(await jobs.job("release", "release", context))).toEqual(["0"]);
  const made = JSON.parse(fs.readFileSync(path.join(folder, "release.json"), "utf8")) as {
    tag: string;
    repository: string;
    notes: string;
    sizes: Record<string, number>;
  };
  expect(made).toMatchObject({ tag: `v${version}`, repository: "owner/name" });
  expect(made.notes).toContain("### Added");
  const names = Object.keys(made.sizes);
  expect(names).toHaveLength(11);
  for (const name of ["SHA256SUMS", "images.txt", `pulumi-resource-host-v${version}-linux-arm64.tar.gz`])
    expect(names).toContain(name);
  expect(Math.min(...Object.values(made.sizes))).toBeGreaterThan(0);
});

test("no step was left out", () => {
  expect([...jobs.executed].sort()).toEqual(everyStep("release").sort());
});

test("one version: the policy pack and the schemas of the providers have the package's", () => {
  const root = path.resolve(__dirname, "../..");
  for (const file of [
    "policy/package.json",
    "providers/host/schema.json",
    "providers/openfaas/schema.json",
  ]) {
    const { version: own } = JSON.parse(fs.readFileSync(path.join(root, file), "utf8")) as {
      version: string;
    };
    expect([file, own]).toEqual([file, version]);
  }
});

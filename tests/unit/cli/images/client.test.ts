/** Against a registry of the test's own: the real one's answers and challenges, on 127.0.0.1. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { imagesOf, lock, lockImages } from "../../../../cli/images/lock";
import { ending } from "../../../../cli/errors";
import { newProgram } from "../../../../cli/help";
import { register } from "../../../../cli/images";
import { someContext } from "../context";
import { remoteDigest } from "../../../../cli/images/client";
import { readLock, writeLock } from "../../../../components/images/lock";

const { root: ROOT } = someContext();

const digest = (fill: string) => `sha256:${fill.repeat(64)}`;
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

let folder: string;
let server: Server;
let registry: string;
let seen: { method: string; url: string; authorization?: string; accept?: string }[];
let guard: "none" | "token" | "token for kari" | "basic" | "silent" | "broken";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "oslo-faas-client-"));
  seen = [];
  guard = "none";
  server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, authorization: headers.authorization, accept: headers.accept });
    if (guard === "silent") return;
    const [status, extra, body] = answerTo(request);
    response.writeHead(status, extra);
    response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

function answerTo(request: IncomingMessage): [number, Record<string, string>, string?] {
  const { url = "", headers } = request;
  if (url.startsWith("/token")) {
    if (guard === "token for kari" && headers.authorization !== basic("kari:p:w")) return [401, {}];
    return [200, { "content-type": "application/json" }, JSON.stringify({ token: "t0k3n" })];
  }
  if (guard.startsWith("token") && headers.authorization !== "Bearer t0k3n") {
    const scope = "repository:team/app:pull";
    return [
      401,
      { "www-authenticate": `Bearer realm="http://${registry}/token",service="reg",scope="${scope}"` },
    ];
  }
  if (guard === "basic" && headers.authorization !== basic("kari:p:w"))
    return [401, { "www-authenticate": 'Basic realm="x"' }];
  if (guard === "broken") return [503, {}];
  if (url === "/v2/team/app/manifests/1") return [200, { "docker-content-digest": digest("a") }];
  if (url === "/v2/team/app/manifests/2") return [200, {}, "manifest"];
  return [404, {}];
}

const ask = (image: string) => remoteDigest(`${registry}/${image}`, { configDir: folder, limitMs: 1000 });
const logIn = (config: object) => writeFileSync(join(folder, "config.json"), JSON.stringify(config));

describe("the digest of a tag", () => {
  test("is asked for by HEAD, and lists of platforms are welcome", async () => {
    expect(await ask("team/app:1")).toBe(digest("a"));
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: "HEAD", url: "/v2/team/app/manifests/1" });
    expect(seen[0]!.accept).toContain("application/vnd.oci.image.index.v1+json");
    expect(seen[0]!.accept).toContain("application/vnd.docker.distribution.manifest.list.v2+json");
  });

  test("is the hash of the manifest where the registry does not say it", async () =>
    // sha256sum of "manifest"
    expect(await ask("team/app:2")).toBe(
      "sha256:05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f",
    ));

  test("with an anonymous token", async () => {
    guard = "token";
    expect(await ask("team/app:1")).toBe(digest("a"));
    expect(seen[1]!.url).toBe("/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull");
    expect(seen[1]!.authorization).toBeUndefined();
  });

  test.each(["token for kari", "basic"] as const)(
    "with the credentials of `docker login` (%s)",
    async (kind) => {
      guard = kind;
      await expect(ask("team/app:1")).rejects.toThrow(`docker login ${registry}`);
      logIn({ auths: { [registry]: { auth: Buffer.from("kari:p:w").toString("base64") } } });
      expect(await ask("team/app:1")).toBe(digest("a"));
    },
  );

  test("with those of a credential helper", async () => {
    guard = "basic";
    const helper = join(folder, "docker-credential-test");
    writeFileSync(
      helper,
      `#!/bin/sh\nread -r key\n[ "$key" = "${registry}" ] && echo '{"Username":"kari","Secret":"p:w"}'\n`,
    );
    chmodSync(helper, 0o755);
    logIn({ credsStore: "test" });
    const path = process.env.PATH;
    process.env.PATH = `${folder}${delimiter}${path}`;
    try {
      expect(await ask("team/app:1")).toBe(digest("a"));
    } finally {
      process.env.PATH = path;
    }
  });

  test("errors are one line, with the image's name", async () => {
    await expect(ask("team/app:9")).rejects.toThrow(
      `${registry}/team/app:9: the registry ${registry} has no such image`,
    );
    guard = "broken";
    await expect(ask("team/app:1")).rejects.toThrow(
      `${registry}/team/app:1: the registry ${registry} answered 503`,
    );
    guard = "silent";
    await expect(ask("team/app:1")).rejects.toThrow("did not answer within 1 s");
    await expect(remoteDigest("localhost:9/x:1", { limitMs: 1000 })).rejects.toThrow("cannot be reached");
  });
});

describe("npx oslo-faas images lock", () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  beforeEach(() => (lines.length = 0));

  test("writes what changed and keeps the rest", async () => {
    const file = join(folder, "lock.json");
    writeLock(file, { "other:1": digest("f"), [`${registry}/team/app:1`]: digest("0") });
    await lock({ root: ROOT, images: [`${registry}/team/app:1`], stacks: [], file, insecure: false, print });
    expect(readLock(file)).toEqual({ "other:1": digest("f"), [`${registry}/team/app:1`]: digest("a") });
    expect(lines).toEqual([`${registry}/team/app:1\n  ${digest("0")}\n  → ${digest("a")}`, `wrote ${file}`]);
    lines.length = 0;
    await lock({ root: ROOT, images: [`${registry}/team/app:1`], stacks: [], file, insecure: false, print });
    expect(lines).toEqual([`${file}: nothing changed`]);
  });

  test("writes nothing when one image cannot be resolved", async () => {
    const file = join(folder, "lock.json");
    const images = [`${registry}/team/app:1`, `${registry}/team/app:9`];
    await expect(lockImages(file, images, print)).rejects.toThrow("one image could not be resolved:\n");
    expect(() => readFileSync(file)).toThrow("ENOENT");
    expect(lines).toEqual([]);
  });

  test.each([
    [["-s", "nowhere"], 'There is no environment "nowhere"'],
    [["-s", "local"], "`npm run up` locks them"],
    [["NOT AN IMAGE"], '"NOT AN IMAGE" is not the name of an image'],
    [[], "Name images, or an environment"],
  ])("%p is refused", async (args, reason) => {
    const program = newProgram("oslo-faas");
    register(program, someContext());
    const error = await program
      .parseAsync(["images", "lock", ...args], { from: "user" })
      .catch((thrown: unknown) => thrown);
    expect(await ending(error)).toEqual({ code: 2, text: expect.stringContaining(reason) as string });
  });

  test("knows what an environment runs", () => {
    const { lock, images } = imagesOf("oslo-prod", ROOT);
    expect(lock).toMatch(/stacks\/images\.lock\.json$/);
    expect(images.some((image) => /gateway:/.test(image))).toBe(true);
    // Built on the host, so there is nothing to ask a registry for.
    expect(images.some((image) => /hello|swarm-provider/.test(image))).toBe(false);
    expect(imagesOf("local", ROOT).images).toEqual(
      expect.arrayContaining([
        "registry.lab:5000/oslo-faas/hello:dev",
        "registry.lab:5000/library/nats:2.15.3",
      ]),
    );
  });
});

import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

interface Download {
  download(
    env: NodeJS.ProcessEnv,
    options?: { bases?: string[]; force?: boolean },
  ): Promise<string | undefined>;
  findDownloaded(env: NodeJS.ProcessEnv): string | undefined;
}
const { download, findDownloaded } = require("../../../../lab/toolchain/lib/download.cjs") as Download;
const { pulumi: VERSION } = require("../../../../lab/toolchain/versions.json") as { pulumi: string };

const onLinux =
  process.platform === "linux" && ["x64", "arm64"].includes(process.arch) ? describe : describe.skip;

onLinux("the official release", () => {
  const archive = `pulumi-v${VERSION}-linux-${process.arch}.tar.gz`;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let server: http.Server;
  let base: string;
  let asked: string[];
  let files: Record<string, Buffer>;

  const noise = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  afterAll(() => noise.mockRestore());

  /** A release in miniature, packed as the real one is: a folder `pulumi/` with the programs in it. */
  function release(): Buffer {
    fs.mkdirSync(path.join(folder, "pulumi"));
    for (const name of ["pulumi", "pulumi-language-nodejs"]) {
      fs.writeFileSync(path.join(folder, "pulumi", name), "#!/bin/sh\necho v1\n", { mode: 0o755 });
    }
    execFileSync("tar", ["-czf", path.join(folder, archive), "-C", folder, "pulumi"]);
    return fs.readFileSync(path.join(folder, archive));
  }

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-download-"));
    env = { XDG_CACHE_HOME: path.join(folder, "cache") };
    asked = [];
    const tarball = release();
    const sum = crypto.createHash("sha256").update(tarball).digest("hex");
    files = {
      [`/pulumi-${VERSION}-checksums.txt`]: Buffer.from(
        `${"0".repeat(64)}  another.tar.gz\n${sum}  ${archive}\n`,
      ),
      [`/${archive}`]: tarball,
    };
    server = http.createServer((request, response) => {
      asked.push(request.url!);
      const file = files[request.url!];
      response.writeHead(file ? 200 : 404).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("is downloaded, checked and unpacked, and found from then on", async () => {
    const target = await download(env, { bases: [base] });
    expect(fs.existsSync(path.join(target!, "bin", "pulumi-language-nodejs"))).toBe(true);
    expect(execFileSync(path.join(target!, "bin", "pulumi"), { encoding: "utf8" })).toBe("v1\n");
    expect(findDownloaded(env)).toBe(target);
    expect(fs.readdirSync(path.dirname(target!))).toEqual([path.basename(target!)]);
  });

  it("is refused when it is not what was published, and nothing of it is kept", async () => {
    files[`/${archive}`] = Buffer.concat([files[`/${archive}`]!, Buffer.from("x")]);
    await expect(download(env, { bases: [base] })).rejects.toThrow(
      /checksum of .* is [0-9a-f]{64}; Pulumi publishes/,
    );
    expect(findDownloaded(env)).toBeUndefined();
    expect(fs.readdirSync(path.join(env.XDG_CACHE_HOME!, "oslo-faas", "toolchain"))).toEqual([]);
  });

  it("is looked for at the next place when the first has none", async () => {
    const target = await download(env, { bases: [`${base}/elsewhere`, base] });
    expect(target).toBe(findDownloaded(env));
    expect(target).toBeDefined();
  });

  it("cannot be had: said at once, and not tried again within the hour", async () => {
    const start = Date.now();
    const nobody = ["http://127.0.0.1:1", "http://host.invalid"];
    expect(await download(env, { bases: nobody })).toBeUndefined();
    expect(Date.now() - start).toBeLessThan(6_000);
    expect(await download(env, { bases: [base] })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("is tried again after the hour, or when it is asked for by name", async () => {
    await download(env, { bases: ["http://127.0.0.1:1"] });
    const no = path.join(env.XDG_CACHE_HOME!, "oslo-faas", "toolchain", "cannot-download");
    const hourAgo = Date.now() / 1000 - 3601;
    fs.utimesSync(no, hourAgo, hourAgo);
    expect(await download(env, { bases: [base] })).toBeDefined();
    fs.rmSync(findDownloaded(env)!, { recursive: true });
    await download(env, { bases: ["http://127.0.0.1:1"] });
    expect(await download(env, { bases: [base], force: true })).toBeDefined();
  });

  it("gives up on a host that takes the connection and does not answer", async () => {
    server.removeAllListeners("request");
    const start = Date.now();
    expect(await download(env, { bases: [base] })).toBeUndefined();
    expect(Date.now() - start).toBeLessThan(8_000);
  });
});

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { resolveToolchain } from "../../../../lab/toolchain/resolve";

const { buildFolder } = require("../../../../lab/toolchain/lib/build.cjs") as {
  buildFolder(env: NodeJS.ProcessEnv): string;
};
const { compareVersions } = require("../../../../lab/toolchain/lib/official.cjs") as {
  compareVersions(a: string, b: string): number;
};

describe("which Pulumi is used", () => {
  let folder: string;
  let bin: string;
  let env: NodeJS.ProcessEnv;
  let said: string;
  const noise = jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  afterAll(() => noise.mockRestore());

  const program = (file: string, body: string) => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
  };
  /** A machine that cannot download, and was asked so a minute ago. */
  const offline = () => {
    const cache = path.join(env.XDG_CACHE_HOME!, "oslo-faas", "toolchain");
    fs.mkdirSync(cache, { recursive: true });
    fs.writeFileSync(path.join(cache, "cannot-download"), "");
  };
  /** What a finished build leaves. */
  const built = () => program(path.join(buildFolder(env), "bin", "pulumi"), "echo built");

  beforeEach(() => {
    said = "";
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-resolve-"));
    bin = path.join(folder, "bin");
    env = { HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache"), PATH: `${bin}:/usr/bin:/bin` };
    offline();
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("is the official one on PATH, with the environment as it is", async () => {
    const pulumi = program(path.join(bin, "pulumi"), "echo v3.260.1");
    program(path.join(bin, "pulumi-language-nodejs"), "");
    built();
    const found = await resolveToolchain({ env, args: ["up", "-s", "oslo-dev"] });
    expect(found).toEqual({
      kind: "official",
      pulumi,
      version: "3.260.1",
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    expect(said).toMatch(/Pulumi 3\.260\.1: the official release on PATH/);
  });

  it("asks an official one for its version once, and again when it was replaced", async () => {
    const calls = path.join(folder, "calls");
    program(path.join(bin, "pulumi-language-nodejs"), "");
    program(path.join(bin, "pulumi"), `echo x >> ${calls}; echo v3.260.1`);
    await resolveToolchain({ env });
    await resolveToolchain({ env });
    expect(fs.readFileSync(calls, "utf8")).toBe("x\n");
    program(path.join(bin, "pulumi"), `echo x >> ${calls}; echo v3.261.0 # longer`);
    expect((await resolveToolchain({ env })).version).toBe("3.261.0");
  });

  it.each([
    ["has no language host", "echo v3.260.1", false, /pulumi-language-nodejs is neither/],
    ["is too old", "echo v3.100.0", true, /it is 3\.100\.0, and this project needs 3\.200\.0/],
    ["does not run", "echo broken >&2; exit 1", true, /"pulumi version" failed/],
    ["answers with something else", "echo hello", true, /it answered "hello"/],
  ])("is not an official one that %s", async (_what, body, withHost, reason) => {
    program(path.join(bin, "pulumi"), body);
    if (withHost) program(path.join(bin, "pulumi-language-nodejs"), "");
    built();
    expect((await resolveToolchain({ env })).kind).toBe("built");
    expect(said).toMatch(reason);
  });

  it("is the built one else, with a home and a PATH of its own", async () => {
    const pulumi = built();
    const found = await resolveToolchain({
      env: { ...env, PULUMI_HOME: "/elsewhere" },
      args: ["up", "-s", "local"],
    });
    const own = buildFolder(env);
    expect(found).toMatchObject({ kind: "built", pulumi });
    expect(found.env).toMatchObject({
      PULUMI_HOME: path.join(own, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_CONFIG_PASSPHRASE_FILE: path.resolve(__dirname, "../../../../lab/passphrase"),
    });
    expect(found.env.PATH!.split(":")[0]).toBe(path.join(own, "bin"));
    expect(found.env).not.toHaveProperty("PULUMI_BACKEND_URL");
  });

  // The engine may diff in parallel where it only looks, and Go collect less often where no command could inherit it.
  it.each([
    ["PULUMI_PARALLEL_DIFF", "true", "false"],
    ["GOGC", "400", "50"],
  ])("sets %s for a preview alone, unless the caller says otherwise", async (variable, ours, theirs) => {
    built();
    const value = async (args: string[], more: NodeJS.ProcessEnv = {}) =>
      (await resolveToolchain({ env: { ...env, ...more }, args, quiet: true })).env[variable];
    expect(await value(["preview", "-s", "local"])).toBe(ours);
    expect(await value(["preview"], { [variable]: theirs })).toBe(theirs);
    expect(await value(["up"])).toBeUndefined();
  });

  it("does not take its own cache for an official installation", async () => {
    built();
    program(path.join(buildFolder(env), "bin", "pulumi-language-nodejs"), "");
    const first = await resolveToolchain({ env });
    expect((await resolveToolchain({ env: first.env })).kind).toBe("built");
  });

  it("says what to do without Go", async () => {
    const nothing = { ...env, PATH: bin };
    await expect(resolveToolchain({ env: nothing })).rejects.toThrow(
      /no Go to build one[^]*put Go 1\.\d+ or later on PATH/,
    );
  });

  it("says which Go it takes where the one on PATH is too old", async () => {
    program(
      path.join(bin, "go"),
      'case "$1" in version) echo go version go1.19.8 linux/amd64;; env) echo local;; esac',
    );
    await expect(resolveToolchain({ env })).rejects.toThrow(
      /takes Go 1\.\d+(\.\d+)? or later; the one on PATH is 1\.19\.8/,
    );
  });

  it("is the kind that OSLO_FAAS_TOOLCHAIN names, or an error", async () => {
    built();
    await expect(resolveToolchain({ env: { ...env, OSLO_FAAS_TOOLCHAIN: "official" } })).rejects.toThrow(
      /asks for official/,
    );
    await expect(resolveToolchain({ env: { ...env, OSLO_FAAS_TOOLCHAIN: "newest" } })).rejects.toThrow(
      /"newest"; it can be official, downloaded, built/,
    );
  });

  it.each([
    ["3.9.0", "3.10.0", -1],
    ["v3.259.0", "3.259.0", 0],
    ["3.259.1-alpha.1", "3.259.0", 1],
    ["1.26", "1.25.11", 1],
  ])("compares versions by number: %s and %s", (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order);
  });
});

/**
 * AptRepository with a real apt, gpg and a signed repository of this test's own. It runs in a mount namespace where /etc/apt and apt's
 * lists are folders of the test: the machine's own sources are not touched. Needs root on Debian or Ubuntu with gpg and dpkg-deb.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type AptRepositoryInputs, aptRepository } from "../../providers/host/src/resources/aptRepository";
import { LocalSession, contextOf } from "../unit/providers/host/localSession";
import {
  type SignedRepository,
  makeKey,
  makeRepository,
  stopAgents,
} from "../unit/providers/host/signedRepository";

const usable = (() => {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("sh", ["-c", "command -v apt-get dpkg-deb gpg curl && unshare -m true"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
})();
const onDebian = usable ? describe : describe.skip;

onDebian("an apt repository on a real apt", () => {
  let folder: string;
  let repository: SignedRepository;
  const etc = (...names: string[]) => path.join(folder, "etc-apt", ...names);

  const session = () => {
    const mounts = [
      ["etc-apt", "/etc/apt"],
      ["lists", "/var/lib/apt/lists"],
      ["cache", "/var/cache/apt"],
    ].map(([name, target]) => `mount --bind "${path.join(folder, name!)}" ${target}`);
    return new LocalSession([
      "unshare",
      "-m",
      "--propagation",
      "private",
      "sh",
      "-c",
      `${mounts.join(" && ")} && exec "$@"`,
      "sh",
    ]);
  };
  const context = () => contextOf(session());
  const wanted = (more: object = {}): AptRepositoryInputs =>
    aptRepository.schema.parse({
      name: "demo",
      uri: repository.uri,
      suite: "stable",
      components: ["main"],
      architectures: ["amd64"],
      key: repository.key,
      fingerprint: repository.fingerprint,
      ...more,
    });
  const tree = () => fs.readdirSync(etc(), { recursive: true }).map(String).sort();

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-apt-"));
    fs.chmodSync(folder, 0o755);
    for (const name of [
      "etc-apt/sources.list.d",
      "etc-apt/preferences.d",
      "etc-apt/apt.conf.d",
      "etc-apt/trusted.gpg.d",
      "lists/partial",
      "cache/archives/partial",
    ])
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    fs.mkdirSync(path.join(folder, "work"));
    repository = makeRepository(path.join(folder, "work"), "stable", { "oslo-demo": "1.2" });
  });
  afterEach(() => {
    stopAgents(path.join(folder, "work"));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("makes the repository's packages installable, twice without a difference, and leaves nothing", async () => {
    const before = tree();
    const { id, outputs } = await aptRepository.create(context(), wanted());
    expect(id).toBe("demo");
    expect(fs.readFileSync(etc("sources.list.d/demo.list"), "utf8")).toBe(
      `deb [arch=amd64 signed-by=/etc/apt/keyrings/demo.gpg] ${repository.uri} stable main\n`,
    );
    const policy = await session().run("apt-cache policy oslo-demo", { step: "look" });
    expect(policy.stdout).toContain("Candidate: 1.2");

    await expect(aptRepository.read(context(), id, wanted(), outputs)).resolves.toEqual({
      inputs: wanted(),
      outputs,
    });
    await expect(aptRepository.update(context(), id, wanted(), wanted(), outputs)).resolves.toEqual(outputs);

    await aptRepository.delete(context(), id, wanted(), outputs);
    expect(tree().filter((name) => name !== "keyrings")).toEqual(before);
    expect(fs.readdirSync(path.join(folder, "lists")).filter((name) => name.includes("_dists_"))).toEqual([]);
    await aptRepository.delete(context(), id, wanted(), outputs);
  });

  it("refuses a key with another fingerprint, naming both, before anything is written", async () => {
    const before = tree();
    const other = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";
    const attempt = aptRepository.create(context(), wanted({ fingerprint: other }));
    await expect(attempt).rejects.toThrow(`found fingerprint ${repository.fingerprint}, wanted ${other}`);
    expect(tree()).toEqual(before);
  });

  it("refuses a file in which a second key hides beside the right one", async () => {
    const stranger = makeKey(path.join(folder, "work"), "second");
    const both = execFileSync(
      "sh",
      [
        "-c",
        'gpg --dearmor <"$1"; gpg --dearmor <"$2"',
        "sh",
        ...[repository.key, stranger.armored].map((key, index) => {
          const file = path.join(folder, `key${index}`);
          fs.writeFileSync(file, key);
          return file;
        }),
      ],
      { encoding: "latin1", stdio: ["ignore", "pipe", "ignore"] },
    );
    fs.writeFileSync(path.join(folder, "both.gpg"), both, "latin1");
    const attempt = aptRepository.create(
      context(),
      wanted({ key: undefined, keyUrl: `file://${folder}/both.gpg` }),
    );
    await expect(attempt).rejects.toThrow(`${repository.fingerprint} ${stranger.fingerprint}`);
    expect(fs.existsSync(etc("keyrings"))).toBe(false);
  });

  it("takes a source back whose signature is by another key", async () => {
    repository.signWithAnotherKey();
    execFileSync("chmod", ["-R", "a+rX", path.join(folder, "work/repo")]);
    await expect(aptRepository.create(context(), wanted())).rejects.toThrow(
      /cannot be used, and was removed again.*(NO_PUBKEY|not signed)/,
    );
    expect(tree().filter((name) => name.includes("demo"))).toEqual([]);
  });

  it("keeps the source that worked when a change of it does not", async () => {
    const { outputs } = await aptRepository.create(context(), wanted());
    const before = fs.readFileSync(etc("sources.list.d/demo.list"), "utf8");
    const change = aptRepository.update(context(), "demo", wanted(), wanted({ suite: "nowhere" }), outputs);
    await expect(change).rejects.toThrow("cannot be used");
    expect(fs.readFileSync(etc("sources.list.d/demo.list"), "utf8")).toBe(before);
  });

  it("sees drift in the list and in the keyring, and a source that is gone", async () => {
    const { outputs } = await aptRepository.create(context(), wanted());
    fs.writeFileSync(
      etc("sources.list.d/demo.list"),
      fs
        .readFileSync(etc("sources.list.d/demo.list"), "utf8")
        .replace("signed-by=/etc/apt/keyrings/demo.gpg", "trusted=yes"),
    );
    const drifted = await aptRepository.read(context(), "demo", wanted(), outputs);
    expect(drifted?.inputs.options).toEqual({ trusted: "yes" });

    const stranger = makeKey(path.join(folder, "work"), "intruder");
    fs.writeFileSync(
      etc("keyrings/demo.gpg"),
      execFileSync("gpg", ["--dearmor"], { input: stranger.armored }),
    );
    expect((await aptRepository.read(context(), "demo", wanted(), outputs))?.inputs.fingerprint).toBe(
      stranger.fingerprint,
    );

    fs.rmSync(etc("keyrings/demo.gpg"));
    await expect(aptRepository.read(context(), "demo", wanted(), outputs)).resolves.toBeUndefined();
  });

  it("names an address that cannot be fetched", async () => {
    const attempt = aptRepository.create(
      context(),
      wanted({ key: undefined, keyUrl: "file:///nowhere/key.asc" }),
    );
    await expect(attempt).rejects.toThrow("cannot fetch the key from file:///nowhere/key.asc");
  });
});

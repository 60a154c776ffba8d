/**
 * host:index:Packages with a real apt and dpkg and a repository of this test's own, in a mount namespace where /etc/apt and what apt and
 * dpkg know are folders of the test. The packages hold no files, so nothing of the machine changes.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe as describeError, PartialFailure } from "../../providers/core/errors";
import {
  packages,
  type PackagesInputs,
  type PackagesOutputs,
} from "../../providers/host/src/resources/packages";
import { contextOf, LocalSession } from "../unit/providers/host/localSession";

const usable =
  process.getuid?.() === 0 &&
  spawnSync("sh", ["-c", "command -v apt-get dpkg-deb apt-ftparchive && unshare -m true"]).status === 0;
const onDebian = usable ? describe : describe.skip;

onDebian("packages on a real apt", () => {
  let folder: string;
  let prefix: string[];
  const repository = (): string => path.join(folder, "repository");

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-packages-"));
    fs.chmodSync(folder, 0o755);
    const binds = {
      "etc-apt": "/etc/apt",
      "apt-lib": "/var/lib/apt",
      cache: "/var/cache/apt",
      dpkg: "/var/lib/dpkg",
      logs: "/var/log/apt",
      run: "/run",
    };
    for (const name of [
      "etc-apt/sources.list.d",
      "etc-apt/preferences.d",
      "etc-apt/apt.conf.d",
      "etc-apt/trusted.gpg.d",
      "apt-lib/lists/partial",
      "cache/archives/partial",
      "logs",
      "repository",
      "run",
    ])
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    // Only what the tests' own packages are: apt checks every package of the list, and the machine's are many.
    for (const name of ["info", "updates", "triggers", "alternatives", "parts"])
      fs.mkdirSync(path.join(folder, "dpkg", name), { recursive: true });
    for (const name of ["status", "available", "diversions", "statoverride"])
      fs.writeFileSync(path.join(folder, "dpkg", name), "");
    fs.writeFileSync(
      path.join(folder, "etc-apt/sources.list"),
      `deb [trusted=yes] file:${repository()} ./\n`,
    );
    fs.writeFileSync(path.join(folder, "etc-apt/apt.conf.d/test"), 'APT::Sandbox::User "root";\n');
    const mounts = Object.entries(binds).map(
      ([name, place]) => `mkdir -p ${place} && mount --bind "${path.join(folder, name)}" ${place}`,
    );
    prefix = [
      "unshare",
      "-m",
      "--propagation",
      "private",
      "sh",
      "-c",
      `${mounts.join(" && ")} && exec "$@"`,
      "sh",
    ];
    build("alpha", "1.0", { depends: "shared" });
    build("alpha", "1.2", { depends: "shared" });
    build("beta", "2.0", { depends: "shared" });
    build("shared", "1.0");
    build("breaks", "1.0", { depends: "shared", postinst: "echo cannot start it; exit 1" });
    build("postal", "1.0", { provides: "mail-agent" });
    index();
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  function build(
    name: string,
    version: string,
    more: { depends?: string; provides?: string; recommends?: string; postinst?: string } = {},
  ): void {
    const root = path.join(folder, "build", `${name}_${version}`);
    fs.mkdirSync(path.join(root, "DEBIAN"), { recursive: true });
    const fields = [
      `Package: ${name}`,
      `Version: ${version}`,
      "Architecture: all",
      "Maintainer: test <t@example.invalid>",
      "Description: test",
    ];
    if (more.depends) fields.push(`Depends: ${more.depends}`);
    if (more.recommends) fields.push(`Recommends: ${more.recommends}`);
    if (more.provides) fields.push(`Provides: ${more.provides}`);
    fs.writeFileSync(path.join(root, "DEBIAN/control"), `${fields.join("\n")}\n`);
    if (more.postinst)
      fs.writeFileSync(path.join(root, "DEBIAN/postinst"), `#!/bin/sh\n${more.postinst}\n`, { mode: 0o755 });
    execFileSync("dpkg-deb", ["--root-owner-group", "-b", root, repository()], { stdio: "ignore" });
  }
  const index = (): void => {
    const out = execFileSync("apt-ftparchive", ["packages", "."], {
      cwd: repository(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    fs.writeFileSync(path.join(repository(), "Packages"), out);
  };

  const session = (): LocalSession => new LocalSession(prefix);
  const inside = (script: string): string => {
    const [program, ...args] = [...prefix, "sh", "-c", script];
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  const list = (): string[] =>
    inside("dpkg-query -W -f '${db:Status-Abbrev}${Package}=${Version}\\n'")
      .split("\n")
      .filter(Boolean)
      .sort();
  const wanted = (list_: unknown, more: object = {}): PackagesInputs =>
    packages.schema.parse({ packages: list_, ...more });
  const create = async (list_: unknown, more: object = {}) =>
    packages.create(contextOf(session()), wanted(list_, more));
  const read = (list_: unknown, outputs: PackagesOutputs, more: object = {}) =>
    packages.read(contextOf(session()), "", wanted(list_, more), outputs);
  const failure = (action: Promise<unknown>) =>
    action.then(() => Promise.reject(new Error("it did not fail")), describeError);

  test("installs what is missing, and a second time does nothing but look", async () => {
    const { id, outputs } = await create(["alpha"]);
    expect(id).toBe("alpha");
    expect(outputs).toEqual({ versions: { alpha: "1.2" }, installed: ["alpha", "shared"] });
    expect((await read(["alpha"], outputs))?.inputs).toEqual(wanted(["alpha"]));
    fs.writeFileSync(path.join(folder, "logs/history.log"), "");
    const again = await packages.update(
      contextOf(session()),
      id,
      wanted(["alpha"]),
      wanted(["alpha"]),
      outputs,
    );
    expect(again).toEqual(outputs);
    expect(fs.readFileSync(path.join(folder, "logs/history.log"), "utf8")).toBe("");
  });

  test("versions: exactly one, one with a star, at least one", async () => {
    expect((await create({ alpha: "=1.0" })).outputs.versions).toEqual({ alpha: "1.0" });
    const up = await packages.update(
      contextOf(session()),
      "",
      wanted(["alpha=1.0"]),
      wanted(["alpha>=1.1"]),
      { versions: {}, installed: ["alpha"] },
    );
    expect(up.versions).toEqual({ alpha: "1.2" });
    const down = await packages.update(
      contextOf(session()),
      "",
      wanted(["alpha>=1.1"]),
      wanted(["alpha=1.0*"]),
      up,
    );
    expect(down.versions).toEqual({ alpha: "1.0" });
  });

  test("what cannot be had is one message for all of it, and nothing is installed", async () => {
    const message = await failure(create(["alpha=3.0", "beta>=4", "gamma", "mail-agent"]));
    expect(message).toContain("there is no alpha = 3.0 (to be had: 1.2 1.0");
    expect(message).toContain("there is no beta >= 4 (to be had: 2.0");
    expect(message).toContain("there is no package gamma");
    expect(message).toMatch(/there is no package mail-agent \(a name that others provide: postal/);
    expect(list()).toEqual([]);
  });

  test("lists are fetched when they are missing, when they lack a package, and not otherwise", async () => {
    await create(["alpha"]);
    build("fresh", "1.0");
    index();
    const before = fs.statSync(path.join(folder, "apt-lib/lists")).mtimeMs;
    await create(["beta"]);
    expect(fs.statSync(path.join(folder, "apt-lib/lists")).mtimeMs).toBe(before);
    expect((await create(["fresh"])).outputs.installed).toEqual(["fresh"]);
  });

  test("a list that names what its server no longer has is fetched again", async () => {
    await create(["beta"]);
    fs.rmSync(path.join(repository(), "alpha_1.2_all.deb"));
    index();
    expect((await create(["alpha"])).outputs.versions).toEqual({ alpha: "1.0" });
  });

  test("delete takes what it brought, and leaves what was there and what others need", async () => {
    await create(["shared"]);
    const alpha = await create(["alpha", "shared"]);
    expect(alpha.outputs.installed).toEqual(["alpha"]);
    await packages.delete(contextOf(session()), "", wanted(["alpha", "shared"]), alpha.outputs);
    expect(list()).toEqual(["ii shared=1.0"]);
    await packages.delete(contextOf(session()), "", wanted(["alpha", "shared"]), alpha.outputs);
    expect(list()).toEqual(["ii shared=1.0"]);
  });

  test("delete takes dependencies nobody needs any more, and keeps those that somebody else's package needs", async () => {
    const alpha = await create(["alpha"]);
    inside("apt-get -y install beta");
    await packages.delete(contextOf(session()), "", wanted(["alpha"]), alpha.outputs);
    expect(list()).toEqual(["ii beta=2.0", "ii shared=1.0"]);

    inside("apt-get -y purge beta shared");
    const shared = await create(["shared"]);
    inside("apt-get -y install beta");
    const context = contextOf(session());
    await packages.delete(context, "", wanted(["shared"]), shared.outputs);
    expect(list()).toEqual(["ii beta=2.0", "ii shared=1.0"]);
    expect(context.logged[0]!.message).toContain("packages that are not ours need it: shared");

    inside("apt-get -y purge beta shared");
    const both = await create(["alpha"]);
    await packages.delete(contextOf(session()), "", wanted(["alpha"]), both.outputs);
    expect(list()).toEqual([]);
  });

  test("what one delete had to leave for another resource's package goes with that one", async () => {
    const alpha = await create(["alpha"]);
    const beta = await create(["beta"]);
    expect(alpha.outputs.installed).toEqual(["alpha", "shared"]);
    await packages.delete(contextOf(session()), "", wanted(["alpha"]), alpha.outputs);
    expect(list()).toEqual(["ii beta=2.0", "ii shared=1.0"]);
    await packages.delete(contextOf(session()), "", wanted(["beta"]), beta.outputs);
    expect(list()).toEqual([]);
  });

  test("a name that is dropped from the list goes, with what only it needed", async () => {
    const { outputs } = await create(["alpha", "beta"]);
    const after = await packages.update(
      contextOf(session()),
      "",
      wanted(["alpha", "beta"]),
      wanted(["beta"]),
      outputs,
    );
    expect(list()).toEqual(["ii beta=2.0", "ii shared=1.0"]);
    expect(after).toEqual({ versions: { beta: "2.0" }, installed: ["beta", "shared"] });
  });

  test("delete takes a dependency that somebody's package only recommends", async () => {
    build("theirs", "1.0", { recommends: "shared" });
    index();
    inside("apt-get update; apt-get -y install --no-install-recommends theirs");
    const alpha = await create(["alpha"]);
    expect(alpha.outputs.installed).toEqual(["alpha", "shared"]);
    await packages.delete(contextOf(session()), "", wanted(["alpha"]), alpha.outputs);
    expect(list()).toEqual(["ii theirs=1.0"]);
  });

  describe("with a foreign source that is not signed", () => {
    beforeEach(() => {
      fs.mkdirSync(path.join(folder, "unsigned"));
      fs.writeFileSync(
        path.join(folder, "etc-apt/sources.list.d/theirs.list"),
        `deb file:${path.join(folder, "unsigned")} stable main\n`,
      );
    });

    test("what the other sources have is installed, with a warning that names it", async () => {
      const context = contextOf(session());
      const { outputs } = await packages.create(context, wanted(["alpha"]));
      expect(outputs.versions).toEqual({ alpha: "1.2" });
      expect(context.logged).toEqual([
        { severity: "warning", message: expect.stringMatching(/apt-get update failed.*unsigned/) },
      ]);
    });

    test("what none of them has is refused, and the failed update is what is said", async () => {
      expect(await failure(create(["gamma"]))).toMatch(
        /apt-get update failed, and without it there is no package gamma[^]*unsigned/,
      );
    });
  });

  test("a service is not started while its package is installed, where that is asked for", async () => {
    const [started, rule] = [path.join(folder, "started"), "/usr/sbin/policy-rc.d"];
    // A machine without such a rule of its own: /usr/sbin, with links to all that it has but that one.
    const bare = path.join(folder, "sbin");
    fs.mkdirSync(bare);
    const script = [
      "mkdir -p /run/sbin && mount --bind /usr/sbin /run/sbin",
      `for file in /run/sbin/*; do ln -s "$file" ${bare}/; done`,
      `rm -f ${bare}/policy-rc.d && mount --bind ${bare} /usr/sbin && exec "$@"`,
    ].join("; ");
    const own = new LocalSession([...prefix, "sh", "-c", script, "sh"]);
    build("served", "1.0", {
      postinst: `if [ -x ${rule} ]; then ${rule} served start || exit 0; fi; touch ${started}`,
    });
    index();
    const install = (startServices: boolean) =>
      packages.create(contextOf(own), wanted(["served"], { startServices }));
    await install(false);
    expect([fs.existsSync(started), fs.existsSync(path.join(bare, "policy-rc.d"))]).toEqual([false, false]);
    inside("apt-get -y purge served");
    fs.rmSync(bare, { recursive: true });
    fs.mkdirSync(bare);
    await install(true);
    expect(fs.existsSync(started)).toBe(true);
  });

  test("drift: gone, in another version, no longer held", async () => {
    const { outputs } = await create(["alpha", "beta=2.0"], { hold: true });
    expect(inside("apt-mark showhold")).toBe("alpha\nbeta\n");
    const hold = wanted(["alpha", "beta=2.0"], { hold: true });
    expect((await packages.read(contextOf(session()), "", hold, outputs))?.inputs).toEqual(hold);
    inside("apt-mark unhold alpha beta; apt-get -y purge alpha");
    build("beta", "2.1", { depends: "shared" });
    index();
    inside("apt-get update; apt-get -y install beta=2.1");
    expect((await read(["alpha", "beta=2.0"], outputs, { hold: true }))?.inputs).toEqual({
      packages: { beta: "=2.1" },
      hold: false,
      recommends: false,
      startServices: true,
    });
    const repaired = await packages.update(contextOf(session()), "", wanted({ beta: "=2.1" }), hold, outputs);
    expect(repaired.versions).toEqual({ alpha: "1.2", beta: "2.0" });
    expect(inside("apt-mark showhold")).toBe("alpha\nbeta\n");
    await packages.delete(contextOf(session()), "", hold, repaired);
    expect(list()).toEqual([]);
    expect(await packages.read(contextOf(session()), "", hold, outputs)).toBeUndefined();
  });

  test("a package that fails half-way: what came is remembered, and the next run completes it", async () => {
    const error = await create(["breaks"]).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(PartialFailure);
    expect(describeError(error)).toContain("cannot start it");
    expect((error as PartialFailure).outputs).toMatchObject({ installed: ["breaks", "shared"] });
    fs.writeFileSync(path.join(folder, "dpkg/info/breaks.postinst"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const repaired = await packages.update(
      contextOf(session()),
      "",
      wanted(["breaks"]),
      wanted(["breaks"]),
      (error as PartialFailure).outputs as PackagesOutputs,
    );
    expect(repaired).toEqual({ versions: { breaks: "1.0" }, installed: ["breaks", "shared"] });
    await packages.delete(contextOf(session()), "", wanted(["breaks"]), repaired);
    expect(list()).toEqual([]);
  });

  test("waits for another apt", async () => {
    await create(["shared"]);
    const lock = path.join(folder, "dpkg/lock-frontend");
    const holder = spawn("python3", [
      "-c",
      `import fcntl,time\nf=open(${JSON.stringify(lock)},"w")\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint("held",flush=True)\ntime.sleep(4)`,
    ]);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const started = Date.now();
    await create(["alpha"]);
    expect(Date.now() - started).toBeGreaterThan(2500);
    expect(list()).toContain("ii alpha=1.2");
  });

  test("gives up on a lock in the end, and says who holds it", async () => {
    await create(["shared"]);
    const lock = path.join(folder, "dpkg/lock-frontend");
    // Without ours apt itself would wait that long, at each attempt.
    fs.writeFileSync(path.join(folder, "etc-apt/apt.conf.d/lock"), 'DPkg::Lock::Timeout "60";\n');
    const holder = spawn("python3", [
      "-c",
      `import fcntl,time\nf=open(${JSON.stringify(lock)},"w")\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint("held",flush=True)\ntime.sleep(60)`,
    ]);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    try {
      const impatient = session();
      const run = impatient.run.bind(impatient);
      impatient.run = (script, options) => run(script.replace("LOCK_SECONDS=300", "LOCK_SECONDS=2"), options);
      const message = await failure(packages.create(contextOf(impatient), wanted(["alpha"])));
      expect(message).toMatch(/python3 \(process \d+\) held apt's lock for more than 2 s/);
    } finally {
      holder.kill();
    }
  });

  test("two at once do not count each other's packages as their own", async () => {
    const [alpha, postal] = await Promise.all([create(["alpha"]), create(["postal"])]);
    expect(alpha.outputs.installed).toEqual(["alpha", "shared"]);
    expect(postal.outputs.installed).toEqual(["postal"]);
  });
});

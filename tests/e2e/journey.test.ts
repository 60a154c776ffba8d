/**
 * What a person does with the project, in order, on a real host: up, again, look for drift, change a line, take it down.
 * Each test goes on where the one before it ended; when one fails, the later ones say little.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Platform } from "../../bench/ledger";
import {
  both,
  burstScalesUp,
  calmScalesDown,
  deployedByHand,
  picturesFlowThrough,
  platform,
  queueLosesNothing,
  statusTellsHowItIs,
  twoWorkersLoseNothing,
} from "./async";
import {
  built,
  buildsOnTheHost,
  oneGoesByItself,
  failsWithTheOldVersionServing,
  loadsFromThisMachine,
  putsBackAndRotates,
} from "./functions";
import { forgetService, killUp } from "./killed";
import {
  changedLines,
  FRONT_DOOR,
  lab,
  npm,
  ok,
  onHost,
  onHostOk,
  pulumi,
  pulumiOk,
  run,
  startLoad,
  stateFile,
  variant,
  watchProcesses,
} from "./lib";
import { keepsContract, roughDay, servesFaasCli, socketHolders } from "./provider";

jest.setTimeout(25 * 60_000);

let failed = false;
const step = (name: string, body: () => Promise<void>) =>
  test(name, async () => {
    if (failed) throw new Error("an earlier step failed; this one was not tried");
    try {
      await body();
    } catch (error) {
      failed = true;
      throw error;
    }
  });

/** The host as it is without us, to compare with at the end. */
const FOOTPRINT = `
dpkg-query -W -f '\${Package} \${db:Status-Abbrev}\\n' | sort
ls /etc/apt/sources.list.d /etc/apt/keyrings /etc/systemd/system /etc/sysctl.d /etc/nginx /etc/docker /etc/oslo-faas 2>/dev/null
systemctl list-unit-files --state=enabled --no-legend | sort
nft list tables 2>/dev/null || true
readlink /etc/localtime; cat /etc/timezone
`;
let before = "";
let password = "";

beforeAll(async () => {
  await ok(npm("down"), { timeoutSeconds: 300 });
});

afterAll(async () => {
  if (!process.env.OSLO_FAAS_KEEP) await run(npm("down"), { timeoutSeconds: 600 });
});

step("a clean host has nothing of oslo-faas", async () => {
  await ok(["npx", "tsx", "lab/cli.ts", "host"], { timeoutSeconds: 900, echo: true });
  before = await onHostOk(FOOTPRINT);
  expect(before).not.toMatch(/docker|nginx|oslo-faas/);
});

step("up makes it a platform and calls it both ways", async () => {
  const processes = watchProcesses();
  const up = await ok(npm("up"), { timeoutSeconds: 1500, echo: true });
  const commands = processes.stop();
  expect(up.stdout).toContain(FRONT_DOOR);
  expect(up.all).toMatch(/asynchronous/i);
  password = (await pulumiOk(["stack", "output", "gatewayPassword", "--show-secrets"])).stdout.trim();
  expect(password).toMatch(/^[\w-]{32,}$/);
  expect(up.all).not.toContain(password);
  expect(commands.filter((line) => /docker|ssh|curl/.test(line)).length).toBeGreaterThan(10);
  expect(commands.filter((line) => line.includes(password))).toEqual([]);
});

step("the outputs are those the documentation promises", async () => {
  const outputs = JSON.parse((await pulumiOk(["stack", "output", "--json"])).stdout);
  expect(Object.keys(outputs).sort()).toEqual([
    "functions",
    "gatewayPassword",
    "gatewayUser",
    "host",
    "location",
    "url",
  ]);
  expect(outputs.url).toBe(FRONT_DOOR);
  expect(outputs.gatewayPassword).toBe("[secret]");
  expect(Object.keys(outputs.functions)).toEqual(expect.arrayContaining(["hello", "resize-image"]));
  expect(outputs.location).toMatchObject({ country: "NO", city: "Oslo" });
  expect(outputs.host).toMatchObject({ osId: expect.any(String), kernel: expect.any(String) });
});

step("a second up changes nothing", async () => {
  await pulumiOk(["preview", "--expect-no-changes"]);
  const up = await pulumiOk(["up", "--yes", "--expect-no-changes"]);
  expect(up.stdout).toMatch(/\d+ unchanged/);
  expect((await ok(npm("up"), { timeoutSeconds: 300 })).all).toMatch(/nothing changed/i);
});

step("a refresh finds no drift", async () => {
  await pulumiOk(["refresh", "--preview-only", "--expect-no-changes"]);
});

step("status shows how the platform is on one screen, and what is unhealthy", () =>
  statusTellsHowItIs(password),
);

const onPlatform = (work: (at: Platform) => Promise<void>) => async () => {
  const at = platform(password);
  await work(at).finally(() => at.close());
};

step(
  "a burst scales a function up; the queue makes every call, once, also when NATS is killed or a function fails",
  onPlatform((at) => both(burstScalesUp(at), queueLosesNothing(at))),
);

step(
  "calm scales the function down; a picture goes through the pipeline: accepted, sizes, callback",
  onPlatform((at) => both(calmScalesDown(at), picturesFlowThrough(at))),
);

step("the password is in no state, diff, log or process list", async () => {
  const state = fs.readFileSync(stateFile(), "utf8");
  expect(state).not.toContain(password);
  expect(state).not.toContain(Buffer.from(password).toString("base64"));
  const diff = await pulumiOk(["preview", "--diff", "--show-sames"]);
  expect(diff.all).not.toContain(password);
  const traces = await onHostOk(
    "ps -eo args; journalctl --no-pager -o cat 2>/dev/null; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'",
  );
  expect(traces).not.toContain(password);
  const engine = await onHostOk(
    "docker service inspect $(docker service ls -q); docker config ls -q | xargs -r docker config inspect; docker inspect $(docker ps -aq)",
  );
  expect(engine).not.toContain(password);
  // The state's history and copies too.
  const files = [lab.cacheDir, path.join(lab.cloneDir, ".pulumi")];
  const logs = await run(["grep", "-rlF", "--exclude-dir=ssh", "-f", "-", ...files], {
    input: password + "\n",
  });
  expect(logs.stdout).toBe("");
});

step("only ssh and Nginx answer to the outside", async () => {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const address = (await ok(["docker", "inspect", "-f", format, lab.container])).stdout.trim();
  const probe = `for p in 22 80 443 8080 2377 7946; do timeout 2 bash -c "</dev/tcp/${address}/$p" 2>/dev/null && echo $p; done; true`;
  expect((await run(["bash", "-c", probe])).stdout.trim().split("\n")).toEqual(["22", "80", "443"]);
  const secure = [
    "curl",
    "-sSk",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    `https://127.0.0.1:${lab.ports.https}/function/hello`,
  ];
  expect((await ok(secure)).stdout).toBe("200");
  expect(await onHostOk("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/healthz")).toBe("200");
});

step("each of the two plugins opens one SSH connection a run, and none in a preview", async () => {
  const level = async (to: string) => {
    await onHostOk(`sed -i 's/^LogLevel .*/LogLevel ${to}/' /etc/ssh/sshd_config && systemctl reload ssh`);
    // sshd restarts, and drops connections meanwhile.
    for (let i = 0; i < 20 && (await onHost("true")).code !== 0; i++)
      await new Promise((next) => setTimeout(next, 500));
  };
  // At this level sshd logs the client's software; @pulumi/docker and @pulumi/command come with other clients.
  await level("DEBUG1");
  const count = async () =>
    Number(
      await onHostOk(
        "journalctl -u ssh --no-pager -o cat | grep -c 'remote software version ssh2js' || true",
      ),
    );
  const start = await count();
  await pulumiOk(["preview", "--expect-no-changes"]);
  expect((await count()) - start).toBe(0);
  await pulumiOk(["up", "--yes", "--refresh", "--skip-preview", "--expect-no-changes"]);
  expect((await count()) - start).toBe(2);
  await level("VERBOSE");
});

step("one changed Nginx parameter is that line in preview, and a reload that drops no request", async () => {
  const config = variant("keepalive", { "nginx.keepalive": 128 });
  // As apply.yml does it: the plan that was read, and nothing else.
  const plan = path.join(lab.cacheDir, "keepalive.json");
  const diff = await pulumiOk(["preview", "--diff", "--save-plan", plan], { config });
  expect(changedLines(diff.stdout).filter((line) => !line.includes(":"))).toEqual([
    "- keepalive 64;",
    "+ keepalive 128;",
  ]);

  const pids =
    "systemctl show -p MainPID --value nginx; pgrep -P $(systemctl show -p MainPID --value nginx) | sort | tr '\\n' ' '";
  const [masterBefore, workersBefore] = (await onHostOk(pids)).split("\n");
  const load = startLoad(`${FRONT_DOOR}/function/hello`);
  await pulumiOk(["up", "--yes", "--skip-preview", "--plan", plan], { config });
  const { answered, failures } = await load.stop();
  const [masterAfter, workersAfter] = (await onHostOk(pids)).split("\n");
  expect(masterAfter).toBe(masterBefore);
  expect(workersAfter).not.toBe(workersBefore);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(20);
  await pulumiOk(["up", "--yes", "--skip-preview"]);
});

step("what somebody changes on the host is drift, line by line, and put back", async () => {
  await onHostOk(
    "sed -i 's/keepalive 64;/keepalive 1;/' /etc/nginx/nginx.conf && sysctl -qw net.core.somaxconn=128 && systemctl stop oslo-faas-firewall && nft delete table inet oslo_faas && docker service scale -d queue-worker=2",
  );
  const drift = await pulumi(["refresh", "--preview-only", "--diff"]);
  const lines = changedLines(drift.stdout).join("\n");
  expect(lines).toContain("keepalive 1;");
  expect(drift.stdout).toMatch(/somaxconn/);
  expect(drift.stdout).toMatch(/replicas\s*: 1 => 2/);
  expect(drift.stdout).toMatch(/active\s*: true => false/);
  await pulumiOk(["up", "--yes", "--refresh", "--skip-preview"]);
  const put =
    "grep -c 'keepalive 64;' /etc/nginx/nginx.conf; sysctl -n net.core.somaxconn; sh /etc/oslo-faas/firewall.sh check && echo closed";
  expect(await onHostOk(put)).toBe("1\n16384\nclosed\n");
  // The unit restores a flushed table.
  await onHostOk("nft delete table inet oslo_faas; sleep 1; sh /etc/oslo-faas/firewall.sh check");
  await pulumiOk(["refresh", "--preview-only", "--expect-no-changes"]);
});

step("an up that was killed is repaired, and the next goes on", async () => {
  await forgetService("openfaas-exporter", "exporter");
  const plugin = await killUp("exporter");
  const repair = npm("repair", "-s", lab.stack, "--config-file", lab.derivedStackFile!);
  const { stdout } = await ok(repair, { env: { PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile } });
  expect(stdout).toContain("interrupted while creating openfaas-exporter");
  expect(stdout).toContain("released the lock of the run that was killed");
  expect(stdout).toContain("removed the half-made service exporter");
  await pulumiOk(["up", "--yes", "--skip-preview"]);
  expect(() => process.kill(plugin, 0)).toThrow("ESRCH");
  const again = await ok(repair, { env: { PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile } });
  expect(again.stdout).toBe(`Nothing to repair: no operation of ${lab.stack} was interrupted.\n`);
  await pulumiOk(["preview", "--expect-no-changes"]);
});

step(
  "the provider keeps OpenFaaS's contract behind the stock gateway, and alone has the engine's socket",
  async () => {
    expect(await keepsContract({ user: "admin", password })).toBeGreaterThan(30);
    await servesFaasCli({ user: "admin", password });
    expect(await socketHolders()).toEqual(["swarm-provider"]);
  },
);

step("functions are updated, taken back, put to sleep and woken without a lost request", async () => {
  const { answered, failed } = await roughDay({ user: "admin", password });
  expect(failed).toEqual([]);
  expect(answered).toBeGreaterThan(100);
});

step("NATS, gateway and worker can change in one up, and two workers make every call", async () => {
  const config = variant("all-at-once", {
    "openfaas.queue.maxBody": "8m",
    "openfaas.queue.maxBytes": "512m",
    "openfaas.queue.maxInflight": 4,
    "openfaas.queue.workers": 2,
    "openfaas.readTimeout": "296s",
  });
  const up = await pulumiOk(["up", "--yes", "--skip-preview"], { config, timeoutSeconds: 600 });
  // NATS is back before what needs it is touched.
  const at = (text: string) => up.stdout.indexOf(text);
  expect(at("openfaas-nats updated")).toBeGreaterThan(0);
  expect(at("openfaas-gateway updating")).toBeGreaterThan(at("openfaas-nats updated"));
  expect(at("openfaas-queue-worker updating")).toBeGreaterThan(at("openfaas-gateway updated"));
  const call = await ok([
    "curl",
    "-sS",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "-X",
    "POST",
    `${FRONT_DOOR}/async-function/hello`,
  ]);
  expect(call.stdout).toBe("202");
  await onPlatform((at) => twoWorkersLoseNothing(at, 4))();
});

step("the host's engine builds the own images where no registry has them", buildsOnTheHost);
step("one function is deployed, called and looked at by itself", oneGoesByItself);
step(
  "a function's version that does not come up fails the up with its own log",
  failsWithTheOldVersionServing,
);
step(
  "a function that somebody removed or scaled comes back, and one whose secret changed is rolled",
  putsBackAndRotates,
);

step("a function's image is loaded from this machine's engine", loadsFromThisMachine);

step("a host that is off is named within seconds, and preview does not need it", async () => {
  await ok(["docker", "pause", lab.container]);
  try {
    await pulumiOk(["preview", "--expect-no-changes"], { config: built.config });
    const refused = await pulumi(["refresh", "--yes", "--skip-preview", "--target", "**index:Host**"], {
      config: built.config,
      timeoutSeconds: 120,
    });
    expect(refused.code).not.toBe(0);
    expect(refused.all).toContain(`127.0.0.1:${lab.ports.ssh}`);
  } finally {
    await ok(["docker", "unpause", lab.container]);
  }
});

step(
  "destroy leaves nothing of oslo-faas on the host, and takes along what was deployed by hand",
  async () => {
    await onPlatform(async (at) => {
      const name = await deployedByHand(at);
      const { all } = await pulumiOk(["destroy", "--yes", "--skip-preview"], { timeoutSeconds: 900 });
      expect(all).toContain(`removed, as somebody deployed them outside of this stack: ${name}`);
    })();
    expect(await onHostOk(FOOTPRINT)).toBe(before);
    // The engine's data stay when its package is removed, without anything of oslo-faas in them.
    const kept =
      "ls /var/lib/docker/containers; ls /var/lib/docker/volumes | grep -v -e metadata.db -e backingFsBlockDev; true";
    expect(await onHostOk(kept)).toBe("");
    expect(await onHostOk("ls /var/run/docker.sock /etc/docker 2>/dev/null | wc -l")).toBe("0\n");
  },
);

step("down leaves nothing on this machine", async () => {
  await ok(npm("down"), { timeoutSeconds: 300 });
  const left = await ok(["docker", "ps", "-aq", "--filter", `label=no.oslo-faas.instance=${lab.instance}`]);
  expect(left.stdout).toBe("");
  for (const kind of ["volume", "network"])
    expect((await ok(["docker", kind, "ls", "-q", "--filter", `name=${lab.name}`])).stdout).toBe("");
  expect(fs.existsSync(lab.ssh.privateKey)).toBe(false);
});

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { complianceOf, fromFiles, parseHostFound } from "../../../../cli/report/gather";
import { type Language, sayIn } from "../../../../cli/report/language";
import type { Compliance, Given } from "../../../../cli/report/model";
import { render } from "../../../../cli/report/render";
import type { Report } from "../../../../cli/status/report";

const ROOT = path.resolve(__dirname, "../../../..");
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-report-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** What only people can say, and all of it. */
const SAID = {
  controller: { name: "Example AS", contact: "personvern@example.no" },
  purposes: ["delivery of orders"],
  dataSubjects: ["customers"],
  dataCategories: ["name and address"],
  recipients: [],
  retention: [{ data: "orders", days: 365 }],
  countries: {
    "docker.io": "US",
    "ghcr.io": "US",
    "download.docker.com": "US",
    "registry.npmjs.org": "US",
    "proxy.golang.org": "US",
  },
};

function given(values: Record<string, unknown> = {}): Given {
  const all = {
    host: { address: "faas.example.no", hostKey: KEY },
    functions: [{ stack: "functions/stack.yml" }],
    ...values,
  };
  const config = Object.fromEntries(Object.entries(all).map(([key, value]) => [`oslo-faas:${key}`, value]));
  const file = path.join(folder, "stack.yaml");
  fs.writeFileSync(file, JSON.stringify({ config }));
  return fromFiles({ root: ROOT, stack: "oslo-test", configFile: file });
}

const made = (
  values?: Record<string, unknown>,
  more: Partial<Given> = {},
  language: Language = "en",
): Compliance => complianceOf({ ...given(values), ...more }, sayIn(language));

const field = ({ record }: Compliance, name: string) => record.find((one) => one.name === name)?.values;
const measure = ({ measures }: Compliance, name: string) => measures.find((one) => one.name === name);

const HOST = `apt=http://archive.ubuntu.com/ubuntu
apt=https://download.docker.com/linux/ubuntu
apt=file:///srv/packages
time=ntp.example.no
dns=127.0.0.53
dns=192.0.2.53
journald.MaxRetentionSec=30day
logs.every=daily
logs.kept=14
disk=encrypted
ssh.password=no
updates=1
`;
const STATUS: Report = {
  environment: "oslo-test",
  address: "faas.example.no",
  at: "2026-11-28T02:00:00.000Z",
  closedPorts: { 8080: "closed", 2377: "open" },
  certificate: { subject: "faas", expires: "2027-01-01T00:00:00.000Z", days: 34, selfSigned: false },
  drift: ["update nginx-conf"],
  missing: {},
  problems: ["port 2377 of the host answers, which has to be closed"],
};

describe("the record of processing", () => {
  test("says what is missing, and where each belongs", () => {
    const report = made();
    expect(report.missing).toEqual([
      "privacy.controller",
      "privacy.purposes",
      "privacy.dataSubjects",
      "privacy.dataCategories",
      "privacy.recipients",
      "privacy.retention",
      ...["ghcr.io", "docker.io", "download.docker.com", "proxy.golang.org", "registry.npmjs.org"].map(
        (name) => `privacy.countries["${name}"]`,
      ),
    ]);
    expect(field(report, "Controller")).toEqual(["**missing**: `privacy.controller`"]);
    expect(field(report, "Transfers out of the EEA")).toEqual(["none to the countries that are named"]);
  });

  test("is whole with what the environment says, and names each transfer out of the EEA", () => {
    const report = made({ privacy: SAID });
    expect(report.missing).toEqual([]);
    expect(field(report, "Controller")).toEqual(["Example AS, personvern@example.no"]);
    expect(field(report, "Recipients")).toEqual(["operator of the host: self-hosted, Oslo, NO"]);
    expect(field(report, "Transfers out of the EEA")).toContain(
      "ghcr.io, US: names of images, the host's address",
    );
    expect(field(report, "Time limits for erasure")).toEqual(
      expect.arrayContaining(["orders: 365 days", "asynchronous calls that failed for good: 14 days"]),
    );
  });

  test("a recipient outside of the EEA needs its safeguards, one inside of it none", () => {
    const to = (country: string, safeguards?: string) =>
      made({ privacy: { ...SAID, recipients: [{ name: "Analyse", country, safeguards }] } });
    expect(to("US").missing).toEqual(["privacy.recipients[0].safeguards"]);
    expect(to("US", "standard contractual clauses").missing).toEqual([]);
    expect(to("SE").missing).toEqual([]);
  });
});

describe("what leaves the host", () => {
  const addresses = ({ destinations }: Compliance) => destinations.map(({ address }) => address);

  test("is nothing but registries and packages where no destination is named", () => {
    const inside = { registry: "registry.example.no", own: "registry" };
    const report = made({ images: inside, docker: { source: "distro" } });
    expect(addresses(report)).toEqual(["registry.example.no"]);
  });

  test("has alerts, mirrors and the jump host with their countries, and an address that is a secret without one", () => {
    const report = made(
      {
        alerts: {
          email: { to: ["ops@example.no"], from: "faas@example.no", smarthost: "smtp.example.se:587" },
        },
        docker: { registryMirrors: ["https://mirror.example.no:8443"] },
        host: {
          address: "faas.example.no",
          hostKey: KEY,
          jump: { address: "bastion.example.no", hostKey: KEY },
        },
        privacy: { ...SAID, countries: { ...SAID.countries, "smtp.example.se": "SE" } },
      },
      { secrets: ["alertWebhookUrl"] },
    );
    expect(addresses(report)).toEqual(
      expect.arrayContaining(["smtp.example.se", "mirror.example.no", "bastion.example.no", "(secret)"]),
    );
    expect(report.destinations.find(({ address }) => address === "smtp.example.se")?.country).toBe("SE");
    // A secret cannot be a key.
    expect(report.missing).toEqual([
      'privacy.countries["mirror.example.no"]',
      'privacy.countries["bastion.example.no"]',
    ]);
  });

  test("has the authority that a certificate is ordered from", () => {
    const nginx = { serverName: "faas.example.no", tls: "auto" };
    const found = (values?: object) =>
      JSON.stringify(made(values as Record<string, unknown>)).includes("acme-v02.api.letsencrypt.org");
    expect([found({ nginx }), found()]).toEqual([true, false]);
  });

  test("has what the host itself is set to use, and not the host", () => {
    const report = made({}, { host: parseHostFound(HOST) });
    expect(addresses(report)).toEqual(
      expect.arrayContaining(["archive.ubuntu.com", "ntp.example.no", "192.0.2.53"]),
    );
    expect(addresses(report)).not.toContain("127.0.0.53");
    expect(addresses(report)).not.toContain("");
    expect(report.open.join()).not.toContain("not known without");
    expect(made().open.join()).toContain("not known without");
  });
});

describe("measures", () => {
  test("have the value that was measured, with its time, and the one that is configured without a host", () => {
    const tls = { certificate: "/etc/ssl/a.pem", certificateKey: "/etc/ssl/a.key" };
    const measured = made({ nginx: { tls } }, { status: STATUS, host: parseHostFound(HOST) });
    expect(measure(measured, "Encryption in services")).toMatchObject({
      number: "2.7.2",
      value: "TLS 1.2 and 1.3; certificate for another 34 days",
      measuredAt: STATUS.at,
    });
    expect(measure(measured, "Closed ports of the platform")?.value).toBe("**open: 2377**");
    expect(measured.measures[0]).toMatchObject({ number: "2.3.5", value: "**1 differences**" });
    expect(measure(measured, "Encryption of storage")?.value).toContain("the disk is encrypted");
    const configured = made({ nginx: {} });
    expect(measure(configured, "Encryption in services")).toMatchObject({ value: "**none: plain HTTP**" });
    expect(configured.measures.filter(({ measuredAt }) => measuredAt)).toEqual([]);
    expect(configured.measures[0]?.value).toContain("not checked");
  });

  test("have the round trips where they were measured, and what is too far in bold", () => {
    const latency = { host: 4.2, targets: { "nix.example.no:443": 12 } };
    const key = { targets: [{ address: "nix.example.no:443" }] };
    const report = made({ latency: key }, { status: { ...STATUS, latency } });
    expect(measure(report, "Round trips")?.value).toBe(
      "to the host 4.2 ms (at most 10); **nix.example.no:443 12 ms** (at most 10)",
    );
    expect(measure(made({ latency: key }), "Round trips")).toBeUndefined();
  });

  test("claim a number of NSM's only where its text was read", () => {
    const numbers = made().measures.flatMap(({ number }) => number ?? []);
    expect(numbers).toEqual(["2.3.5", "2.7.2", "2.7.3", "2.7.4", "2.9.1", "2.10.1"]);
  });

  test("count functions by their level", () => {
    expect(measure(made({ openfaas: { access: "internal" } }), "Who may call functions")?.value).toMatch(
      /^default: internal; /,
    );
  });
});

describe("how long data is kept", () => {
  const kept = (host: string) =>
    made({}, { host: parseHostFound(host) })
      .retention.slice(0, 2)
      .map(({ time }) => time);

  test.each([
    [HOST, ["14 days", "30day"]],
    ["logs.every=weekly\nlogs.kept=52\nlogs.days=30\n", ["30 days", "by size: 10 % of the disk"]],
    ["journald.Storage=volatile\njournald.RuntimeMaxUse=64M\n", ["**not limited**", "by size: 64M"]],
  ])("is read off the host: %j", (host, times) => expect(kept(host)).toEqual(times));

  test("is not guessed without the host", () =>
    expect(made().retention[0]?.time).toBe("not known without the host"));
});

test("the host's script says what this machine has, and fails for nothing that is absent", () => {
  const script = path.join(ROOT, "cli/report/scripts/host.sh");
  const { status, stdout } = spawnSync("sh", [script], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(parseHostFound(stdout).dns.length).toBeGreaterThan(0);
});

test.each(["en", "nb"] as const)("in %s it is Markdown with every part, and never a verdict", (language) => {
  const text = render(made({ privacy: SAID }, { unmeasured: "no route" }, language), language);
  expect(text).toContain(
    language === "nb" ? "**Ingenting er målt**: no route" : "**Nothing was measured**: no route",
  );
  expect(text.match(/^## /gm)).toHaveLength(5);
  expect(text).not.toMatch(/compliant|undefined|samsvar med loven/i);
  // Every row of a table has as many cells as its head.
  const tables = text.split("\n\n").filter((block) => block.startsWith("|"));
  expect(tables).toHaveLength(5);
  for (const rows of tables.map((block) => block.trim().split("\n")))
    expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)).size).toBe(1);
});

test("both languages differ in every heading", () => {
  const headings = (language: Language) => render(made({}, {}, language), language).match(/^#.*$/gm)!;
  const nb = headings("nb");
  headings("en").forEach((line, i) => expect(nb[i]).not.toBe(line));
});

describe("the command", () => {
  const run = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ["--require", "./bundle/text.cjs", "--import", "tsx", "cli/main.ts", "report", "compliance", ...args],
      { cwd: ROOT, encoding: "utf8" },
    );

  test("a host that cannot be reached is named, and the configuration told all the same", () => {
    const config = {
      "oslo-faas:host": {
        address: "127.0.0.1",
        port: 1,
        dialTimeoutSeconds: 1,
        hostKey: KEY,
        privateKeyPath: "LICENSE",
      },
    };
    const file = path.join(folder, "unreachable.yaml");
    fs.writeFileSync(file, JSON.stringify({ config }));
    const { status, stdout } = run("-s", "nowhere", "--json", "--config-file", file);
    const report = JSON.parse(stdout) as Compliance;
    expect(report.unmeasured).toMatch(/\S/);
    expect(report.missing).toContain("privacy.controller");
    expect(status).toBe(1);
  });

  test("one that is whole ends with 0, and an environment that does not exist with 2", () => {
    const file = path.join(folder, "whole.yaml");
    const config = { "oslo-faas:host": { address: "a.example.no", hostKey: KEY }, "oslo-faas:privacy": SAID };
    fs.writeFileSync(file, JSON.stringify({ config }));
    expect(run("-s", "whole", "--offline", "--lang", "nb", "--config-file", file).status).toBe(0);
    expect(run("-s", "no-such").status).toBe(2);
  });
});

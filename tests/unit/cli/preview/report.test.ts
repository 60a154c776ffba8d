/** The report of what previews found: its order, its length, and that no text of others breaks out of it. */
import type { Change } from "../../../../cli/preview/changes";
import type { EnvironmentPreview } from "../../../../cli/preview/environment";
import { code, fenced, inert, visible } from "../../../../cli/preview/markdown";
import { masker, secretsOfEnvironment } from "../../../../cli/preview/mask";
import { LIMIT, report, type ReportInput } from "../../../../cli/preview/report";
import { fit } from "../../../../cli/preview/shorten";

const environment = (name: string, more: Partial<EnvironmentPreview> = {}): EnvironmentPreview => ({
  name,
  because: [`stacks/Pulumi.${name}.yaml`],
  comparedWith: "the base on paper",
  changes: [],
  pending: [],
  violations: [],
  errors: [],
  warnings: [],
  dummies: [],
  notes: [],
  ...more,
});

const change = (
  kind: Change["kind"],
  name: string,
  lines: string[] = [],
  more: Partial<Change> = {},
): Change => ({
  urn: name,
  name,
  type: "host:index:File",
  kind,
  parts: lines.length > 0 ? [{ path: "content", lines }] : [],
  stakes: [],
  unknown: [],
  ...more,
});

const written = (environments: EnvironmentPreview[], more: Partial<ReportInput> = {}, shape = {}) =>
  report(
    {
      base: { commit: "abc1234", ref: "main" },
      head: { name: "fed4321", edited: false },
      environments,
      untouched: [],
      skipped: [],
      ...more,
    },
    shape,
  );

const order = (text: string, ...parts: string[]) => {
  const places = parts.map((part) => text.indexOf(part));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
};

test("a table first, then what is at stake, what is wrong, the policies, the changes and how it was made", () => {
  const text = written(
    [
      environment("oslo-prod", {
        changes: [
          change("deleted", "queue", [], { stakes: ["volume `queue` is deleted"] }),
          change("replaced", "swarm", ["- a: 1", "+ a: 2"]),
          change("changed", "conf", ["-old", "+new"], { unknown: ["id"] }),
          change("created", "made", ["+x"]),
          change("again", "check"),
        ],
        violations: [{ policy: "rule", level: "mandatory", resource: "conf", message: "is\nbroken" }],
        dummies: ["`gatewayPassword` (a secret)"],
      }),
      environment("oslo-dev", { errors: ["host.port: wrong", "nginx.x: unknown"], comparedWith: "" }),
    ],
    { untouched: ["oslo-staging"], skipped: ["oslo-test"] },
  );
  expect(text).toContain(
    "| oslo-prod | 1 | 1 | 1 | 1 | **data at stake**, **1 policy violation** | the base on paper |",
  );
  expect(text).toContain("| oslo-dev | 0 | 0 | 0 | 0 | **2 errors** | — |");
  order(
    text,
    "Untouched: oslo-staging.",
    "Affected, but not previewed: oslo-test.",
    "## Data at stake\n\n- oslo-prod: volume `queue` is deleted",
    "## oslo-dev: 2 errors\n\n```text\nhost.port: wrong\nnginx.x: unknown\n```",
    "## Policy violations\n\n- oslo-prod: **rule** (mandatory) at `conf`: is broken",
    "### Deleted\n\n- `queue`",
    "### Replaced: `swarm`",
    "### Changed: `conf` (host:index:File)\n\n`content`:\n\n```diff\n-old\n+new\n```",
    "### Created: `made`",
    "Run again, because of the above: `check`.",
    "### Known only after the host has answered\n\n- `conf`: `id`",
    "## How this was made\n\n- oslo-prod: placeholders stand in for `gatewayPassword` (a secret)",
    "- oslo-prod: previewed because of `stacks/Pulumi.oslo-prod.yaml`",
  );
});

test("what is the same in several environments is told once, and production comes first", () => {
  const rolled = () =>
    change("changed", "functions-hello", ["-a", "+b"], { type: "openfaas:index:Function" });
  const own = change("changed", "nginx-conf", ["-keepalive 64", "+keepalive 128"]);
  const service = change("changed", "openfaas-gateway", ["+x"], { type: "docker:index/service:Service" });
  const text = written([
    environment("oslo-dev", { changes: [rolled(), own] }),
    environment("oslo-staging", {
      changes: [
        service,
        { ...service, name: "openfaas-edge", seamless: true },
        { ...service, name: "openfaas-nats", kind: "deleted" },
      ],
    }),
    environment("oslo-prod", { changes: [rolled()] }),
  ]);
  expect(text.match(/### Changed: `functions-hello`/g)).toHaveLength(1);
  order(
    text,
    "| oslo-prod | 0 | 1 | 0 | 0 |",
    "| oslo-dev | 0 | 2 | 0 | 0 |",
    "## The same in oslo-prod, oslo-dev\n\n### Changed: `functions-hello`",
    "## oslo-prod\n\n**What callers notice**: rolled, the version before answering until the new one is up: `hello`.\n\nWhat changes is above.",
    "## oslo-dev\n\n**What callers notice**: nginx is reloaded, which cuts no connection; rolled",
    "Beside what is above:\n\n### Changed: `nginx-conf`",
    "**What callers notice**: restarted, each away for about 10 s: `gateway`; exchanged, the old one working until the new one is up: `edge`; removed: `nats`.",
  );
  // A comment of one environment alone has all of it.
  expect(written([environment("oslo-prod", { changes: [rolled()] })])).toContain(
    "## oslo-prod\n\n**What callers",
  );
});

test("pending changes, drift and a preview that broke off are told apart from what the change does", () => {
  const text = written([
    environment("oslo-prod", {
      pending: [change("changed", "before", ["-64", "+128"])],
      drift: [change("changed", "conf", ["-ours", "+theirs"]), change("deleted", "gone")],
      changes: [change("changed", "now", ["+1"])],
      errors: ["boom"],
    }),
    environment("oslo-dev", { drift: [] }),
  ]);
  expect(text).toContain("| oslo-prod | 0 | 1 | 0 | 0 | **1 error**, drift, 1 pending before |");
  order(text, "Incomplete", "### Changed: `now`", "### Pending: merged earlier", "+128");
  expect(text).toContain("Only an `up` with `--refresh` reverts it.");
  const repaired = written([environment("a", { drift: [change("deleted", "gone")], repairs: true })]);
  order(repaired, "### Drift", "The plan reverts it", "`gone`");
  order(text, "### Drift", "+theirs", "`gone` (host:index:File): is gone");
  expect(text).toMatch(/## oslo-dev\n\nNothing changes\.\n\n### Drift[^\n]*\n\nNone\./);
});

test("more than ten new resources are listed without values; an empty report is one line", () => {
  const created = (count: number) =>
    Array.from({ length: count }, (_, i) => change("created", `r${i}`, [`+v${i}`]));
  expect(written([environment("a", { changes: created(10) })])).toContain("+v9");
  const many = written([environment("a", { changes: created(11) })]);
  expect(many).not.toContain("+v10");
  expect(many).toContain("- `r10` (host:index:File)");
  expect(written([])).toContain("No environment is affected.");
  expect(written([environment("a")])).toContain("Without changes: a.");
});

test("violations are in one order, whatever the engine's: mandatory ones first", () => {
  const one = (level: string, policy: string, resource: string) => ({
    level,
    policy,
    resource,
    message: "x",
  });
  const some = [one("advisory", "a", "r"), one("mandatory", "b", "r2"), one("mandatory", "b", "r1")];
  order(written([environment("e", { violations: some })]), "at `r1`", "at `r2`", "(advisory)");
});

test("the report names its commit and uncommitted changes", () => {
  expect(written([])).toContain("`fed4321`, compared with `abc1234`, where it branched off `main`.");
  const edited = written([], { head: { name: "fed4321", edited: true } });
  expect(edited).toContain("`fed4321` with uncommitted changes, compared with `abc1234`");
});

test("findings that several environments share are listed once", () => {
  const note = { notes: ["the same"], because: [] };
  expect(written([environment("a", note), environment("b", note)])).toContain("- a, b: the same");
});

describe("within the limit", () => {
  const long = (lines: number) =>
    written([
      environment("a", {
        changes: [
          change(
            "changed",
            "conf",
            Array.from({ length: lines }, (_, i) => `+line ${i} of many \`\`\`\`\``),
          ),
        ],
        dummies: ["a key"],
      }),
    ]);

  test("whole lines, a closed block, a true count, and how it was made all the same", () => {
    const text = long(5000);
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text.length).toBeGreaterThan(LIMIT - 400);
    const kept = [...text.matchAll(/^\+line (\d+) of many `{5}$/gm)].map(([, n]) => Number(n));
    expect(kept).toEqual(kept.map((_, i) => i));
    expect(text.match(/^\+line/gm)).toHaveLength(kept.length);
    expect(text).toContain(
      `**Shortened: ${(5000 - kept.length).toLocaleString("en")} more lines do not fit here.**`,
    );
    // Opened and closed with more backticks than any line has.
    expect(text.match(/^`{6}(diff)?$/gm)).toEqual(["``````diff", "``````"]);
    order(text, "Shortened", "placeholders stand in for a key");
  });

  test("one that just fits is whole, and one longer by a character is not", () => {
    const pieces = [{ lines: ["x".repeat(500), "y".repeat(500)] }];
    const whole = fit(pieces, [], Infinity);
    expect(fit(pieces, [], whole.length)).toBe(whole);
    expect(fit(pieces, [], whole.length - 1)).toBe(
      `${"x".repeat(500)}\n\n**Shortened: 1 more line does not fit here.** The whole report: \`npx oslo-faas preview --whole\`.\n`,
    );
  });

  test("nothing follows the first gap but the end, and an end that is too long is cut like the rest", () => {
    const big = { lines: Array.from({ length: 100 }, () => "z".repeat(99)) };
    const cut = fit([{ lines: ["first"] }, big, { lines: ["small"] }], [{ lines: ["end"] }], 2000);
    expect(cut).toMatch(/^first\n(z{99}\n)+\n\*\*Shortened/);
    expect(cut).not.toContain("small");
    expect(cut).toMatch(/end\n$/);
    expect(fit([{ lines: ["first"] }], [big], 2000).length).toBeLessThanOrEqual(2000);
  });

  test("a line that is longer than all of it is cut, and takes nothing away of what follows", () => {
    const long = `begins so ${"x".repeat(LIMIT)}`;
    const text = written([
      environment("a", {
        errors: [`first\n${long}`, "second"],
        notes: [`It failed:\n${long}`, long],
        violations: [{ policy: "rule", level: "mandatory", resource: "", message: long }],
        changes: [change("changed", "conf", ["+later"])],
      }),
    ]);
    expect(text).not.toContain("Shortened");
    expect(text.match(/begins so x+… \(a line of 64,010 characters\)/g)).toHaveLength(4);
    order(text, "first", "begins so", "second", "+later", "It failed:");
  });

  test("a secret that lies across the cut is gone before it", () => {
    const text = written(
      [environment("a", { errors: [`${"x".repeat(495)}hunter2hunter2${"x".repeat(2000)}`] })],
      {},
      { hide: (line: string) => line.replaceAll("hunter2hunter2", "(secret)") },
    );
    expect(text).toContain("x(secr… (a line of");
    expect(text).not.toContain("hunt");
  });

  test("what takes a secret's place counts, and nothing is cut on request", () => {
    const lines = Array.from({ length: 9000 }, () => "+abcdef");
    const environments = [environment("a", { changes: [change("changed", "conf", lines)] })];
    const hide = (line: string) => line.replace("abcdef", "(secret)");
    expect(written(environments, {}, { hide }).length).toBeLessThanOrEqual(LIMIT);
    const whole = written(environments, {}, { hide, limit: Infinity });
    expect(whole.match(/^\+\(secret\)$/gm)).toHaveLength(9000);
    expect(whole).not.toContain("Shortened");
  });
});

describe("text of others", () => {
  test("is no Markdown: no tag, no mention, no cell, no end of a block", () => {
    expect(inert("<img src=x> @somebody and (@org/team) #12, a@b and x@sha256:1")).toBe(
      "&lt;img src=x> `@somebody` and (`@org/team`) `#12`, a@b and x@sha256:1",
    );
    expect(code("a`b")).toBe("``a`b``");
    expect(code("`a`")).toBe("`` `a` ``");
    expect(fenced(["```", "`````x"], "diff")[0]).toBe("``````diff");
    const text = written([
      environment("a|b", {
        violations: [{ policy: "p", level: "advisory", resource: "r`x", message: "<b> @all" }],
        notes: ["It failed:\n```\n# no heading\n</details>"],
        comparedWith: "x",
      }),
    ]);
    expect(text).toContain("| a\\|b | 0 |");
    expect(text).toContain("at ``r`x``: &lt;b> `@all`");
    expect(text).toContain("- a|b: It failed:\n\n  ````text\n  ```\n  # no heading\n  </details>\n  ````\n");
  });

  test("is no Markdown in the names of environments, types, policies and secrets either", () => {
    const bad = "<img src=y> @all";
    const text = written(
      [
        environment(bad, {
          changes: [change("changed", "c", ["+x"], { type: bad }), change("deleted", "d", [], { type: bad })],
          pending: [change("created", "p", [], { type: bad, stakes: ["a volume"] })],
          violations: [{ policy: bad, level: bad, resource: "", message: "x" }],
          errors: ["wrong"],
        }),
      ],
      { untouched: [bad], skipped: [bad] },
    );
    const outside = text.replace(/^(`{3,})\w+\n[\s\S]*?^\1$/gm, "").replace(/(`+)[^`].*?\1/g, "");
    expect(outside).not.toMatch(/<img|@all/);
    expect(code("two\nlines")).toBe("`two␊lines`");
    expect(inert("two\n\nlines")).toBe("two␊␊lines");
  });

  test("hides nothing from a reader", () => {
    expect(visible("a\tb\r")).toBe("a\tb␍");
    expect(visible("\u001b[31mred")).toBe("␛[31mred");
    expect(visible("access = \u202e\u2066admin\u200b\ufeff")).toBe(
      "access = \\u202e\\u2066admin\\u200b\\ufeff",
    );
    expect(visible("Tromsø, 東京, 🇳🇴")).toBe("Tromsø, 東京, 🇳🇴");
    expect(written([environment("a", { changes: [change("changed", "c", ["+x\r"])] })])).toContain("+x␍");
  });
});

describe("secrets of the environment", () => {
  test("are variables whose names say so and passwords in URLs; not paths, not short words", () => {
    const found = secretsOfEnvironment({
      PULUMI_CONFIG_PASSPHRASE: "correct horse",
      GH_TOKEN: "ghp_123456",
      AZURE_STORAGE_KEY: "storage-key",
      SSH_PRIVATE_KEY: "-----BEGIN\nline-one-of-it\n}\n-----END",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/etc/passphrase",
      SHORT_TOKEN: "abc",
      PULUMI_BACKEND_URL: "postgres://pulumi:p%40ssw0rd@db.example.no/state",
      HOME: "/root/with:colon@host",
      EMPTY_SECRET: "",
    });
    expect(found.sort()).toEqual(
      [
        "-----BEGIN",
        "-----BEGIN\nline-one-of-it\n}\n-----END",
        "-----END",
        "correct horse",
        "ghp_123456",
        "line-one-of-it",
        "p%40ssw0rd",
        "p@ssw0rd",
        "storage-key",
      ].sort(),
    );
  });

  test("are taken out in every form in which they may stand, the longest first", () => {
    const secret = 'abc"def/ghi jkl';
    const forms = [
      secret,
      JSON.stringify(secret),
      Buffer.from(secret).toString("base64"),
      encodeURIComponent(secret),
    ];
    expect(masker(["abc", secret])(forms.join("\n"))).toBe('(secret)\n"(secret)"\n(secret)\n(secret)');
    expect(masker([])("nothing")).toBe("nothing");
  });
});

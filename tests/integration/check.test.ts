/** `npm run check` as it is called, on a copy of this project: what is wrong in it fails the run, and is named. */
import { PreviewRepo } from "./previewRepo";

let repo: PreviewRepo;
beforeAll(() => {
  repo = new PreviewRepo();
  repo.commit("as it is");
});
afterAll(() => repo.remove());
beforeEach(() => repo.branch("another"));

/** Those of the checks that are about the configuration and the workflows; types and lint would only take time. */
async function check(...words: string[]): Promise<{ code: number; out: string }> {
  const { code, out, err } = await repo.run([process.execPath, "dev/bootstrap.mjs", "check", ...words]);
  return { code, out: out + err };
}

test("what is committed passes", async () => {
  const { code, out } = await check("configuration", "environments", "workflows");
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("all checks passed") });
  expect(out.match(/^ok /gm)).toHaveLength(3);
});

test("a generated file that somebody edited", async () => {
  repo.edit("docs/configuration.md", "Keys that are not written", "Keys that are written");
  const { code, out } = await check("configuration", "environments");
  expect(code).toBe(1);
  expect(out).toMatch(/docs\/configuration\.md is stale, from line \d+: npm run env -- generate/);
  expect(out).toContain("1 of 2 checks failed");
});

test("a schema that changed without what is made of it", async () => {
  repo.edit("environment/schema/workload.ts", "Connections per worker (worker_connections).", "Per worker.");
  const { code, out } = await check("configuration");
  expect(code).toBe(1);
  expect(out).toMatch(/environment\.schema\.json is stale[^]*configuration\.md is stale/);
});

test("a mistake in a stack file, and a file that the engine does not read", async () => {
  repo.edit("stacks/Pulumi.oslo-staging.yaml", "keepalive: 64", "keepAlive: 64");
  repo.write("stacks/Pulumi.oslo-new.yml", repo.read("stacks/Pulumi.oslo-dev.yaml"));
  const { code, out } = await check("environments");
  expect(code).toBe(1);
  expect(out).toMatch(
    /nginx\.keepAlive: unknown, did you mean nginx\.keepalive\? \(stacks\/Pulumi\.oslo-staging\.yaml:\d+\)/,
  );
  expect(out).toContain("the engine does not read it; rename it to stacks/Pulumi.oslo-new.yaml");
  // All others are judged all the same.
  expect(out).toContain("ok    stacks/Pulumi.oslo-prod.yaml");
  expect(out).toContain("2 errors");
});

test("a workflow with a mistyped key", async () => {
  repo.edit(".github/workflows/preview.yml", "runs-on:", "runs-onn:");
  const { code, out } = await check("workflows");
  expect(code).toBe(1);
  expect(out).toContain('unexpected key "runs-onn"');
});

test("a word that no check has", async () => {
  const { code, out } = await check("configuration", "wrokflows");
  expect(code).toBe(1);
  expect(out).toMatch(/^No check is called wrokflows; there is:\n[^]* {2}workflows \(actionlint\)/m);
});

test("an import that goes up, and a circle of files", async () => {
  repo.write(
    "shared/planted.ts",
    'import { loadEnvironment } from "../environment";\nexport const up = loadEnvironment;\n',
  );
  repo.write("shared/first.ts", 'import { b } from "./second";\nexport const a = (): number => b();\n');
  repo.write("shared/second.ts", 'import { a } from "./first";\nexport const b = (): number => a();\n');
  const { code, out } = await check("imports");
  expect(code).toBe(1);
  expect(out).toMatch(/not-up-from-shared: shared\/planted\.ts → environment\/index\.ts/);
  expect(out).toMatch(/no-circle: shared\/(first|second)\.ts/);
});

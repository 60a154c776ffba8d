/** hello's own tests, which are Go's: run from here so that `npm test` is every test. */
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";

const FOLDER = resolve(__dirname, "../../../functions/hello");
const hasGo = spawnSync("go", ["version"]).status === 0;

(hasGo ? test : test.skip)(
  hasGo ? "go test ./..." : "go test ./... (there is no Go on this machine)",
  () => {
    const env = { ...process.env, GOFLAGS: "-buildvcs=false", GOWORK: "off" };
    const output = execFileSync("go", ["test", "-vet=all", "-v", "./..."], {
      cwd: FOLDER,
      env,
      encoding: "utf8",
      timeout: 110_000,
    });
    for (const name of ["TestGreets", "TestRefuses", "TestTellsWhatItWasAsked"]) {
      expect(output).toContain(`--- PASS: ${name}`);
    }
  },
  120_000,
);

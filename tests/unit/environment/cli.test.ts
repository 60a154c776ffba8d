/** `npx oslo-faas env` as it is called, on the environments of this project. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../../..");

function env(...args: string[]) {
  const command = ["dev/bootstrap.mjs", "env", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("show oslo-prod: everything that holds there, and which line says it", () => {
  const { status, stdout, stderr } = env("show", "oslo-prod");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const own = fs.readFileSync(path.join(root, "stacks/Pulumi.oslo-prod.yaml"), "utf8").split("\n");
  const base = fs.readFileSync(path.join(root, "stacks/base.yaml"), "utf8").split("\n");
  const lineOf = (lines: string[], text: string) => lines.findIndex((line) => line.includes(text)) + 1;
  const shown = stdout.split("\n").map((line) => line.trim().replaceAll(/ +#/g, " #"));
  expect(shown[0]).toBe("# oslo-prod: stacks/Pulumi.oslo-prod.yaml over stacks/base.yaml over the defaults");
  for (const line of [
    `address: faas.example.no # stacks/Pulumi.oslo-prod.yaml:${lineOf(own, "address:")}`,
    `minFsyncPerSecond: 500 # stacks/Pulumi.oslo-prod.yaml:${lineOf(own, "minFsyncPerSecond:")}`,
    `city: Oslo # stacks/base.yaml:${lineOf(base, "city:")}`,
    "keepalive: 64 # default",
    "# oslo-faas:gatewayPassword: # secret, not set",
    "# oslo-faas:alertWebhookUrl: # secret, not set",
  ])
    expect(shown).toContain(line);
});

test("validate: every environment, with a line each", () => {
  const { status, stdout, stderr } = env("validate");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  // A lab of another test that runs at the same time may have a file there for a moment.
  for (const name of ["local", "oslo-dev", "oslo-prod", "oslo-staging"])
    expect(stdout.split("\n")).toContain(`ok    stacks/Pulumi.${name}.yaml`);
});

test.each<[string[], string]>([
  [
    ["show", "oslo-porto"],
    'There is no environment "oslo-porto": stacks/Pulumi.oslo-porto.yaml does not exist.',
  ],
  [["validate", "oslo-porto"], "Environments: "],
])("%j of what is not there is one sentence", (args, message) => {
  const { status, stdout, stderr } = env(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

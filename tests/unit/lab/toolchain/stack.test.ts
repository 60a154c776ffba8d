import path from "node:path";

const { passphraseFor, namedStack } = require("../../../../lab/toolchain/lib/stack.cjs") as {
  passphraseFor(env: NodeJS.ProcessEnv, args: string[]): NodeJS.ProcessEnv;
  namedStack(args: string[]): string | undefined;
};

const lab = { PULUMI_CONFIG_PASSPHRASE_FILE: path.resolve(__dirname, "../../../../lab/passphrase") };
/** A home in which no stack was ever selected. */
const env = { HOME: "/nonexistent" };

describe("the lab's public passphrase", () => {
  it.each([
    [["preview", "--stack", "local"]],
    [["preview", "-s", "local"]],
    [["up", "--stack=local"]],
    [["up", "-slocal"]],
    [["stack", "init", "local"]],
    [["up", "-s", "organization/oslo-faas/local"]],
  ])("is set for the stack local: %j", (args) => {
    expect(passphraseFor(env, args)).toEqual(lab);
  });

  it.each([
    [["up", "--stack", "oslo-prod"]],
    [["stack", "init", "oslo-prod"]],
    [["stack", "init", "--secrets-provider=passphrase", "oslo-prod"]],
    [["up", "--stack=organization/oslo-faas/local-copy"]],
    [["up"]],
    [["up", "--", "--stack", "local"]],
  ])("is never set for another stack, or for one that is not known: %j", (args) => {
    expect(passphraseFor(env, args)).toEqual({});
  });

  it("leaves a passphrase that the caller set alone, an empty one too", () => {
    expect(passphraseFor({ ...env, PULUMI_CONFIG_PASSPHRASE: "" }, ["up", "-s", "local"])).toEqual({});
    expect(passphraseFor({ ...env, PULUMI_CONFIG_PASSPHRASE_FILE: "/x" }, ["up", "-s", "local"])).toEqual({});
  });

  it("goes by PULUMI_STACK where no argument names a stack", () => {
    expect(passphraseFor({ ...env, PULUMI_STACK: "local" }, ["up"])).toEqual(lab);
    expect(passphraseFor({ ...env, PULUMI_STACK: "local" }, ["up", "-s", "oslo-dev"])).toEqual({});
  });

  it("reads a stack's name after other flags", () => {
    expect(namedStack(["stack", "--non-interactive", "rm", "-y", "oslo-dev"])).toBe("oslo-dev");
  });
});

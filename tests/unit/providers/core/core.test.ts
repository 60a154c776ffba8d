/** The provider's own part, without a host: values with their secrets and unknowns, inputs, diffs, messages, configuration. */
import { z } from "zod";
import { configSchema, resolveTarget } from "../../../../providers/host/src/config";
import { diffInputs } from "../../../../providers/core/diff";
import { describe as describeError, lastLines, PartialFailure } from "../../../../providers/core/errors";
import { parseInputs } from "../../../../providers/core/inputs";
import { Output } from "../../../../providers/host/src/output";
import { renderWanted } from "../../../../providers/host/src/resources/packages";
import { HostError } from "../../../../providers/host/src/session";
import { sudoError } from "../../../../providers/host/src/sessionErrors";
import { decode, encode, mask, moveSecrets, secretTexts, unknown } from "../../../../providers/core/values";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const output = (more: object) => ({
  "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  ...more,
});
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("values", () => {
  test("secrets and unknowns are taken out and put back where they were", () => {
    const sent = {
      a: secret("s"),
      list: [1, { b: secret({ deep: true }) }],
      soon: UNKNOWN,
      plain: { x: null, y: "" },
    };
    const decoded = decode(sent);
    expect(decoded.value).toEqual({
      a: "s",
      list: [1, { b: { deep: true } }],
      soon: unknown,
      plain: { y: "" },
    });
    expect(decoded.secrets).toEqual([["a"], ["list", 1, "b"]]);
    expect(encode(decoded.value, decoded.secrets)).toEqual({ ...sent, plain: { y: "" } });
  });

  test("outputs are what they hold, or unknown", () => {
    expect(decode({ a: output({ value: "x", secret: true }), b: output({}) })).toEqual({
      value: { a: "x", b: unknown },
      secrets: [["a"]],
    });
  });

  test("an asset is refused by name", () => {
    const asset = { "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", text: "x" };
    expect(() => decode({ file: { content: asset } })).toThrow("file.content is an asset");
  });

  test("a secret that a schema has moved makes the whole property secret", () => {
    const from = { list: ["b", "a"], map: { k: "v" } };
    expect(
      moveSecrets(
        [
          ["list", 0],
          ["map", "k"],
        ],
        from,
        { list: ["a", "b"], map: { k: "v", more: 1 } },
      ),
    ).toEqual([["list"], ["map", "k"]]);
    expect(moveSecrets([["gone"]], { gone: "x" }, {})).toEqual([]);
  });

  test("every secret text is masked, in base64 and line by line too", () => {
    const texts = secretTexts({
      value: { key: "-----BEGIN\nabcdefghij\n", deep: { p: "hunter22" } },
      secrets: [["key"], ["deep"]],
    });
    expect(mask("error near abcdefghij: hunter22!", texts)).toBe("error near [secret]: [secret]!");
    expect(mask(Buffer.from("hunter22").toString("base64"), texts)).toBe("[secret]");
  });
});

describe("inputs", () => {
  const schema = z
    .strictObject({
      name: z.string().regex(/^[a-z]+$/, "must be lower case"),
      size: z.number().default(3),
      nested: z.strictObject({ port: z.number().default(80), host: z.string() }).optional(),
      list: z.array(z.string()).default([]),
    })
    .superRefine((value, issues) => {
      if (value.size > 5 && value.list.length === 0)
        issues.addIssue({ code: "custom", path: ["list"], message: "is needed" });
    });

  test("every error at once, each naming its property, its value and what there is", () => {
    const { failures } = parseInputs(schema, { name: "X", size: "big", nested: { prt: 1 }, other: 1 }, []);
    expect(failures.map(({ reason }) => reason)).toEqual([
      'name must be lower case (it is "X")',
      expect.stringMatching(/^size .*\(it is "big"\)$/),
      "nested.host is required (string)",
      "there is no property nested.prt; there is: host, port",
      "there is no property other; there is: list, name, nested, size",
    ]);
  });

  test("the value of a secret is in no message", () => {
    const { failures } = parseInputs(schema, { name: "SECRET" }, [["name"]]);
    expect(failures).toEqual([{ property: "", reason: "name must be lower case" }]);
  });

  test("what is not known yet is left alone, and the rest has its defaults and its errors", () => {
    const partly = parseInputs(
      schema,
      { name: unknown, nested: { host: unknown }, list: ["a", unknown] },
      [],
    );
    expect(partly).toEqual({
      value: { name: unknown, size: 3, nested: { port: 80, host: unknown }, list: ["a", unknown] },
      failures: [],
    });
    expect(parseInputs(schema, { name: unknown, size: "big", extra: 1 }, []).failures).toHaveLength(2);
    expect(parseInputs(schema, { name: unknown, size: 9 }, []).failures).toEqual([]);
    expect(parseInputs(schema, { name: "x", size: 9 }, []).failures[0]!.reason).toBe("list is needed");
  });
});

describe("diff", () => {
  test("names the innermost place, and what happened there", () => {
    const olds = { a: "1", gone: true, list: ["x", "y"], map: { "odd key": 1, same: [1] } };
    const news = { a: "2", list: ["x", "z", "new"], map: { "odd key": 2, same: [1] }, added: {} };
    expect(diffInputs(olds, news).map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "update a",
      "add added",
      "delete gone",
      "update list[1]",
      "add list[2]",
      'update map["odd key"]',
    ]);
  });

  test("equal values do not differ, and an unknown value does", () => {
    expect(diffInputs({ a: { b: [1, "x"] } }, { a: { b: [1, "x"] } })).toEqual([]);
    expect(diffInputs({ a: unknown }, { a: unknown })).toHaveLength(1);
  });
});

describe("messages", () => {
  test("host, step, command, exit code, last lines and remedy, without the secrets", () => {
    const many = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");
    const error = new HostError("it failed with s3cret", {
      host: "root@h:22",
      step: "do it",
      command: "run s3cret",
      code: 7,
      output: many,
      remedy: "mend it",
    });
    const lines = describeError(error, ["s3cret"]).split("\n");
    expect(lines[0]).toBe("it failed with [secret]");
    expect(lines[1]).toBe("  where: root@h:22, to do it (exit code 7)");
    expect(lines[2]).toBe("  command: run [secret]");
    expect(lines[4]).toBe("    (15 lines before these)");
    expect(lines.at(-2)).toBe("    line 39");
    expect(lines.at(-1)).toBe("  what to do: mend it");
  });

  test("a person's error has no stack; a defect has", () => {
    expect(describeError(new Error("no such key"))).toBe("no such key");
    expect(describeError(new PartialFailure(new Error("half"), "id", {}))).toBe("half");
    expect(describeError(new TypeError("x is undefined"))).toMatch(
      /^a defect in the provider: TypeError: x is undefined\n\s+at /,
    );
    expect(lastLines("a\nb", 5)).toEqual(["a", "b"]);
  });

  test("a script's own failure is not taken for sudo's", () => {
    const said = (stderr: string, code = 1) =>
      sudoError("h", "ops", "step", { code, stdout: "", stderr })?.message;
    expect(said("sudo: a password is required\n")).toContain("without a password");
    expect(said("ops is not in the sudoers file.\n")).toContain("without a password");
    // sudo-rs, which Ubuntu has from 25.10 on.
    expect(said("sudo: interactive authentication is required\n")).toContain("without a password");
    expect(said("sudo: I'm sorry ops. I'm afraid I can't do that\n")).toContain("without a password");
    expect(
      said("sudo: Sorry, user ops is not allowed to execute '/usr/bin/env' as root on oslo-1.\n"),
    ).toContain("without a password");
    expect(said("sudo: sorry, you must have a tty to run sudo\n")).toContain("wants a terminal of ops");
    expect(said("env: 'sudo': No such file or directory\n", 127)).toContain("there is no sudo");
    expect(
      said(
        "sudo: unable to resolve host box: Name or service not known\ngrep: /etc/sudoers: No such file or directory\n",
      ),
    ).toBeUndefined();
  });

  test("output: stderr keeps its end, stdout has a limit, characters are never cut", () => {
    const seen: string[] = [];
    const kept = new Output((line) => seen.push(line));
    const euro = Buffer.from("€\nrest");
    kept.out(euro.subarray(0, 1));
    kept.out(euro.subarray(1));
    kept.err(Buffer.from(`${"x".repeat(70_000)}end`));
    expect(kept.end().stderr).toHaveLength(64 * 1024);
    expect(kept.end().stderr.endsWith("end")).toBe(true);
    expect(seen[0]).toBe("€");
    expect(new Output().out(Buffer.alloc(17 << 20))).toBe(false);
  });
});

describe("configuration", () => {
  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHgQ2i4lWbYpLjJ0f0Q1J1b9y1dYpY4dR2cP6L3dQq5e";
  const errors = (config: object): string[] =>
    parseInputs(configSchema, config as Record<string, unknown>, []).failures.map(({ reason }) => reason);

  test("a host without a pinned key is refused", () => {
    expect(errors({ host: "h" })).toEqual(["hostKey is required (string)"]);
    expect(errors({ host: "h", hostKey: "AAAA" })[0]).toContain("hostKey must be the host's public key");
  });

  test("one way to log in, and each jump host's key pinned too", () => {
    expect(errors({ host: "h", hostKey: KEY, privateKeyPath: "k", agent: true })).toEqual([
      "agent give only one of privateKeyPath and agent (it is true)",
    ]);
    expect(errors({ host: "h", hostKey: KEY, jump: { host: "j" } })).toEqual([
      "jump.hostKey is required (string)",
    ]);
  });

  test("numbers and objects may come as text, as a stack's configuration has them", () => {
    const config = configSchema.parse({
      host: "h",
      hostKey: KEY,
      port: "2222",
      jump: JSON.stringify({ host: "j", hostKey: KEY }),
    });
    expect(config).toMatchObject({ port: 2222, jump: { host: "j", port: 22, user: "root" } });
  });

  test("several pinned keys, comments dropped; a key file that is not there is named", () => {
    const config = configSchema.parse({
      host: "h",
      hostKey: `${KEY} root@host\n${KEY.replace("5e", "5f")}\n`,
    });
    expect(resolveTarget(config, "/").hostKeys).toEqual([KEY, KEY.replace("5e", "5f")]);
    expect(() => resolveTarget({ ...config, privateKeyPath: "keys/none" }, "/project")).toThrow(
      "cannot read the private key /project/keys/none (the provider's privateKeyPath): no such file",
    );
  });
});

test("packages as the script reads them", () => {
  expect(renderWanted({ nginx: "", curl: ">=7.58", "docker-ce": "=5:24.0.*" })).toBe(
    "nginx\ncurl >= 7.58\ndocker-ce = 5:24.0.*",
  );
});

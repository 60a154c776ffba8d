import { execFileSync } from "node:child_process";
import * as crypto from "node:crypto";
import { command, quote } from "../../../../shared/quote";
import {
  parseKeyValues,
  parseRefusal,
  renderScript,
  runScript,
} from "../../../../providers/host/src/scripts";
import { HostError } from "../../../../providers/host/src/session";
import { LocalSession } from "./localSession";

describe("quote", () => {
  it("hands any text to sh as one word, unchanged", () => {
    const alphabet = [
      "'",
      '"',
      "\\",
      "$",
      "`",
      " ",
      "\n",
      "\t",
      "*",
      "-",
      "=",
      "~",
      "#",
      "!",
      "&",
      "|",
      ";",
      "(",
      "a",
      "ø",
      "\u{1F600}",
    ];
    const words = Array.from({ length: 400 }, () =>
      Array.from({ length: crypto.randomInt(12) }, () => alphabet[crypto.randomInt(alphabet.length)]).join(
        "",
      ),
    );
    words.push("", "-n", "--", "~root", "a=b", "$(id)", "{a,b}", "nginx.service", "0");
    const printed = execFileSync("sh", ["-c", `printf '%s\\0' ${command(...words)}`], { encoding: "utf8" });
    expect(printed.split("\0").slice(0, -1)).toEqual(words);
  });

  it("refuses what no shell word can hold", () => {
    expect(() => quote("a\0b")).toThrow("NUL");
  });
});

describe("scripts", () => {
  it("take parameters as quoted variables", () => {
    expect(
      renderScript("default-address", { NAME: "it's", COUNT: 3, ON: true, OFF: false })
        .split("\n")
        .slice(0, 4),
    ).toEqual([`NAME='it'\\''s'`, "COUNT=3", "ON=1", "OFF=''"]);
  });

  it("refuse with one message and a remedy, apart from the noise", async () => {
    const attempt = runScript(
      new LocalSession(),
      "swarm-join",
      { REMOTE: "10.0.0.1:2377", JOIN_SECONDS: 1, DOCKER_HOST: "unix:///nowhere" },
      {
        step: "join",
        stdin: "{}",
      },
    );
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(HostError);
    expect((error as HostError).message).toMatch(/^the engine did not answer within 1 s/);
    expect((error as HostError).details.remedy).toContain("journalctl -u docker");
  });

  it("keep what was printed before a refusal", () => {
    expect(parseRefusal("line 1\nREFUSED\tno\tdo this\n")).toEqual({
      message: "no",
      remedy: "do this",
      rest: "line 1",
    });
  });

  it("print key=value lines, whose values may hold =", () => {
    expect(parseKeyValues("a=1\nnoise\nb=x=y\n=z\n")).toEqual({ a: "1", b: "x=y" });
  });
});

it.each([
  ["g++", "curl\ng++\n", true],
  ["g++", "gxx\n", false],
  ["libc6:amd64", "libc6\n", true],
  ["libc6", "libc6:i386\n", true],
  ["nginx", "nginx-core\n", false],
  ["nginx", "", false],
])("%s is held among %j: %p", async (name, held, is) => {
  const script =
    renderScript(["packages-lib"], {}) + `\nif is_held ${quote(name)} ${quote(held)}; then echo yes; fi\n`;
  const { stdout } = await new LocalSession().run(script, { step: "ask" });
  expect(stdout.trim()).toBe(is ? "yes" : "");
});

import {
  type AptRepositoryInputs,
  aptRepository,
  parseSource,
  renderSource,
} from "../../../../providers/host/src/resources/aptRepository";
import { password, randomPassword } from "../../../../providers/host/src/resources/password";
import { contextOf } from "./localSession";
import { RELEASES, findRelease } from "../../../../providers/host/src/releases";

const FINGERPRINT = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";
const args = (more: object = {}) => ({
  name: "docker",
  uri: "https://download.example/linux/ubuntu",
  components: ["stable"],
  keyUrl: "https://download.example/gpg",
  fingerprint: FINGERPRINT,
  ...more,
});
const parse = (more: object = {}): AptRepositoryInputs => aptRepository.schema.parse(args(more));

describe("an apt source", () => {
  it("is one line, signed by its own keyring, and reads back as its inputs", () => {
    const inputs = parse({
      architectures: ["amd64", "arm64"],
      options: { "by-hash": "no" },
      suite: "bionic",
    });
    const line = renderSource(inputs)
      .replace("@SUITE@", "bionic")
      .replace("@KEYRING@", "/etc/apt/keyrings/docker.gpg");
    expect(line).toBe(
      "deb [arch=amd64,arm64 signed-by=/etc/apt/keyrings/docker.gpg by-hash=no] https://download.example/linux/ubuntu bionic stable",
    );
    const { uri, suite, components, architectures, options } = inputs;
    expect(parseSource(`${line}\n`)).toEqual({ uri, suite, components, architectures, options });
  });

  it("shows a file that is not ours any more whole", () => {
    expect(parseSource("# gone\n").uri).toBe("# gone");
  });

  it("takes a fingerprint as people write it", () => {
    expect(parse({ fingerprint: "9dc8 5822 9fc7 dd38 854a  e2d8 8d81 803c 0ebf cd88" }).fingerprint).toBe(
      FINGERPRINT,
    );
  });

  it.each([
    ["a short key id", { fingerprint: "0EBFCD88" }, "fingerprint"],
    ["a key over http", { keyUrl: "http://download.example/gpg" }, "keyUrl"],
    ["two keys", { key: "-----BEGIN" }, "keyUrl"],
    ["no key", { keyUrl: undefined }, "keyUrl"],
    ["an option that trusts anyone", { options: { trusted: "yes" } }, "options.trusted"],
    ["a uri that ends its line", { uri: "https://x/ \ndeb [trusted=yes] http://evil" }, "uri"],
    ["a name that leaves its folder", { name: "../x" }, "name"],
    ["no component", { components: [] }, "components"],
  ])("refuses %s", (_what, more, path) => {
    const issues = aptRepository.schema.safeParse(args(more)).error?.issues ?? [];
    expect(issues.map((issue) => issue.path.join("."))).toContain(path);
  });
});

describe("a password", () => {
  it("is as long as asked, safe in a URL, never looks like an option, and never the same", () => {
    const many = Array.from({ length: 300 }, () => randomPassword(32));
    for (const text of many) expect(text).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{31}$/);
    expect(new Set(many).size).toBe(300);
    // 9,600 characters of an alphabet of 64: one that never came would be no accident.
    expect(new Set(many.join("")).size).toBe(64);
  });

  it("stays what it is: nothing but a replacement makes a new one", async () => {
    const context = contextOf(async () => Promise.reject(new Error("connected")));
    const inputs = password.schema.parse({});
    const { outputs } = await password.create(context, inputs);
    await expect(password.read(context, "password", inputs, outputs)).resolves.toEqual({ inputs, outputs });
    await expect(password.update(context, "password", inputs, inputs, outputs)).resolves.toBe(outputs);
    expect(password.secrets).toEqual(["value"]);
    expect(password.replaceOn).toEqual(["length", "keepers"]);
  });

  it("is refused where it would be short", () =>
    expect(password.schema.safeParse({ length: 8 }).success).toBe(false));
});

describe("the table of releases", () => {
  it("names the last engine of a release that gets no more", () => {
    expect(findRelease("ubuntu", "18.04")).toMatchObject({ codename: "bionic", engine: { max: "24.0" } });
    expect(findRelease("ubuntu", "18.10")).toBeUndefined();
    expect(new Set(RELEASES.map(({ codename }) => codename)).size).toBe(RELEASES.length);
  });
});

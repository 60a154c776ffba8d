import path from "node:path";
import { environmentFrom } from "../../../environment/files";
import { BAD_FILES, BROKEN_FILES, CIPHER, OF_SERVICE, RIGHT, whole } from "./badFiles";

const root = path.resolve(__dirname, "../../..");
const problemsOf = (text: string) =>
  environmentFrom(text, { name: "test", root, file: "stacks/Pulumi.test.yaml" }).problems;

test("the table is as long as it has to be, and has no case twice", () => {
  expect(BAD_FILES.length + BROKEN_FILES.length).toBeGreaterThanOrEqual(150);
  expect(new Set(BAD_FILES.map(([config]) => config)).size).toBe(BAD_FILES.length);
});

test("without its mistake such a file is right", () => {
  expect(problemsOf(whole(""))).toEqual([]);
  expect(problemsOf(whole("  oslo-faas:nginx: {keepalive: 128}\n"))).toEqual([]);
});

test.each(BAD_FILES)("%s", (config, at, message) => {
  const problems = problemsOf(whole(config));
  expect(problems).toHaveLength(1);
  const [line] = problems as [string];
  expect(line.slice(0, at.length + 2)).toBe(`${at}: `);
  expect(line).toContain(message);
  // Each says where it is: a line that this text has.
  const place = /\(stacks\/Pulumi\.test\.yaml:(\d+)\)$/.exec(line);
  if (!at.includes(":")) expect(Number(place?.[1])).toBeGreaterThanOrEqual(2);
  // A value that may be a secret is in no message.
  expect(line).not.toContain("hunter2");
  // One line, of a length, and nothing in it that a terminal obeys.
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  expect(line.length).toBeLessThan(600);
});

test.each(BROKEN_FILES)("%j", (text, message) => {
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThanOrEqual(1);
  expect(problems.join("\n")).toContain(message);
  expect(problems.join("\n")).not.toMatch(/\n\s+at |TypeError|RangeError/);
});

test("all mistakes of a file come at once, those between two values too", () => {
  const problems = problemsOf(`confg: 1
config:
  oslo-faas:host: {address: "a b", port: 0}
  oslo-faas:gatewayPassword: plain
  oslo-faas:nginx: {keepAlive: 64, httpPort: many, proxyReadTimeout: 60s}
  oslo-faas:location: {country: no}
`);
  expect(problems.map((line) => line.split(":")[0]).sort()).toEqual(
    [
      "confg",
      "gatewayPassword",
      "host.address",
      "host.hostKey",
      "host.port",
      "location.country",
      "nginx.httpPort",
      "nginx.keepAlive",
      "nginx.proxyReadTimeout",
    ].sort(),
  );
});

test("what every secrets manager writes is taken, under a salt or a key of the file's own only what that encrypts", () => {
  const set = (secure: string, head = "") =>
    problemsOf(`${head}${whole(`  oslo-faas:gatewayPassword: {secure: "${secure}"}\n`)}`);
  const salt = "encryptionsalt: v1:+WyuPSTPLPo=:v1:waRtd1vOdjp3nosy:Ux6hMlPDre0o2PdeGJ3eJqnIN1F3oA==\n";
  const empty = `v1:${"A".repeat(16)}:${Buffer.alloc(16).toString("base64")}`;
  for (const head of ["", salt, "secretsprovider: awskms://alias/x\nencryptedkey: AQICAHh=\n"])
    expect([CIPHER, empty].map((text) => set(text, head))).toEqual([[], []]);
  for (const length of [28, 29, 30, 64, 1000])
    expect(
      set(
        Buffer.from(`${"AAABA".repeat(200)}`)
          .subarray(0, length)
          .toString("base64"),
      ),
    ).toEqual([]);
  expect(set(OF_SERVICE)).toEqual([]);
  expect(set(OF_SERVICE, salt)).toHaveLength(1);
  expect(set(OF_SERVICE, "encryptedkey: AQICAHh=\n")).toHaveLength(1);
});

test("a rule that a default breaks is told with the line that was written", () => {
  const place = (config: string, at: string) =>
    problemsOf(whole(config))
      .filter((line) => line.startsWith(`${at}: `))
      .map((line) => /:(\d+)\)$/.exec(line)?.[1]);
  // The first line is config:, the next three are the host's.
  const timeouts = "  oslo-faas:openfaas:\n    user: ops\n    upstreamTimeout: 400s\n";
  for (const at of ["nginx.proxyReadTimeout", "nginx.proxySendTimeout", "openfaas.readTimeout"])
    expect([at, place(timeouts, at)]).toEqual([at, ["7"]]);
  // Also where the section is there, and its key is not.
  expect(place(`  oslo-faas:nginx: {}\n${timeouts}`, "nginx.proxyReadTimeout")).toEqual(["8"]);
  // What is written itself comes first.
  expect(place(`  oslo-faas:nginx: {proxyReadTimeout: 60s}\n${timeouts}`, "nginx.proxyReadTimeout")).toEqual([
    "5",
  ]);
  expect(place("  oslo-faas:nginx:\n    workerConnections: 64\n", "nginx.keepalive")).toEqual(["6"]);
  expect(place("  oslo-faas:base:\n    openFiles: 1024\n", "nginx.workerConnections")).toEqual(["6"]);
  expect(place("  oslo-faas:openfaas:\n    gatewayPort: 80\n", "nginx.httpPort")).toEqual(["6"]);
});

test("two long keys that look alike in what is shown of them are two mistakes", () => {
  const long = "k".repeat(500);
  expect(problemsOf(whole(`  oslo-faas:nginx: {${long}a: 1, ${long}b: 1}\n`))).toHaveLength(2);
});

test("what a host takes is taken", () => {
  for (const config of RIGHT) expect([config, problemsOf(whole(config))]).toEqual([config, []]);
});

test("a URL that is a secret is one as a whole, and there is one of the two", () => {
  const secret = `  oslo-faas:alertWebhookUrl: {secure: "${CIPHER}"}\n`;
  expect(problemsOf(whole(secret))).toEqual([]);
  const both = problemsOf(
    whole(`${secret}  oslo-faas:alerts: {webhook: {url: "https://a.example.no/hook"}}\n`),
  );
  expect(both).toEqual([
    'alerts.webhook.url: "https://a.example.no/hook": contradicts the secret alertWebhookUrl: set one of the two (stacks/Pulumi.test.yaml:6)',
  ]);
});

test("a mistake comes with a guess", () => {
  const hint = (config: string) => /did you mean (.*?)\?/.exec(problemsOf(whole(config))[0] ?? "")?.[1];
  expect(hint('  oslo-faas:nginx: {keepalive: "64"}\n')).toBe("64");
  expect(hint("  oslo-faas:nginx: {proxyReadTimeout: 300}\n")).toBe('"300s"');
  expect(hint("  oslo-faas:nginx: {ipv6: no}\n")).toBe("false");
  expect(hint("  oslo-faas:docker: {source: distros}\n")).toBe('"distro"');
  expect(hint("  oslo-faas:location: {country: no}\n")).toBe('"NO"');
  expect(hint("  oslo-faas:base: {packages: htop}\n")).toBe('["htop"]');
});

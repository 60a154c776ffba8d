import path from "node:path";
import { environmentFrom } from "../../../components/environment/files";
import { BAD_FILES, BROKEN_FILES, HOST } from "./badFiles";

const root = path.resolve(__dirname, "../../..");
const problemsOf = (text: string) =>
  environmentFrom(text, { name: "test", root, file: "stacks/Pulumi.test.yaml" }).problems;

const whole = (config: string) => `config:\n${config.includes("oslo-faas:host:") ? "" : HOST}${config}`;

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

test("what was probably meant is said", () => {
  const hint = (config: string) => /did you mean (.*?)\?/.exec(problemsOf(whole(config))[0] ?? "")?.[1];
  expect(hint('  oslo-faas:nginx: {keepalive: "64"}\n')).toBe("64");
  expect(hint("  oslo-faas:nginx: {proxyReadTimeout: 300}\n")).toBe('"300s"');
  expect(hint("  oslo-faas:nginx: {ipv6: no}\n")).toBe("false");
  expect(hint("  oslo-faas:docker: {source: distros}\n")).toBe('"distro"');
  expect(hint("  oslo-faas:location: {country: no}\n")).toBe('"NO"');
  expect(hint("  oslo-faas:base: {packages: htop}\n")).toBe('["htop"]');
});

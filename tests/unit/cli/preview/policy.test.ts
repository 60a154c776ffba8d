/** How the policy pack is handed to each kind of engine, and that it starts as the official one's language host starts it. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import type { AnalyzerInfo } from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { parse } from "yaml";
import { silentEngine } from "../../../../cli/preview/paper/silence";
import { policyOptions } from "../../../../cli/preview/policy";

const ROOT = path.resolve(__dirname, "../../../..");
const PACK = path.join(ROOT, "policy");
const CONFIG = path.join(PACK, "config.json");
const RULES = [
  "callers-not-in-logs",
  "functions-closed-by-default",
  "gateway-port-closed",
  "hsts-in-production",
  "images-from-allowed-registries",
  "images-not-judged",
  "images-pinned",
  "management-from-named-networks",
  "no-plain-secret",
  "one-client-is-limited",
  "production-in-norway",
  "queue-encrypted",
  "sandbox-not-lifted",
  "tls-in-production",
];
let scratch: string;

beforeEach(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-policy-"));
});
afterEach(() => fs.rmSync(scratch, { recursive: true }));

test.each(["official", "downloaded"] as const)("the %s engine is given the pack as it is", (kind) => {
  expect(policyOptions(kind, ROOT, scratch, { PATH: "/bin" })).toEqual({
    options: { policyPacks: [PACK], policyPackConfigs: [CONFIG] },
    env: {},
  });
  expect(fs.readdirSync(scratch)).toEqual([]);
});

test("the one that is built is given a stand-in, and a program that starts it", () => {
  const stand = path.join(scratch, "policy");
  expect(policyOptions("built", ROOT, scratch, { PATH: "/bin" })).toEqual({
    options: { policyPacks: [stand], policyPackConfigs: [CONFIG] },
    env: { PATH: `${stand}/bin:/bin` },
  });
  const own = parse(fs.readFileSync(path.join(stand, "PulumiPolicy.yaml"), "utf8")) as object;
  const pack = parse(fs.readFileSync(path.join(PACK, "PulumiPolicy.yaml"), "utf8")) as object;
  // No language host has that name, so the engine looks for the program.
  expect(own).toEqual({ ...pack, runtime: "oslofaas" });
  fs.accessSync(path.join(stand, "bin/pulumi-analyzer-policy-oslofaas"), fs.constants.X_OK);
  expect(policyOptions("built", ROOT, path.join(scratch, "other"), {}).env.PATH).not.toMatch(/:/);
});

test("a tree without a pack is given the package's, and one with a pack its own", () => {
  expect(policyOptions("official", scratch, scratch, {}).options).toEqual({
    policyPacks: [PACK],
    policyPackConfigs: [CONFIG],
  });
  fs.mkdirSync(path.join(scratch, "policy"));
  fs.writeFileSync(path.join(scratch, "policy/PulumiPolicy.yaml"), "runtime: nodejs\n");
  expect(policyOptions("official", scratch, scratch, {}).options).toEqual({
    policyPacks: [path.join(scratch, "policy")],
  });
});

/** What a pack says of itself, once it serves. */
async function infoOf(program: string, args: string[], cwd: string): Promise<AnalyzerInfo.AsObject> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let out = "";
      child.stdout.on("data", (data: Buffer) => {
        out += data.toString();
        if (/^\d+\n/.test(out)) resolve(out.trim());
      });
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`the pack ended with ${code}`)));
    });
    const client = new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const info = await new Promise<AnalyzerInfo>((resolve, reject) =>
      client.getAnalyzerInfo(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    client.close();
    return info.toObject();
  } finally {
    child.kill("SIGKILL");
  }
}

const rulesOf = ({ policiesList }: AnalyzerInfo.AsObject) => policiesList.map(({ name }) => name).sort();

test("the official language host finds what it starts, beside the pack or above, and the pack serves its rules", async () => {
  // It asks Node for this module in the pack's folder, and runs it there with the engine's address and the folder.
  const resolve = `console.log(require.resolve("@pulumi/pulumi/cmd/run-policy-pack"))`;
  const start = execFileSync(process.execPath, ["-e", resolve], { cwd: PACK, encoding: "utf8" }).trim();
  const pack = parse(fs.readFileSync(path.join(PACK, "PulumiPolicy.yaml"), "utf8")) as { runtime: string };
  expect(pack.runtime).toBe("nodejs");
  const engine = await silentEngine();
  const info = await infoOf(process.execPath, [start, engine.address, PACK], PACK);
  expect(info.name).toBe("oslo-faas");
  expect(rulesOf(info)).toEqual(RULES);
  engine.stop();
});

test("the stand-in serves the same, started as the engine starts a program: in its folder, with the address and a dot", async () => {
  policyOptions("built", ROOT, scratch, {});
  const stand = path.join(scratch, "policy");
  const program = path.join(stand, "bin/pulumi-analyzer-policy-oslofaas");
  const engine = await silentEngine();
  const info = await infoOf(program, [engine.address, "."], stand);
  expect(info.name).toBe("oslo-faas");
  expect(rulesOf(info)).toEqual(RULES);
  engine.stop();
});

/**
 * An engine that does nothing but what a test says, for what a preview makes of its answers; the real one is asked in tests/integration.
 * A tree for it has one environment, and a plugin that serves nothing.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Engine } from "../../../../programs/pulumi";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
export const HOST = `  oslo-faas:host: {address: 192.0.2.1, hostKey: "${KEY}"}\n`;

export interface Call {
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}

export function write(tree: string, file: string, text: string, mode = 0o644): void {
  fs.mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(tree, file), text, { mode });
}

/** @param config of the environment `e`; undefined: the tree has none */
export function makeTree(tree: string, config?: string): string {
  write(tree, "package.json", "{}");
  write(
    tree,
    "Pulumi.yaml",
    "name: oslo-faas\nplugins:\n  providers:\n    - name: host\n      path: ./providers/host\n",
  );
  // Ends with its parent.
  write(tree, "providers/host/pulumi-resource-host", "#!/bin/sh\necho 9\nexec sleep 60\n", 0o755);
  if (config !== undefined) write(tree, "stacks/Pulumi.e.yaml", `config:\n${config}`);
  return tree;
}

const modules = (name: string) => require.resolve(name);

/** @param answers body of a function of `command` ("preview", "up", "stack init" …) and `args`, which returns `{ code, out, err }` */
export function standIn(folder: string, answers: string): { engine: Engine; calls: () => Call[] } {
  const log = path.join(folder, "calls");
  const program = path.join(folder, "pulumi");
  const script = `#!${process.execPath}
const fs = require("node:fs");
const all = process.argv.slice(2, -3); // Without --non-interactive --color never.
const log = all.indexOf("--event-log");
const args = all.filter((arg, i) => !["--exec-kind", "--event-log"].includes(arg) && !["--exec-kind", "--event-log"].includes(all[i - 1]));
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ args, cwd: process.cwd(), env: process.env }) + "\\n");
const command = args[0] === "stack" || args[0] === "plugin" ? args.slice(0, 2).join(" ") : args[0];
if (command === "stack init") fs.writeFileSync("stacks/Pulumi." + args[2] + ".yaml", "encryptionsalt: v1:AAAAAAAAAAA=:v1:x:y\\n");
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const { code = 0, out = "", err = "" } = (() => { ${answers} })() ?? {};
process.stdout.write(out);
process.stderr.write(err);
process.exitCode = code;
if (log > 0) send(all[log + 1].replace("tcp://", ""), out.split("\\n").filter((line) => line.startsWith("{")));

function send(address, events) {
  const grpc = require(${JSON.stringify(modules("@grpc/grpc-js"))});
  const { EventsClient } = require(${JSON.stringify(modules("@pulumi/pulumi/proto/events_grpc_pb.js"))});
  const { EventRequest } = require(${JSON.stringify(modules("@pulumi/pulumi/proto/events_pb.js"))});
  const client = new EventsClient(address, grpc.credentials.createInsecure());
  const stream = client.streamEvents(() => client.close());
  for (const event of [...events, JSON.stringify({ summaryEvent: { resourceChanges: {} } })]) stream.write(new EventRequest([event]));
  stream.end();
}
`;
  write(folder, "pulumi", script, 0o755);
  return {
    engine: { program, version: "3.259.0", env: { PATH: process.env.PATH, HOME: folder } },
    calls: () =>
      fs.existsSync(log)
        ? fs
            .readFileSync(log, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as Call)
        : [],
  };
}

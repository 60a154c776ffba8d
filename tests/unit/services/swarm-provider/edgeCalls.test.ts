/** How calls that pass the provider by are counted. */
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { listenForCalls } from "../../../../services/swarm-provider/src/edge/calls";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "edge-calls-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test("a provider that takes over keeps the socket when the one before it ends", async () => {
  const at = path.join(folder, "calls.sock");
  const calls: string[] = [];
  const send = async (line: string) => once(net.connect(at).resume().end(line), "close");
  const listen = (who: string) => listenForCalls(at, (name, code) => calls.push(`${who}: ${name} ${code}`));
  const before = await listen("before");
  await send("a 200 5 replica\n");
  const after = await listen("after");
  await new Promise((done) => before.close(done));
  await send("b 201 5 replica\n");
  expect(calls).toEqual(["before: a 200", "after: b 201"]);
  expect(fs.readdirSync(folder)).toEqual(["calls.sock"]);
  after.close();
});

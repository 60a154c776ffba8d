/** The queue worker behind the stock gateway: which calls it makes again, and which it must not. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildGoProgram } from "./goProgram";

const ROOT = path.resolve(__dirname, "../..");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-gateway-"));

afterAll(() => fs.rmSync(folder, { recursive: true }));

test("once: what was reached; again: what was not, and what asks for it; and no path leads elsewhere", () => {
  buildGoProgram("gateway", folder);
  const inside = 'ip link set lo up && exec "$@"';
  const script = [
    path.join(ROOT, "node_modules/tsx/dist/cli.mjs"),
    path.join(__dirname, "queueGateway.ts"),
    path.join(folder, "gateway"),
  ];
  const out = execFileSync(
    "unshare",
    ["--net", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", inside, "sh", process.execPath, ...script],
    { encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] },
  );
  expect(JSON.parse(out)).toEqual({
    answers: { made: 1, putBack: 0 },
    busy: { made: 1, putBack: 1 },
    breaks: { made: 1, putBack: 0 },
    breaksWithoutBody: { made: 1, putBack: 0 },
    breaksLarge: { made: 1, putBack: 0 },
    unread: { made: 20, putBack: 20 },
    unreadLarge: { made: 20, putBack: 20 },
    late: { made: 1, putBack: 0 },
    providerAway: { made: 0, putBack: 1 },
    functionAway: { made: 0, putBack: 1 },
    functionAwayLarge: { made: 0, putBack: 1 },
    functionAwayWithoutBody: { made: 0, putBack: 1 },
    // As the gateway passes a call on to a provider: decoded once, and no route but the function's.
    paths: ["/function/a/%2e%2e/%2e%2e/system/functions", "/function/a/%5C..%5C..%5Csystem%5Cfunctions"],
    managed: [],
  });
}, 900_000);

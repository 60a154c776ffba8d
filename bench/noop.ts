/** An `up` that reads the whole host and finds nothing to do: what a scheduled run costs. */
import * as path from "node:path";
import { summary, timeCommand } from "./measure";
import { platformOfLab } from "./queue";
import type { Report } from "./report";

const RUNS = 3;
/** What is promised, in seconds. */
const MOST = 3;
const CLONE = path.resolve(__dirname, "..");
const CONNECTIONS = "journalctl -q --no-pager -t sshd | grep -c 'Accepted publickey'; true";

/** Needs the lab up (`npm run up`). */
export async function noop(): Promise<Report> {
  const { lab, engine, session } = await platformOfLab();
  const which = [
    "--stack",
    lab.stack,
    ...(lab.derivedStackFile ? ["--config-file", lab.derivedStackFile] : []),
  ];
  const connections = async () => {
    const { stdout } = await session.run(CONNECTIONS, { step: "count connections", timeoutSeconds: 30 });
    return Number(stdout.trim());
  };
  const up = (...more: string[]) =>
    timeCommand(
      [
        engine.program,
        "up",
        ...which,
        "--yes",
        "--skip-preview",
        "--expect-no-changes",
        "--non-interactive",
        ...more,
      ],
      { cwd: CLONE, env: engine.env },
    );
  try {
    await up("--refresh");
    const times = { read: [] as number[], unread: [] as number[], connections: [] as number[] };
    for (let i = 0; i < RUNS; i++) {
      times.unread.push(await up());
      const before = await connections();
      times.read.push(await up("--refresh"));
      times.connections.push((await connections()) - before);
    }
    const rows = [
      summary("up with nothing to do", times.unread, "s"),
      summary("up --refresh with nothing to do", times.read, "s"),
      summary("SSH connections of up --refresh", times.connections, ""),
    ];
    return {
      title: "An up without changes",
      rows,
      ratios: { "read / unread": rows[1]!.median / rows[0]!.median },
      missed: rows[1]!.median > MOST ? [`up --refresh takes at most ${MOST} s`] : [],
    };
  } finally {
    await session.close();
  }
}

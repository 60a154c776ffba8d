/** The edge's own record of calls: a line each, "NAME CODE MILLISECONDS SERVER", through a socket that HAProxy connects to. */
import { createServer, type Server } from "node:net";
import { listenAt } from "../../../../shared/listenAt";

/** @param seconds from the call's first byte to the answer's last */
export type OnCall = (name: string, code: number, seconds: number) => void;

/** What went to another server is the gateway's, which counts it itself. */
const CALL = /^([a-z0-9-]+) (\d{3}) (\d+) replica$/;

/** Cuts what comes in pieces into lines, and passes on those that are calls. */
export function callReader(onCall: OnCall): (piece: string) => void {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const match = CALL.exec(line);
      if (match) onCall(match[1]!, Number(match[2]), Number(match[3]) / 1000);
    }
  };
}

/** Listens at `path`, in the place of an earlier provider, which still gets what comes through the connections it has. */
export async function listenForCalls(path: string, onCall: OnCall): Promise<Server> {
  const server = createServer((socket) => {
    const read = callReader(onCall);
    socket.setEncoding("latin1").on("data", read);
    socket.on("error", () => undefined);
  });
  await listenAt(server, path);
  return server;
}

/** A socket of the file system at which one process takes over from another. */
import * as fs from "node:fs";
import type { Server } from "node:net";

/**
 * Listens at `path`, in the place of an earlier process, which still answers what it has. A server removes the path that it was given
 * when it closes, which by then is another's: hence the other name. Every user may connect; who reaches the folder is the folder's to say.
 */
export async function listenAt(server: Server, path: string): Promise<void> {
  const own = `${path}.${process.pid}-${Date.now()}`;
  fs.rmSync(own, { force: true });
  await new Promise<void>((done, fail) =>
    server.once("error", fail).listen({ path: own, readableAll: true, writableAll: true }, () => {
      server.off("error", fail);
      done();
    }),
  );
  fs.renameSync(own, path);
}

/** Sends an image from this machine's engine to a host's engine, over the connection with the pinned key. */
import { createGzip } from "node:zlib";
import { start } from "../../programs/run";
import { command } from "../../shared/quote";
import type { Session } from "../../providers/host/src/session";
import { docker } from "./docker";

/** The identifiers of an image's layers: the same on every engine, whatever it calls the image itself. */
const LAYERS = ["image", "inspect", "--format", "{{json .RootFS.Layers}}"];
const LIMIT_SECONDS = 1800;

/** @returns false if the host already had it */
export async function loadOnto(session: Session, image: string): Promise<boolean> {
  const wanted = docker([...LAYERS, image], true).trim();
  const found = async (step: string) => {
    const asked = await session.run(command("docker", ...LAYERS, image), { step, allow: [0, 1] });
    return asked.code === 0 ? asked.stdout.trim() : undefined;
  };
  if ((await found(`look for ${image}`)) === wanted) return false;
  const save = start("docker", ["save", image], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  save.stderr!.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-2000)));
  const packed = createGzip({ level: 1 });
  const broken = (reason: string) => packed.destroy(new Error(`docker save ${image}: ${reason}`));
  save.on("error", (error) => broken(error.message));
  // Its end is the input's end only once it is known to be a good one.
  save.stdout!.pipe(packed, { end: false });
  save.on("close", (code) => (code === 0 ? packed.end() : broken(said.trim() || `it ended with ${code}`)));
  const step = `load ${image}`;
  try {
    await session.run("docker load --quiet", { step, input: packed, timeoutSeconds: LIMIT_SECONDS });
  } finally {
    save.kill();
  }
  const loaded = await found(`look at ${image}`);
  if (loaded !== wanted)
    throw new Error(`${session.name} has another image as ${image} than the one that was sent.`);
  return true;
}

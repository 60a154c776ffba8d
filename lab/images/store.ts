/** What the lab's registry has, over its HTTP API; it asks for no credentials. */
import { MANIFEST_TYPES } from "../../shared/manifestTypes";
import { LabError } from "../errors";

const LIMIT_MS = 30_000;

export class Store {
  constructor(private readonly port: number) {}

  /** The digest that the registry has under a tag or digest of `name`; undefined where it has none. */
  async digest(name: string, tagOrDigest: string): Promise<string | undefined> {
    const path = `/v2/${name}/manifests/${tagOrDigest}`;
    const answer = await this.ask("HEAD", path, { accept: MANIFEST_TYPES });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200)
      throw new LabError(
        `The lab's registry answered ${answer.status} to HEAD ${path}.`,
        "See `docker logs` of its container; a full disk is the usual reason.",
      );
    return answer.headers.get("docker-content-digest") ?? undefined;
  }

  ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    limitMs = LIMIT_MS,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(limitMs);
    return fetch(`http://127.0.0.1:${this.port}${path}`, { method, headers, signal }).catch(
      (error: Error) => {
        throw new LabError(`The lab's registry did not answer ${method} ${path}: ${error.message}`);
      },
    );
  }
}

/** Writes images to a registry over its HTTP API. Only for the lab's own registry, which asks for no credentials. */
import { createReadStream } from "node:fs";
import { request, type RequestOptions } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { MANIFEST_TYPES } from "../../shared/manifestTypes";
import { LabError } from "../errors";
import type { Blob, Image } from "./oci";

const LIMIT_MS = 120_000;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export class Store {
  constructor(private readonly port: number) {}

  /** The digest that the registry has under a tag or digest of `name`; undefined where it has none. */
  async digest(name: string, tagOrDigest: string): Promise<string | undefined> {
    const path = `/v2/${name}/manifests/${tagOrDigest}`;
    const answer = await this.ask("HEAD", path, { headers: { accept: MANIFEST_TYPES } });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.refused("HEAD", path, answer);
    return String(answer.headers["docker-content-digest"]);
  }

  /** Uploads what the registry lacks of the image, then names it. */
  async push(name: string, tag: string, image: Image): Promise<void> {
    for (const layer of image.layers) await this.upload(name, layer, () => createReadStream(layer.file));
    await this.upload(name, image.config, () => image.config.bytes);
    const path = `/v2/${name}/manifests/${tag}`;
    const headers = { "content-type": image.manifest.mediaType, "content-length": image.manifest.size };
    const answer = await this.ask("PUT", path, { headers }, image.manifest.bytes);
    if (answer.status !== 201) throw this.refused("PUT", path, answer);
  }

  private async upload(name: string, blob: Blob, content: () => Readable | Buffer): Promise<void> {
    const path = `/v2/${name}/blobs/${blob.digest}`;
    if ((await this.ask("HEAD", path)).status === 200) return;
    const start = `/v2/${name}/blobs/uploads/`;
    const begun = await this.ask("POST", start, { headers: { "content-length": 0 } });
    if (begun.status !== 202) throw this.refused("POST", start, begun);
    const place = new URL(String(begun.headers.location), "http://127.0.0.1");
    place.searchParams.set("digest", blob.digest);
    const headers = { "content-type": "application/octet-stream", "content-length": blob.size };
    const done = await this.ask("PUT", `${place.pathname}${place.search}`, { headers }, content());
    if (done.status !== 201) throw this.refused("PUT", place.pathname, done);
  }

  async ask(
    method: string,
    path: string,
    options: RequestOptions = {},
    body?: Readable | Buffer,
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const asked = request(
        { ...options, host: "127.0.0.1", port: this.port, method, path, signal },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", fail);
          response.on("end", () =>
            done({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      asked.on("error", (error) =>
        fail(new LabError(`The lab's registry did not answer ${method} ${path}: ${error.message}`)),
      );
      if (!body || Buffer.isBuffer(body)) asked.end(body);
      else pipeline(body, asked).catch(fail);
    });
  }

  private refused(method: string, path: string, answer: Answer): LabError {
    return new LabError(
      `The lab's registry answered ${answer.status} to ${method} ${path}: ${answer.text.trim().slice(0, 300)}`,
      "See `docker logs` of its container; a full disk is the usual reason.",
    );
  }
}

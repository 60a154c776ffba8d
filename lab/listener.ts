/** A tiny HTTP server that waits for the callback of an asynchronous call. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { LabError } from "./errors";

export interface Callback {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Listener {
  url: string;
  /** The first POST to arrive. */
  callback: Promise<Callback>;
  close(): void;
}

const LARGEST = 20 * 1024 * 1024;

/** Listens on a free port of `address`, on a random path. GET answers 204, to test that it can be reached. */
export async function listen(address: string): Promise<Listener> {
  const path = `/callback/${Math.random().toString(36).slice(2)}`;
  let arrived: (callback: Callback) => void;
  const callback = new Promise<Callback>((done) => (arrived = done));
  const server = createServer((request, response) => {
    if (request.url !== path) return void response.writeHead(404).end();
    if (request.method !== "POST") return void response.writeHead(204).end();
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST) chunks.push(chunk);
    });
    request.on("end", () => {
      response.writeHead(204).end();
      arrived({ headers: request.headers, body: Buffer.concat(chunks) });
    });
  });
  await new Promise<void>((done, fail) => {
    server.once("error", (error) => fail(new LabError(`Cannot listen on ${address}: ${error.message}`)));
    server.listen(0, address, done);
  });
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://${address}:${port}${path}`, callback, close };
}

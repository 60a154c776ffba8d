/** Connections that stop being HTTP, such as WebSockets: after the heads each side gets the other's bytes. */
import {
  request,
  STATUS_CODES,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
} from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";

export interface UpgradeTarget {
  host: string;
  port: number;
  path: string;
  headers: OutgoingHttpHeaders;
  connectMs: number;
  /** Longest wait for the head of the answer. What comes after it takes as long as it takes. */
  silenceMs: number;
}

/** The function took the connection, and said nothing in time. */
export class SilenceError extends Error {}

/**
 * Asks a replica for the upgrade and joins both connections when it agrees. Resolves when both have ended.
 * @returns the status of the function's answer, or undefined when no connection came up and another replica may be tried
 */
export function joinUpgrade(
  target: UpgradeTarget,
  incoming: IncomingMessage,
  client: Socket,
  head: Buffer,
): Promise<number | undefined> {
  const { host, port, path, headers, connectMs, silenceMs } = target;
  return new Promise((resolve, reject) => {
    const upstream = request({ host, port, path, headers, method: incoming.method, agent: false });
    let connected = false;
    const connecting = setTimeout(() => upstream.destroy(new Error("no connection")), connectMs);
    upstream.once("socket", (socket) =>
      socket.once("connect", () => {
        connected = true;
        clearTimeout(connecting);
        upstream.setTimeout(silenceMs, () => upstream.destroy(new SilenceError()));
      }),
    );
    upstream.once("upgrade", (response, server, first) => {
      client.write(rawHead(response));
      client.write(first);
      server.write(head);
      join(client, server, () => resolve(response.statusCode));
    });
    // The function declined: its answer, whole, and the connection ends.
    upstream.once("response", (response) => {
      client.write(rawHead(response, "connection: close\r\n"));
      pipeline(response, client, () => resolve(response.statusCode));
    });
    upstream.once("error", (error) => {
      clearTimeout(connecting);
      if (connected) reject(error);
      else resolve(undefined);
    });
    client.once("close", () => upstream.destroy());
    upstream.end();
  });
}

/** Ends when either side has ended or failed, and takes the other with it. */
function join(a: Socket, b: Socket, done: () => void): void {
  for (const socket of [a, b]) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
  }
  a.pipe(b).pipe(a);
  let open = 2;
  const closed = (other: Socket) => () => {
    other.destroy();
    if (--open === 0) done();
  };
  a.once("close", closed(b));
  b.once("close", closed(a));
}

function rawHead(response: IncomingMessage, more = ""): string {
  const { rawHeaders, statusCode, statusMessage } = response;
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    // The body of a refusal comes without its chunks, and ends with the connection.
    if (more && /^(connection|transfer-encoding|keep-alive)$/i.test(rawHeaders[i]!)) continue;
    text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  return `${text}${more}\r\n`;
}

const OFFER = /^(upgrade|http2-settings)$/i;

/** HTTP/2 is offered by Java's and curl's clients with whatever they ask, and nobody has to take it. */
export function isMereOffer({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "h2c";
}

/**
 * Takes a request whose offer to upgrade is not taken as if there had been none. Node, with a listener for upgrades, has by then given
 * its connection away: it gets it back, with the request before what has not been read yet.
 */
export function passByOffer(server: Server, incoming: IncomingMessage, client: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders, headers } = incoming;
  const others = (headers.connection ?? "").split(",").filter((name) => !OFFER.test(name.trim()));
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!OFFER.test(rawHeaders[i]!) && !/^connection$/i.test(rawHeaders[i]!))
      text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  if (others.length > 0) text += `Connection: ${others.join(",")}\r\n`;
  client.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), head]));
  server.emit("connection", client);
}

/** An answer of the provider itself to one who wanted to upgrade. */
export function refuseUpgrade(socket: Socket, status: number, message: string): void {
  if (socket.destroyed) return;
  const length = Buffer.byteLength(message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${length}\r\n\r\n${message}`,
  );
}

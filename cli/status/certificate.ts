/** The certificate that Nginx serves, seen through the connection to the host. */
import * as tls from "node:tls";
import type { Session } from "../../providers/host/src/session";
import type { CertificateStatus } from "./report";

const LIMIT_MS = 10_000;
const DAY_MS = 86_400_000;

/** It is read, not trusted: whether it is one that clients accept, is for them to say. */
export async function certificate(
  session: Session,
  port: number,
  serverName?: string,
): Promise<CertificateStatus> {
  const stream = await session.forward("127.0.0.1", port);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ socket: stream, servername: serverName, rejectUnauthorized: false });
    const end = (act: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      stream.destroy();
      act();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`no TLS handshake within ${LIMIT_MS / 1000} s on port ${port}`))),
      LIMIT_MS,
    );
    socket.once("error", (error: Error) => end(() => reject(error)));
    socket.once("secureConnect", () => {
      const { subject, valid_to } = socket.getPeerCertificate();
      end(() => resolve(describe(subject?.CN, valid_to)));
    });
  });
}

export function describe(
  subject: string | string[] | undefined,
  validTo: string,
  now = Date.now(),
): CertificateStatus {
  const expires = new Date(validTo);
  return {
    subject: String(subject ?? ""),
    expires: expires.toISOString(),
    days: Math.floor((expires.getTime() - now) / DAY_MS),
  };
}

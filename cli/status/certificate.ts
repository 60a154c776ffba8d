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
      const found = socket.getPeerCertificate();
      end(() => resolve(describe(found)));
    });
  });
}

type Seen = Pick<tls.PeerCertificate, "valid_to"> &
  Partial<Pick<tls.PeerCertificate, "subject" | "issuer" | "subjectaltname">>;

export function describe(
  { subject, issuer, subjectaltname = "", valid_to }: Seen,
  now = Date.now(),
): CertificateStatus {
  const expires = new Date(valid_to);
  // Some authorities write names into the extension alone.
  const name = subject?.CN ?? /^DNS:([^,]+)/.exec(subjectaltname)?.[1];
  return {
    subject: String(name ?? ""),
    selfSigned: JSON.stringify(subject) === JSON.stringify(issuer),
    expires: expires.toISOString(),
    days: Math.floor((expires.getTime() - now) / DAY_MS),
  };
}

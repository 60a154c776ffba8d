/** The form of a host's public key, "ssh-ed25519 AAAA…", down to the last byte of its blob (RFC 4253, 5656, 8709). */

/** Least modulus that OpenSSH still takes: 1024 bits. */
const RSA_BYTES = 128;

/** Bytes of a coordinate. */
const CURVES: Record<string, number> = { nistp256: 32, nistp384: 48, nistp521: 66 };

/** What is wrong with the key in a line, or undefined. A comment behind the key is left alone. */
export function hostKeyProblem(line: string): string | undefined {
  const [type = "", data = ""] = line.trim().split(/\s+/);
  const blob = Buffer.from(data, "base64");
  // Node skips what is not base64; written again, such a text is another one.
  if (data === "" || blob.toString("base64").replace(/=+$/, "") !== data.replace(/=+$/, ""))
    return "its second word is not base64";
  const parts = strings(blob);
  if (!parts) return "it is cut short, or something follows it";
  const [inner, ...rest] = parts;
  if (inner!.toString("latin1") !== type) return "its two words name different types";
  return hasForm(type, rest) ? undefined : `it does not hold what a key of type ${type} consists of`;
}

function hasForm(type: string, parts: Buffer[]): boolean {
  const [first, second] = parts;
  if (type === "ssh-ed25519") return parts.length === 1 && first!.length === 32;
  if (parts.length !== 2) return false;
  if (type === "ssh-rsa") return first!.length > 0 && second!.length >= RSA_BYTES;
  const curve = first!.toString("latin1");
  const uncompressed = 4;
  return (
    type === `ecdsa-sha2-${curve}` &&
    second!.length === 1 + 2 * (CURVES[curve] ?? NaN) &&
    second![0] === uncompressed
  );
}

/** The strings that a blob consists of, each behind its length of four bytes; undefined where they do not fill it exactly. */
function strings(blob: Buffer): Buffer[] | undefined {
  const found: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    found.push(blob.subarray(at + 4, end));
    at = end;
  }
  return found.length > 0 ? found : undefined;
}

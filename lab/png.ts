/** Looks into a PNG far enough to know that it is one, whole, and how large the picture is. */
import { crc32 } from "node:zlib";

export interface Picture {
  width: number;
  height: number;
}

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** The picture's size, or the reason why this is not a PNG. Every chunk's checksum is verified. */
export function readPng(data: Buffer): Picture | { wrong: string } {
  if (!data.subarray(0, 8).equals(SIGNATURE)) return { wrong: "no PNG signature" };
  let size: Picture | undefined;
  let pixels = 0;
  for (let at = 8; at + 12 <= data.length;) {
    const length = data.readUInt32BE(at);
    const type = data.toString("latin1", at + 4, at + 8);
    const end = at + 12 + length;
    if (end > data.length) return { wrong: `it ends in the middle of ${type}` };
    if (crc32(data.subarray(at + 4, end - 4)) !== data.readUInt32BE(end - 4))
      return { wrong: `${type} is damaged` };
    if (type === "IHDR") size = { width: data.readUInt32BE(at + 8), height: data.readUInt32BE(at + 12) };
    if (type === "IDAT") pixels += length;
    if (type === "IEND") return size && pixels > 0 ? size : { wrong: "it holds no pixels" };
    at = end;
  }
  return { wrong: "it has no end" };
}

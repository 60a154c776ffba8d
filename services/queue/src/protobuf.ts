/** Protocol Buffers messages whose fields are strings and bytes. */

type Bytes = Buffer<ArrayBufferLike>;

/** Fields by number, in the order of the numbers. */
export function encodeStrings(fields: Record<number, string | Bytes>): Bytes {
  return Buffer.concat(
    Object.entries(fields).flatMap(([number, value]) => {
      const data = Buffer.from(value as string);
      return [varint((Number(number) << 3) | 2), varint(data.length), data];
    }),
  );
}

/** @throws an Error for what is not such a message. Fields of other types are passed over. */
export function decodeStrings(message: Uint8Array): Map<number, Bytes> {
  const fields = new Map<number, Bytes>();
  const data = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const next = () => {
    let value = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = data[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("the message is cut off");
  };
  while (at < data.length) {
    const key = next();
    const type = key & 7;
    if (type === 0) next();
    else if (type === 2) {
      const size = next();
      if (at + size > data.length) throw new Error("the message is cut off");
      fields.set(key >>> 3, data.subarray(at, (at += size)));
    } else throw new Error(`the message has a field of type ${type}`);
  }
  return fields;
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

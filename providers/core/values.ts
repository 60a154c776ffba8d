/**
 * Property values as the engine sends them (google.protobuf.Struct with marks for secrets, unknowns and outputs), and as
 * resources want them: plain values, with the paths of the secret ones beside them.
 */
export type Path = (string | number)[];

/** A value that is not known yet: an output of a resource that a preview has not created. */
export class Unknown {
  toJSON(): string {
    return "(unknown)";
  }
}
export const unknown = new Unknown();

export interface Decoded {
  /** Plain values; what is not known yet is an `Unknown`. */
  value: Record<string, any>;
  /** Where secrets are. A path of a whole object covers what is in it. */
  secrets: Path[];
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const REFUSED: Record<string, string> = {
  c44067f5952c0a294b673a41bacd8c17: "an asset",
  "0def7320c3a5731c473e5ecbe6d01bc7": "an archive",
};
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** One for each type of value: string (and anything), boolean, number, array, asset, archive, object. */
const UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A Struct as plain JavaScript, from what its `toJavaScript()` gives. Throws on an asset: no resource here takes one. */
export function decode(properties: Record<string, any> | undefined): Decoded {
  const secrets: Path[] = [];
  const value = decodeValue(properties ?? {}, [], secrets);
  return { value, secrets };
}

function decodeValue(value: any, path: Path, secrets: Path[]): any {
  if (typeof value === "string") return UNKNOWNS.has(value) ? unknown : value;
  if (Array.isArray(value)) return value.map((item, index) => decodeValue(item, [...path, index], secrets));
  if (value === null || typeof value !== "object") return value;
  if (typeof value[SIGNATURE] === "string") return decodeMarked(value, path, secrets);
  const result: Record<string, any> = {};
  for (const [key, item] of Object.entries(value)) {
    // `null` is how an absent optional property travels.
    if (item !== null) result[key] = decodeValue(item, [...path, key], secrets);
  }
  return result;
}

function decodeMarked(value: any, path: Path, secrets: Path[]): any {
  const signature = value[SIGNATURE];
  if (signature === SECRET) {
    secrets.push(path);
    return decodeValue(value.value, path, secrets);
  }
  if (signature === OUTPUT) {
    if (value.secret) secrets.push(path);
    return "value" in value ? decodeValue(value.value, path, secrets) : unknown;
  }
  if (signature === RESOURCE) return value.id ?? value.urn;
  throw new Error(
    `${formatPath(path)} is ${REFUSED[signature] ?? "a value of an unknown kind"}; give the text itself`,
  );
}

/** Back into what `Struct.fromJavaScript` takes, with the values at `secrets` marked. Paths that lead nowhere are skipped. */
export function encode(value: Record<string, any>, secrets: Path[]): Record<string, any> {
  const marked = new Set(secrets.map((path) => JSON.stringify(path)));
  return encodeValue(value, [], marked) ?? {};
}

function encodeValue(value: any, path: Path, marked: Set<string>): any {
  const plain = encodePlain(value, path, marked);
  if (plain === undefined || path.length === 0 || !marked.has(JSON.stringify(path))) return plain;
  return { [SIGNATURE]: SECRET, value: plain };
}

function encodePlain(value: any, path: Path, marked: Set<string>): any {
  if (value instanceof Unknown) return UNKNOWN;
  if (Array.isArray(value))
    return value.map((item, index) => encodeValue(item ?? null, [...path, index], marked));
  if (value === null || typeof value !== "object") return value;
  const result: Record<string, any> = {};
  for (const [key, item] of Object.entries(value)) {
    const encoded = encodeValue(item, [...path, key], marked);
    if (encoded !== undefined) result[key] = encoded;
  }
  return result;
}

/** Pulumi's way to write a path: `a.b[0]["x.y"]`. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[A-Za-z_$][\w$-]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}

export function at(value: any, path: Path): any {
  return path.reduce(
    (current, part) => (current === null || current === undefined ? undefined : current[part]),
    value,
  );
}

export function hasUnknown(value: any): boolean {
  if (value instanceof Unknown) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(hasUnknown);
}

/**
 * Where the secrets of `from` are in `to`, which is `from` after a schema has had its way with it. A value that was moved or rewritten
 * cannot be followed, so the whole property it was in becomes the secret: rather too much than too little.
 */
export function moveSecrets(secrets: Path[], from: any, to: any): Path[] {
  return secrets.flatMap((path) => {
    const kept = path.length === 1 || JSON.stringify(at(from, path)) === JSON.stringify(at(to, path));
    const place = kept ? path : path.slice(0, 1);
    return at(to, place) === undefined ? [] : [place];
  });
}

/** Every secret text in `value`, to be masked in messages: long texts line by line as well, as programs print them. */
export function secretTexts({ value, secrets }: Decoded): string[] {
  const texts = new Set<string>();
  const collect = (item: any): void => {
    if (typeof item === "string" && item.length >= 4) {
      texts.add(item);
      texts.add(Buffer.from(item).toString("base64"));
      for (const line of item.split("\n")) if (line.trim().length >= 8) texts.add(line.trim());
    } else if (item !== null && typeof item === "object") Object.values(item).forEach(collect);
  };
  for (const path of secrets) collect(at(value, path));
  return [...texts].sort((a, b) => b.length - a.length);
}

export function mask(text: string, secrets: string[]): string {
  return secrets.reduce(
    (masked, secret) => (secret === "" ? masked : masked.replaceAll(secret, "[secret]")),
    text,
  );
}

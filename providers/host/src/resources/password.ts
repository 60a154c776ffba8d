/** host:index:Password: a random password, made once and kept in the state as a secret. */
import * as crypto from "node:crypto";
import * as z from "zod";
import type { ResourceHandler } from "../resource";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** 64 characters that need no escaping in a URL, a shell word, YAML or a header: 6 bits each. */
const ALPHABET = `${LETTERS}-_`;

/** `length` characters of A-Z a-z 0-9 - _, from the system's generator. The first is a letter or digit: it never looks like an option. */
export function randomPassword(length: number): string {
  let password = LETTERS.charAt(crypto.randomInt(LETTERS.length));
  while (password.length < length) password += ALPHABET.charAt(crypto.randomInt(ALPHABET.length));
  return password;
}

const inputs = z.strictObject({
  length: z.number().int().min(16).max(256).default(32).describe("Characters, 16 to 256; 32 have 191 bits."),
  keepers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Any values; a change makes a new password. Example: { rotated: "2026-11" }.'),
});
type Inputs = z.infer<typeof inputs>;
const outputs = z.object({ value: z.string().describe("The password.") });
type Outputs = z.infer<typeof outputs>;

/** Nothing on a host: never connects. A new value only by replacement (`length`, `keepers`, or `pulumi up --replace`). */
export const password: ResourceHandler<Inputs, Outputs> = {
  type: "host:index:Password",
  description:
    "A random password of A-Z a-z 0-9 - _, made once and kept in the state as a secret. It never connects to a host.",
  schema: inputs,
  outputs,
  replaceOn: ["length", "keepers"],
  // What uses the old value goes on using it until it has the new one.
  deleteBeforeReplace: false,
  stables: ["value"],
  secrets: ["value"],
  async create(_ctx, { length }) {
    return { id: "password", outputs: { value: randomPassword(length) } };
  },
  async read(_ctx, _id, wanted, outputs) {
    return { inputs: wanted, outputs };
  },
  async update(_ctx, _id, _olds, _news, outputs) {
    return outputs;
  },
  async delete() {
    // The value goes with the state.
  },
};

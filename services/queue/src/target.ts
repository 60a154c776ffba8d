/** What a caller's URL asks for, byte by byte. Anything that could mean another route than the function's is refused. */
import { FUNCTION_NAME } from "../../../shared/names";
import { NAMESPACE_SUFFIX } from "./request";

const PREFIX = "/async-function/";

export class BadTarget extends Error {
  constructor(
    message: string,
    readonly status: 400 | 404,
  ) {
    super(message);
  }
}

/**
 * From "/async-function/NAME/a%2Fb?c" to the function's name, and to what the gateway has to be asked so that the function sees
 * "/a%2Fb?c". The gateway decodes a path once.
 * @throws BadTarget
 */
export function parseTarget(url: string): { name: string; target: string } {
  const [, path = "", query] = /^([^?]*)(\?.*)?$/s.exec(url)!;
  if (!path.startsWith(PREFIX)) throw new BadTarget("Only /async-function/NAME is answered here.", 404);
  const [given = "", ...rest] = path.slice(PREFIX.length).split("/");
  const name = given.replace(NAMESPACE_SUFFIX, "");
  if (!FUNCTION_NAME.form.test(name)) throw new BadTarget("No function has such a name.", 404);
  const tail = rest.length > 0 ? `/${rest.join("/")}` : "";
  if (/[^\x21-\x7e]|#/.test(url)) throw new BadTarget("The URL contains a byte that has to be encoded.", 400);
  if (/\/\/|\\|%5c/i.test(tail) || rest.some(isDots))
    throw new BadTarget('The path contains "//", a backslash, or a segment "." or "..".', 400);
  if (/%(?![0-9a-f]{2})/i.test(tail))
    throw new BadTarget('A "%" in the path is not followed by two digits.', 400);
  return { name, target: `/function/${name}${tail.replaceAll("%", "%25")}${query ?? ""}` };
}

/** As written, or encoded, also more than once. */
const isDots = (segment: string) => /^(\.|%(25)*2e){1,2}$/i.test(segment);

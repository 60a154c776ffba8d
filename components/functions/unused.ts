/** Keys that the format has and that would do nothing where they stand. */
import type { FunctionKeys } from "./format";

/** Keys that only a build reads, for functions without one, with the reason. */
export function unusedBuildKeys(keys: Partial<FunctionKeys>): [string, string][] {
  const { lang, handler, skip_build, build_args, build_options } = keys;
  const elsewhere = "an image that is made elsewhere says skip_build: true";
  const found: [string, string][] = [];
  if (lang && !handler && !skip_build)
    found.push(["lang", `has no handler beside it, the folder to build from; ${elsewhere}`]);
  if (handler && !lang && !skip_build)
    found.push(["handler", `has no lang beside it, the template to build with; ${elsewhere}`]);
  const ofBuilds = { build_args, build_options };
  for (const [key, value] of Object.entries(ofBuilds))
    if (Object.keys(value ?? {}).length > 0 && (skip_build || (!lang && !handler)))
      found.push([key, `would be ignored: nothing is built${skip_build ? " with skip_build: true" : ""}`]);
  return found;
}

/** host:index:Packages: packages of apt in the versions wanted. */
import * as z from "zod";
import { PartialFailure, printed } from "../../../core/errors";
import type { Context, ResourceHandler } from "../resource";
import { parseKeyValues, refusalOf, renderScript, runScript } from "../scripts";
import { HostError } from "../session";

const LOCK_SECONDS = 300;
/** A lock waited for, lists fetched, packages fetched and installed over a slow line. */
const APPLY_SECONDS = 1800;
const MAX_AGE_MINUTES = 24 * 60;

const NAME = "[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?";
const VERSION = "[A-Za-z0-9.+:~-]+";
/** "=" takes a `*` for anything, as apt does: "=5:24.0.*". */
const BOUND = `>= ?${VERSION}|= ?[A-Za-z0-9.+:~*-]+`;
const ENTRY = new RegExp(`^(${NAME}) ?(${BOUND})?$`);

const name = z.string().regex(new RegExp(`^${NAME}$`), 'is no package\'s name, e.g. "nginx"');
const bound = z
  .string()
  .regex(new RegExp(`^(${BOUND})?$`), 'must be "", "=VERSION" or ">=VERSION", e.g. ">=1.18"')
  .transform((text) => text.replace(" ", ""));
const entry = z
  .string()
  .regex(ENTRY, 'must be "NAME", "NAME=VERSION" or "NAME>=VERSION", e.g. "nginx>=1.18"');

const inputs = z.strictObject({
  packages: z
    .union(
      [
        z.record(name, bound).refine((map) => Object.keys(map).length > 0, "names no package"),
        z.array(entry).min(1, "names no package").transform(fromList),
      ],
      {
        error:
          'must be a list such as ["nginx", "curl>=7.58"], or a map such as { nginx: "", curl: ">=7.58" }',
      },
    )
    .describe(
      'Packages to install, each in any version, in exactly one ("=", with `*` for anything) or in at least one (">="). Example: ["curl", "nginx>=1.18", "docker-ce=5:24.0.*"], or { curl: "", nginx: ">=1.18" }.',
    ),
  hold: z
    .boolean()
    .default(false)
    .describe("Keep the packages at their version when the host upgrades itself (apt-mark hold)."),
  recommends: z.boolean().default(false).describe("Install recommended packages too."),
  startServices: z
    .boolean()
    .default(true)
    .describe(
      "Let the services of new packages start while they are installed. false: a unit starts them, after its configuration is there.",
    ),
});
type Bounds = Record<string, string>;
export interface PackagesInputs {
  packages: Bounds;
  hold: boolean;
  recommends: boolean;
  startServices: boolean;
}

const outputs = z.object({
  versions: z.record(z.string(), z.string()).describe("Installed version of each package."),
  installed: z
    .array(z.string())
    .describe(
      "Packages that this resource brought to the host, dependencies included: all that a delete may remove. Sorted.",
    ),
});
export type PackagesOutputs = z.infer<typeof outputs>;

function fromList(entries: string[]): Bounds {
  return Object.fromEntries(
    entries.map((text) => {
      const [, name = "", version = ""] = ENTRY.exec(text) ?? [];
      return [name, version.replace(" ", "")];
    }),
  );
}

/** Lines "NAME OPERATOR VERSION" as packages-apply.sh reads them. */
export function renderWanted(packages: Bounds): string {
  return Object.entries(packages)
    .map(([package_, text]) => `${package_} ${text.replace(/^(>=|=)/, "$1 ")}`.trim())
    .join("\n");
}

const names = (packages: Bounds): string => Object.keys(packages).sort().join(", ");

interface Found {
  versions: Record<string, string>;
  within: Record<string, boolean>;
  held: Record<string, boolean>;
}

async function look(ctx: Context, packages: Bounds): Promise<Found> {
  const result = await runScript(
    await ctx.session(),
    ["packages-lib", "packages-read"],
    { WANTED: renderWanted(packages) },
    { step: `look at the packages ${names(packages)}` },
  );
  const found: Found = { versions: {}, within: {}, held: {} };
  for (const [package_, text] of Object.entries(parseKeyValues(result.stdout))) {
    const [version = "", within, held] = text.split(" ");
    found.versions[package_] = version;
    found.within[package_] = within === "yes";
    found.held[package_] = held === "yes";
  }
  return found;
}

/** Installs what is missing. What came to the host by a run that failed is not forgotten: it goes into the state with the error. */
async function apply(
  ctx: Context,
  wanted: PackagesInputs,
  hold: "yes" | "no" | "",
  brought: string[],
): Promise<PackagesOutputs> {
  const session = await ctx.session();
  const step = `install the packages ${names(wanted.packages)}`;
  const variables = {
    LOCK_SECONDS,
    WANTED: renderWanted(wanted.packages),
    HOLD: hold,
    RECOMMENDS: wanted.recommends,
    START: wanted.startServices,
    MAX_AGE_MINUTES,
  };
  const script = renderScript(["packages-lib", "apt", "packages-apply"], variables);
  const result = await session.run(script, { step, allow: "any", timeoutSeconds: APPLY_SECONDS });
  const said = (key: string) =>
    result.stdout.split("\n").flatMap((line) => (line.startsWith(key) ? [line.slice(key.length)] : []));
  for (const warning of said("warning=")) ctx.log(warning, "warning");
  const fresh = said("new=");
  const installed = [...new Set([...brought, ...fresh])].sort();
  if (result.code === 0) return { versions: (await look(ctx, wanted.packages)).versions, installed };
  const error =
    refusalOf(session, step, result) ??
    new HostError(`${step}: failed`, {
      host: session.name,
      step,
      code: result.code,
      output: printed(result),
    });
  if (fresh.length === 0) throw error;
  throw new PartialFailure(error, idOf(wanted), {
    versions: (await look(ctx, wanted.packages)).versions,
    installed,
  });
}

/** Removes those of `gone` that this resource installed, and reports what must stay. @returns its packages that remain on the host */
async function remove(ctx: Context, gone: string[], brought: string[], unhold: string[]): Promise<string[]> {
  const own = gone.filter((package_) => brought.includes(package_));
  if (own.length === 0 && unhold.length === 0) return brought;
  const result = await runScript(
    await ctx.session(),
    ["packages-lib", "apt", "packages-remove"],
    { LOCK_SECONDS, NAMES: own.join(" "), BROUGHT: brought.join(" "), UNHOLD: unhold.join(" ") },
    { step: `remove the packages ${gone.sort().join(", ")}`, timeoutSeconds: APPLY_SECONDS },
  );
  const lines = result.stdout.split("\n");
  const kept = lines.flatMap((line) => (line.startsWith("kept=") ? [line.slice(5)] : []));
  if (kept.length > 0)
    ctx.log(`stays on the host, because packages that are not ours need it: ${kept.join(", ")}`, "warning");
  return lines.flatMap((line) => (line.startsWith("left=") ? [line.slice(5)] : []));
}

const idOf = ({ packages }: PackagesInputs): string => Object.keys(packages).sort().join(",").slice(0, 200);

/**
 * Delete: purges what this resource itself brought, then what came with it and nothing needs any more; packages that were there
 * before stay, and so does one that a package of somebody else needs. An update that drops a name does the same for that name.
 */
export const packages: ResourceHandler<PackagesInputs, PackagesOutputs> = {
  type: "host:index:Packages",
  description:
    "Packages of apt, on Debian and Ubuntu. Waits up to 300 s for another apt, and names who holds the lock. Package lists are fetched only if a package is missing and the lists are older than a day or lack it. Changed configuration files stay as they are. Drift: a package that is missing, in another version, or no longer held. Delete: purges what this resource itself brought to the host, including dependencies that nothing else needs.",
  schema: inputs,
  outputs,
  replaceOn: [],
  async create(ctx, wanted) {
    return { id: idOf(wanted), outputs: await apply(ctx, wanted, wanted.hold ? "yes" : "", []) };
  },
  async read(ctx, _id, wanted, outputs) {
    const { versions, within, held } = await look(ctx, wanted.packages);
    if (Object.keys(versions).length === 0) return undefined;
    const found: Bounds = {};
    for (const [package_, text] of Object.entries(wanted.packages)) {
      // One that is not installed is left out: the diff shows it as missing.
      if (package_ in versions) found[package_] = within[package_] ? text : `=${versions[package_]}`;
    }
    const hold = wanted.hold && Object.keys(versions).every((package_) => held[package_]);
    return {
      inputs: { ...wanted, packages: found, hold },
      outputs: { versions, installed: outputs.installed ?? [] },
    };
  },
  async update(ctx, _id, olds, news, outputs) {
    const dropped = Object.keys(olds.packages).filter((package_) => !(package_ in news.packages));
    const left = await remove(ctx, dropped, outputs.installed ?? [], olds.hold ? dropped : []);
    return apply(ctx, news, news.hold ? "yes" : olds.hold ? "no" : "", left);
  },
  async delete(ctx, _id, { packages: wanted, hold }, outputs) {
    const all = Object.keys(wanted);
    await remove(ctx, all, outputs.installed ?? [], hold ? all : []);
  },
};

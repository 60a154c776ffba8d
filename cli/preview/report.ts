/** The report, as Markdown: losses first, then errors, then changes, line by line. */
import type { Change, Kind } from "./changes";
import type { Violation } from "./engine";
import type { EnvironmentPreview } from "./environment";
import { cell, code, fenced, inert, visible } from "./markdown";
import { noticed, productionFirst, type Shared, sharedChanges } from "./together";
import { fit, type Piece } from "./shorten";
import { beginning } from "./textDiff";

/** The size of a comment on GitHub and GitLab, with room to spare. */
export const LIMIT = 64_000;

export interface ReportInput {
  /** Short name of the base's commit, and the name that the person used. */
  base: { commit: string; ref: string };
  /** Name of the work tree, and whether it has uncommitted changes. */
  head: { name: string; edited: boolean };
  environments: EnvironmentPreview[];
  /** Environments that are not affected. */
  untouched: string[];
  /** Affected environments that were not asked for. */
  skipped: string[];
}

export interface Shape {
  /** Maximum number of characters. Default: the size of a comment. */
  limit?: number;
  /** Masks secrets in a line, before its length counts. Default: none. */
  hide?: (line: string) => string;
}

/** More new resources than this are listed without values; it is a whole platform then. */
const DETAILED_CREATIONS = 10;

const HEADINGS: Record<Kind, string> = {
  deleted: "Deleted",
  replaced: "Replaced",
  changed: "Changed",
  created: "Created",
  again: "Run again",
};

export function report(input: ReportInput, { limit = LIMIT, hide = (line) => line }: Shape = {}): string {
  const { base, head } = input;
  const environments = input.environments.map((one) => tidied(one, hide)).sort(productionFirst);
  const shared = sharedChanges(environments);
  const [only] = environments;
  const where = only && environments.length === 1 ? ` in ${cell(only.name)}` : "";
  const pieces: Piece[] = [
    text(
      `# What this change does${where}`,
      "",
      `${code(head.name)}${head.edited ? " with uncommitted changes" : ""}, compared with ${code(base.commit)}, where it branched off ${code(base.ref)}.`,
      "",
    ),
    table(environments),
    ...others(input),
    ...atStake(environments),
    ...problems(environments),
    ...gone(environments),
    ...policies(environments),
    ...shared.flatMap(({ names, changes }) => [
      text("", `## The same in ${names.map(inert).join(", ")}`),
      ...told(changes),
    ]),
    ...environments.flatMap((one) => details(one, shared)),
    ...unchanged(environments),
  ];
  const clean = ({ lines, fence }: Piece) => ({ lines: lines.map((line) => visible(hide(line))), fence });
  return fit(pieces.map(clean), small(environments).map(clean), limit);
}

const text = (...lines: string[]): Piece => ({ lines });

/** Output of programs as lines. Secrets are masked before a line is cut, because half a secret would not be recognized. */
function tidied(one: EnvironmentPreview, hide: (line: string) => string): EnvironmentPreview {
  const tidy = (said: string) =>
    said
      .split("\n")
      .map((line) => beginning(hide(line)))
      .join("\n");
  return {
    ...one,
    errors: one.errors.map(tidy),
    notes: one.notes.map(tidy),
    warnings: one.warnings.map(tidy),
    violations: one.violations.map((found) => ({ ...found, message: tidy(found.message) })),
  };
}

function table(environments: EnvironmentPreview[]): Piece {
  if (environments.length === 0) return text("No environment is affected.");
  const count = (one: EnvironmentPreview, kind: Kind) =>
    String(one.changes.filter((change) => change.kind === kind).length);
  const rows = environments.map((one) => {
    const kinds = (["created", "changed", "replaced", "deleted"] as const).map((kind) => count(one, kind));
    return `| ${[cell(one.name), ...kinds, verdict(one), one.comparedWith || "—"].join(" | ")} |`;
  });
  return text(
    "| environment | created | changed | replaced | deleted | | compared with |",
    "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ...rows,
  );
}

function verdict(one: EnvironmentPreview): string {
  const words = [
    one.removed ? "**no longer managed**" : "",
    one.errors.length > 0 ? `**${counted(one.errors.length, "error")}**` : "",
    [...one.changes, ...one.pending].some(({ stakes }) => stakes.length > 0) ? "**data at stake**" : "",
    violated(one, "mandatory") > 0 ? `**${counted(violated(one, "mandatory"), "policy violation")}**` : "",
    violated(one, "advisory") > 0 ? counted(violated(one, "advisory"), "advisory violation") : "",
    one.drift && one.drift.length > 0 ? "drift" : "",
    one.pending.length > 0 ? `${one.pending.length} pending before` : "",
  ];
  return words.filter(Boolean).join(", ");
}

const violated = ({ violations }: EnvironmentPreview, wanted: string) =>
  violations.filter(({ level }) => level === wanted).length;

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function others({ environments, untouched, skipped }: ReportInput): Piece[] {
  return [
    ...(untouched.length > 0 && environments.length > 0
      ? [text("", `Untouched: ${untouched.map(inert).join(", ")}.`)]
      : []),
    ...(skipped.length > 0
      ? [text("", `Affected, but not previewed: ${skipped.map(inert).join(", ")}.`)]
      : []),
  ];
}

function atStake(environments: EnvironmentPreview[]): Piece[] {
  const lines = environments.flatMap((one) =>
    [...one.changes, ...one.pending].flatMap(({ stakes }) =>
      stakes.map((stake) => `- ${inert(one.name)}: ${stake}`),
    ),
  );
  return lines.length > 0 ? [text("", "## Data at stake", "", ...lines)] : [];
}

function problems(environments: EnvironmentPreview[]): Piece[] {
  return environments
    .filter(({ errors }) => errors.length > 0)
    .flatMap(({ name, errors }) => [
      text("", `## ${inert(name)}: ${counted(errors.length, "error")}`, ""),
      { fence: "text", lines: errors.flatMap((error) => error.split("\n")) },
    ]);
}

function gone(environments: EnvironmentPreview[]): Piece[] {
  return environments
    .filter(({ removed }) => removed)
    .map(({ name }) =>
      text(
        "",
        `${cell(name)}: its file was removed. Its host stays as it is; to clean it up, run ${code(`pulumi destroy -s ${name}`)} from a commit that still has the file.`,
      ),
    );
}

function policies(environments: EnvironmentPreview[]): Piece[] {
  // The engine's order differs from run to run.
  const order = ({ level, policy, resource }: Violation) =>
    `${level === "mandatory" ? 0 : 1} ${policy} ${resource}`;
  const lines = together(environments, ({ violations }) =>
    [...violations]
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .map(({ policy, level, resource, message }) => {
        const where = resource ? ` at ${code(resource)}` : "";
        return `**${inert(policy)}** (${inert(level)})${where}: ${inert(message.split("\n").join(" "))}`;
      }),
  );
  return lines.length > 0 ? [text("", "## Policy violations", "", ...lines)] : [];
}

/** Violations that several environments share are listed once. */
function together(
  environments: EnvironmentPreview[],
  tell: (environment: EnvironmentPreview) => string[],
): string[] {
  const names = new Map<string, string[]>();
  for (const one of environments)
    for (const line of tell(one)) names.set(line, [...(names.get(line) ?? []), inert(one.name)]);
  return [...names].map(([line, where]) => `- ${[...new Set(where)].join(", ")}: ${line}`);
}

function details(one: EnvironmentPreview, shared: Shared[]): Piece[] {
  if (isUnchanged(one) || (one.errors.length > 0 && one.changes.length === 0)) return [];
  const own = one.changes.filter((change) => !shared.some(({ all }) => all.has(change)));
  const [lead, before, found] = [noticed(one.changes), pending(one), drift(one)];
  return [
    text("", `## ${inert(one.name)}`),
    ...(lead ? [text("", lead)] : []),
    ...(one.changes.length === 0 ? [text("", "Nothing changes.")] : []),
    ...(own.length < one.changes.length
      ? [text("", own.length === 0 ? "What changes is above." : "Beside what is above:")]
      : []),
    ...(one.errors.length > 0 ? [text("", "**Incomplete: the preview ended with an error.**")] : []),
    ...told(own),
    ...before,
    ...found,
  ];
}

/** Changes by their kinds, what is lost first. */
function told(changes: Change[]): Piece[] {
  const again = changes.filter(({ kind }) => kind === "again").map(({ name }) => code(name));
  return [
    ...(["deleted", "replaced", "changed", "created"] as const).flatMap((kind) => ofKind(changes, kind)),
    ...(again.length > 0 ? [text("", `Run again, because of the above: ${again.join(", ")}.`)] : []),
    ...unknown(changes),
  ];
}

const isUnchanged = ({ changes, pending: before, drift: found, errors }: EnvironmentPreview) =>
  changes.length === 0 && before.length === 0 && found === undefined && errors.length === 0;

function unchanged(environments: EnvironmentPreview[]): Piece[] {
  const names = environments.filter((one) => isUnchanged(one) && !one.removed).map(({ name }) => inert(name));
  return names.length > 0 ? [text("", `Without changes: ${names.join(", ")}.`)] : [];
}

function ofKind(all: Change[], kind: Kind): Piece[] {
  const changes = all.filter((change) => change.kind === kind);
  if (changes.length === 0) return [];
  const bare = kind === "deleted" || (kind === "created" && changes.length > DETAILED_CREATIONS);
  if (bare)
    return [
      text(
        "",
        `### ${HEADINGS[kind]}`,
        "",
        ...changes.map(({ name, type }) => `- ${code(name)} (${inert(type)})`),
      ),
    ];
  return changes.flatMap((change) => [
    text("", `### ${HEADINGS[kind]}: ${code(change.name)} (${inert(change.type)})`),
    ...partsOf(change),
  ]);
}

function partsOf({ parts, kind, stakes }: Change): Piece[] {
  const none =
    kind === "replaced"
      ? "Because something it depends on is replaced."
      : "Only options of the resource change.";
  if (parts.length === 0) return stakes.length > 0 ? [] : [text("", none)];
  return parts.flatMap(({ path, lines }) => [
    text("", ...(path ? [`${code(path)}:`, ""] : [])),
    { fence: "diff", lines },
  ]);
}

function pending({ pending: changes }: EnvironmentPreview): Piece[] {
  if (changes.length === 0) return [];
  const words = (kind: Kind) => (kind === "again" ? "run again" : kind);
  return [
    text("", "### Pending: merged earlier and not applied, so the next `up` does these too"),
    ...changes.flatMap((change) => [
      text("", `${code(change.name)} (${inert(change.type)}): ${words(change.kind)}`),
      ...(["changed", "replaced"].includes(change.kind) ? partsOf(change) : []),
    ]),
  ];
}

/** A refresh reports from the host's side: an `up` reverts what it calls changed. */
function drift({ drift: changes, repairs }: EnvironmentPreview): Piece[] {
  if (!changes) return [];
  const heading = text("", "### Drift: differences on the host since the last `up`");
  if (changes.length === 0) return [heading, text("", "None.")];
  const then = repairs
    ? "The plan reverts it, as part of the changes above."
    : "Only an `up` with `--refresh` reverts it.";
  return [
    heading,
    text("", then),
    ...changes.flatMap((change) => [
      text(
        "",
        `${code(change.name)} (${inert(change.type)}): ${change.kind === "deleted" ? "is gone" : change.kind}`,
      ),
      ...(change.kind === "deleted" ? [] : partsOf(change)),
    ]),
  ];
}

function unknown(changes: Change[]): Piece[] {
  const lines = changes
    .filter((change) => change.unknown.length > 0)
    .map((change) => `- ${code(change.name)}: ${change.unknown.map(code).join(", ")}`);
  return lines.length > 0 ? [text("", "### Known only after the host has answered", "", ...lines)] : [];
}

/** Assumptions and limits of this report. */
function small(environments: EnvironmentPreview[]): Piece[] {
  const lines = together(environments, (one) => [
    ...(one.dummies.length > 0 ? [`placeholders stand in for ${one.dummies.join(", ")}`] : []),
    ...[...one.notes, ...one.warnings].map(withDetails),
    ...(one.because.length > 0 ? [`previewed because of ${some(one.because)}`] : []),
  ]);
  return lines.length > 0
    ? [text("", "## How this was made", "", ...lines.flatMap((line) => line.split("\n")))]
    : [];
}

/** The first line is a sentence; the rest is the output of a program. */
function withDetails(note: string): string {
  const [first = "", ...rest] = note.split("\n");
  if (rest.length === 0) return inert(first);
  return [inert(first), "", ...fenced(rest, "text").map((line) => `  ${line}`), ""].join("\n");
}

function some(files: string[]): string {
  const shown = files.slice(0, 3).map(code);
  return (
    shown.join(", ") + (files.length > shown.length ? ` and ${files.length - shown.length} more files` : "")
  );
}

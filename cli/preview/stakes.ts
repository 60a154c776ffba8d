/** The data that a step loses, hides or no longer protects. The report shows it first. */
import { nameOf, type ResourceState, type Step } from "./engine";
import { code } from "./markdown";

type Values = Record<string, unknown>;

const VOLUME = "docker:index/volume:Volume";
const SECRET = "docker:index/secret:Secret";
const FUNCTION_SECRET = "openfaas:index:FunctionSecret";
const SERVICE = "docker:index/service:Service";
const MEMBER = "host:index:SwarmMember";
const CONNECTION = "pulumi:providers:host";

/** One sentence per loss. */
export function stakesOf(step: Step): string[] {
  const gone = step.op === "delete" || step.op === "replace";
  return [
    ...(gone ? lost(step) : []),
    ...(step.old && step.new
      ? [...flags(step), ...address(step), ...country(step), ...mounts(step), ...functionSecrets(step)]
      : []),
  ];
}

function lost({ op, type, urn, old }: Step): string[] {
  const how = op === "delete" ? "is deleted" : "is replaced";
  const name = code(text(old?.inputs?.name) ?? nameOf(urn));
  switch (type) {
    case VOLUME:
      return [
        old?.retainOnDelete
          ? `volume ${name} ${how}: it stays on the host with its data, but is no longer managed`
          : `volume ${name} ${how}: **its data is lost**`,
      ];
    case MEMBER:
      return [
        `the membership of the swarm ${how}: **the swarm's services, secrets and networks are deleted too**`,
      ];
    case FUNCTION_SECRET:
      return [
        `secret ${name} of functions ${how}: its value then exists only in the environment's configuration`,
      ];
    case SECRET:
      return [`secret ${name} ${how}: services that use it restart${op === "delete" ? " without it" : ""}`];
    case "host:index:Password":
      return [`the password ${code(nameOf(urn))} ${how}: **the old one stops working**`];
    default:
      return isMarked(old) ? [`${code(nameOf(urn))} was marked to be kept, but ${how}`] : [];
  }
}

/** Somebody marked it to be kept. */
const isMarked = (old: ResourceState | null | undefined) =>
  old?.protect === true || old?.retainOnDelete === true;

function flags({ urn, old, new: news }: Step): string[] {
  const name = code(text(old?.inputs?.name) ?? nameOf(urn));
  return [
    ...(old?.retainOnDelete && !news?.retainOnDelete
      ? [`${name} is no longer kept: **deleting it later deletes its data**`]
      : []),
    ...(old?.protect && !news?.protect ? [`${name} is no longer protected against deletion`] : []),
  ];
}

/** For the engine this is a provider's setting: it assumes that all resources are unchanged, whichever host they are on now. */
function address({ type, old, new: news }: Step): string[] {
  const [before, after] = [text(old?.inputs?.host), text(news?.inputs?.host)];
  if (type !== CONNECTION || before === undefined || before === after) return [];
  return [
    `the host changes from ${code(before)} to ${after === undefined ? "one that is not known yet" : code(after)}: **if that is another machine, it has nothing of this environment, including its data, and an \`up\` without \`--refresh\` does not notice**`,
  ];
}

/** Where the data is, is what the swarm's node says. */
function country({ type, old, new: news }: Step): string[] {
  if (type !== MEMBER) return [];
  const of = (state: ResourceState | null | undefined) =>
    text((state?.inputs?.labels as Values | undefined)?.["no.oslo-faas.country"]);
  const [before, after] = [of(old), of(news)];
  if (before === undefined || after === undefined || before === after) return [];
  return [
    `the environment stands in ${code(after)}, no longer in ${code(before)}: **its data leaves the country**`,
  ];
}

/** A volume that a service mounts no longer, or elsewhere, is out of its sight. */
function mounts({ type, urn, old, new: news }: Step): string[] {
  if (type !== SERVICE) return [];
  const after = volumesOf(news);
  return [...volumesOf(old)]
    .filter(([target, source]) => after.get(target) !== source)
    .map(
      ([target, source]) =>
        `service ${code(text(old?.inputs?.name) ?? nameOf(urn))} no longer mounts volume ${code(source)} at ${code(target)}: **it starts without that data**`,
    );
}

function volumesOf(state: ResourceState | null | undefined): Map<string, string> {
  const container = ((state?.inputs?.taskSpec as Values | undefined)?.containerSpec ?? {}) as Values;
  const list = Array.isArray(container.mounts) ? (container.mounts as Values[]) : [];
  return new Map(
    list
      .filter(({ type }) => type === "volume")
      .map(({ target, source }) => [String(target), String(source)]),
  );
}

function functionSecrets({ type, old, new: news }: Step): string[] {
  if (type !== "openfaas:index:Function") return [];
  const names = (state: ResourceState | null | undefined) =>
    Array.isArray(state?.inputs?.secrets) ? (state.inputs.secrets as string[]) : [];
  return names(old)
    .filter((name) => !names(news).includes(name))
    .map((name) => `function ${code(text(old?.inputs?.name) ?? "")} loses its secret ${code(name)}`);
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

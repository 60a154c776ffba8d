import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { parseImage } from "../../shared/image";
import { known } from "./known";
import { hasLockedImages, stackOf } from "./stack";

interface Image {
  reference: string;
  name: string;
  urn: string;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

interface TaskSpec {
  containerSpec?: { image?: unknown };
}

const READERS: Record<string, (props: Record<string, unknown>) => string | undefined> = {
  "docker:index/service:Service": (props) =>
    text((props.taskSpec as TaskSpec | undefined)?.containerSpec?.image),
  "docker:index/container:Container": (props) => text(props.image),
  "openfaas:index:Function": (props) => text(props.image),
  // What is built on the host is judged where it runs.
  "docker:index/remoteImage:RemoteImage": (props) => (props.build ? undefined : text(props.name)),
};

/** What runs, by whatever resource. */
function images(resources: PolicyResource[]): Image[] {
  return resources.flatMap(({ type, props, name, urn }) => {
    const reference = known(() => READERS[type]?.(props));
    return reference ? [{ reference, name, urn }] : [];
  });
}

/** With the path, so that a registry can be allowed for one part of it. */
function location(reference: string): string {
  const { domain, path } = parseImage(reference);
  return `${domain}/${path}`;
}

export const allowedRegistries: StackValidationPolicy = {
  name: "images-from-allowed-registries",
  description: "Images come from the allowed registries.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: {
      registries: {
        type: "array",
        items: { type: "string" },
        default: ["docker.io", "ghcr.io", "localhost/oslo-faas"],
        description: "Registries, each with or without the beginning of a path.",
      },
    },
  },
  validateStack: ({ resources, ...rest }, reportViolation) => {
    const { registries } = rest.getConfig<{ registries: string[] }>();
    for (const { reference, name, urn } of images(resources)) {
      const place = known(() => location(reference));
      if (place && registries.some((allowed) => place === allowed || place.startsWith(`${allowed}/`)))
        continue;
      reportViolation(`${name} runs ${reference}, which is from none of ${registries.join(", ")}`, urn);
    }
  },
};

/** From this project, under a name that no registry serves; the tag is the hash of what it is made of, or the id of an image loaded there. */
const OWN = /^localhost\/oslo-faas\/[a-z0-9-]+:([0-9a-f]{12}|[0-9a-f]{64})$/;
const REMEDY = "(npx oslo-faas images lock)";

/** References by tag, each once. */
function byTag(resources: PolicyResource[]): string[] {
  const references = images(resources).map(({ reference }) => reference);
  return [...new Set(references)].filter((one) => !one.includes("@sha256:") && !OWN.test(one)).sort();
}

const isLocked = (resources: PolicyResource[], hasLock: (stack: string) => boolean): boolean =>
  resources.length > 0 && hasLock(stackOf(resources[0]!.urn));

/**
 * As soon as anything is locked, everything is: a tag that was changed and not locked again is what this rule is there for.
 * @param hasLock whether anything is locked for a stack. Default: its lock file says
 */
export const pinnedImages = (hasLock = hasLockedImages): StackValidationPolicy => ({
  name: "images-pinned",
  description: "Images are pinned by digest, where any is.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, reportViolation) => {
    const open = byTag(resources);
    // One for all of them: they are all resolved by one command.
    if (open.length > 0 && isLocked(resources, hasLock))
      reportViolation(`not pinned by digest: ${open.join(", ")} ${REMEDY}`);
  },
});

/** What `images-pinned` cannot ask for. */
export const unjudgedImages = (hasLock = hasLockedImages): StackValidationPolicy => ({
  name: "images-not-judged",
  description: "Images are locked.",
  enforcementLevel: "advisory",
  validateStack: ({ resources }, reportViolation) => {
    const open = byTag(resources);
    if (open.length > 0 && !isLocked(resources, hasLock))
      reportViolation(`nothing is locked yet, so these run by their tags: ${open.join(", ")} ${REMEDY}`);
  },
});

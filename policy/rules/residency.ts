import type { StackValidationPolicy } from "@pulumi/policy";
import { known } from "./known";
import { isProduction } from "../../shared/production";
import { PRODUCTION_CONFIG } from "./production";
import { saidOfProduction, stackOf } from "./stack";

const MEMBER = "host:index:SwarmMember";
const LABEL = "no.oslo-faas.country";

interface Config {
  country: string;
  production: string;
}

/** Every node of a production environment says where it stands, and stands in Norway. */
export const productionInNorway: StackValidationPolicy = {
  name: "production-in-norway",
  description: "A production environment is located in Norway.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: {
      country: { type: "string", default: "NO", description: "The country, ISO 3166." },
      ...PRODUCTION_CONFIG,
    },
  },
  validateStack: ({ resources, ...rest }, reportViolation) => {
    const { country, production } = rest.getConfig<Config>();
    const [first] = resources;
    const stack = first && stackOf(first.urn);
    if (stack === undefined || !isProduction(stack, saidOfProduction(stack), production)) return;
    const members = resources.filter(({ type }) => type === MEMBER);
    // Without one, nothing says where the data is.
    if (members.length === 0) reportViolation(`no ${MEMBER} says in which country this environment stands`);
    for (const { props, name, urn } of members) {
      const found = known(() => (props.labels as Record<string, unknown> | undefined)?.[LABEL]);
      if (found !== country)
        reportViolation(
          `${name} stands in ${JSON.stringify(found ?? "an unnamed country")}, not in ${JSON.stringify(country)} (location.country)`,
          urn,
        );
    }
  },
};

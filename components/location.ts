import type { Environment } from "../environment";

/** Where an environment stands, as labels of what runs there: of the swarm's node, of services and of functions. */
export function locationLabels({ country, city, provider }: Environment["location"]): Record<string, string> {
  return {
    "no.oslo-faas.country": country,
    "no.oslo-faas.city": city,
    "no.oslo-faas.provider": provider,
  };
}

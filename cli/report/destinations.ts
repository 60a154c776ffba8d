/** Every address outside of the host, out of the configuration and of what the host says. */
import { parse } from "ipaddr.js";
import { isIP } from "node:net";
import { parseImage, withRegistry } from "../../shared/image";
import type { Say } from "./language";
import type { Destination, Given } from "./model";

type Found = Omit<Destination, "country">;

/** Where packages of a language come from while a function is built. */
const PACKAGES: Record<string, string> = {
  node: "registry.npmjs.org",
  python: "pypi.org",
  go: "proxy.golang.org",
};

export function destinationsOf(given: Given, say: Say): Destination[] {
  const { countries } = given.environment.privacy;
  const found = [
    ...alerts(given, say),
    ...certificates(given, say),
    ...images(given, say),
    ...packages(given, say),
    ...builds(given, say),
    ...network(given, say),
    ...access(given, say),
  ];
  const outside = found.filter(({ address }) => !isLoopback(address));
  const once = new Map(outside.map((one) => [`${one.purpose}\0${one.address}`, one]));
  return [...once.values()].map((one) => ({ ...one, country: countries[one.address] }));
}

/** What has no address before somebody calls. */
export function openOnes({ environment, host }: Given, say: Say): string[] {
  const { containersReach } = environment.firewall;
  const inside = containersReach.length > 0 ? containersReach.join(", ") : say("none", "ingen");
  return [
    say(
      "Functions can reach the internet, and call what their code names. What that is, their authors know; it belongs in `privacy.recipients`.",
      "Funksjoner når internett og kan kalle det koden deres navngir. Hva det er, vet de som har skrevet dem; det hører hjemme i `privacy.recipients`.",
    ),
    say(
      "The caller of an asynchronous call can name an address for its answer (`X-Callback-Url`).",
      "Den som gjør et asynkront kall, kan oppgi en adresse for svaret (`X-Callback-Url`).",
    ),
    say(
      `Private networks that both can reach (\`firewall.containersReach\`): ${inside}.`,
      `Private nett som begge når (\`firewall.containersReach\`): ${inside}.`,
    ),
    ...(host
      ? []
      : [
          say(
            "The mirrors of the distribution's packages, time servers and name servers are the host's own settings, and not known without it.",
            "Speilene for distribusjonens pakker, tidstjenere og navnetjenere er vertens egne innstillinger og ikke kjent uten den.",
          ),
        ]),
  ];
}

function alerts({ environment, secrets }: Given, say: Say): Found[] {
  const { webhook, email } = environment.alerts;
  const purpose = say("alerts", "varsler");
  const sent = say(
    "names of alerts, services and functions, and measured numbers",
    "navn på varsler, tjenester og funksjoner, og målte tall",
  );
  return [
    ...(webhook ? [{ purpose, address: hostOf(webhook.url), sent, source: "alerts.webhook.url" }] : []),
    ...(secrets.includes("alertWebhookUrl")
      ? [{ purpose, address: say("(secret)", "(hemmelig)"), sent, source: "alertWebhookUrl" }]
      : []),
    ...(email
      ? [{ purpose, address: withoutPort(email.smarthost), sent, source: "alerts.email.smarthost" }]
      : []),
  ];
}

function certificates({ environment }: Given, say: Say): Found[] {
  const { auto } = environment.nginx.tls ?? {};
  if (!auto) return [];
  const sent = say(
    "names of the host, its address, nginx.tls.auto.email; certificates of public authorities are published",
    "vertens navn og adresse, nginx.tls.auto.email; sertifikater fra offentlige utstedere publiseres",
  );
  return [
    {
      purpose: say("certificates", "sertifikater"),
      address: hostOf(auto.directory),
      sent,
      source: "nginx.tls.auto.directory",
    },
  ];
}

function images({ environment, images: names }: Given, say: Say): Found[] {
  const { registryMirrors } = environment.docker;
  const purpose = say("images", "images");
  const sent = say("names of images, the host's address", "navn på images, vertens adresse");
  const registries = names.map((name) => withoutPort(parseImage(withRegistry(name)).domain));
  return [
    ...registries.map((address) => ({ purpose, address, sent, source: "images" })),
    ...registryMirrors.map((url) => ({
      purpose,
      address: hostOf(url),
      sent,
      source: "docker.registryMirrors",
    })),
  ];
}

function packages({ environment, host }: Given, say: Say): Found[] {
  const { source, repository } = environment.docker;
  const purpose = say("packages and updates", "pakker og oppdateringer");
  const sent = say("names of packages, the host's address", "navn på pakker, vertens adresse");
  const named =
    source === "docker" ? [repository.uri, ...(repository.keyUrl ? [repository.keyUrl] : [])] : [];
  const seen = (host?.apt ?? []).map(hostOf);
  const configured = named.map(hostOf).filter((address) => !seen.includes(address));
  return [
    ...configured.map((address) => ({ purpose, address, sent, source: "docker.repository" })),
    ...seen.map((address) => ({ purpose, address, sent, source: "apt-get indextargets" })),
  ].filter(({ address }) => address !== "");
}

function builds({ environment, functions }: Given, say: Say): Found[] {
  if (environment.images.own !== "build" || environment.images.functions === "loaded") return [];
  const languages = functions.flatMap(({ build }) => (build ? [build.lang] : []));
  return [...new Set(languages)]
    .filter((language) => Object.hasOwn(PACKAGES, language))
    .map((language) => ({
      purpose: say("packages of functions, while they are built", "pakker til funksjoner, mens de bygges"),
      address: PACKAGES[language]!,
      sent: say("names of packages, the host's address", "navn på pakker, vertens adresse"),
      source: "images.own",
    }));
}

function network({ host }: Given, say: Say): Found[] {
  const address = say("the host's address", "vertens adresse");
  const names = say("names that the host and functions look up", "navn som verten og funksjoner slår opp");
  return [
    ...(host?.time ?? []).map((server) => ({
      purpose: say("time", "klokke"),
      address: server,
      sent: address,
      source: "timedatectl",
    })),
    ...(host?.dns ?? []).map((server) => ({
      purpose: say("names (DNS)", "navneoppslag (DNS)"),
      address: server,
      sent: names,
      source: "/etc/resolv.conf",
    })),
  ];
}

/** Access from elsewhere is a transfer too, as Datatilsynet counts. */
function access({ environment }: Given, say: Say): Found[] {
  const { jump } = environment.host;
  if (!jump) return [];
  return [
    {
      purpose: say("administration by SSH", "administrasjon over SSH"),
      address: jump.address,
      sent: say("the administrators' encrypted connection", "administratorenes krypterte forbindelse"),
      source: "host.jump",
    },
  ];
}

/** Empty for a folder on the host. */
const hostOf = (url: string): string =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";

const withoutPort = (text: string): string => text.replace(/:\d+$/, "");

const isLoopback = (address: string): boolean =>
  address === "localhost" || (isIP(address) !== 0 && parse(address).range() === "loopback");

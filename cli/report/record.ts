/** The record of processing in the fields of GDPR Article 30(1), and how long the platform keeps what. */
import type { Environment } from "../../environment/schema";
import { seconds } from "../../environment/units";
import { isInEea, type Say } from "./language";
import type { Destination, Field, Given, Retention } from "./model";

type Privacy = Environment["privacy"];
type Party = NonNullable<Privacy["controller"]>;

const DAY = 86_400;

/** Keys that a record cannot do without, and that no program can fill in. */
const NEEDED = [
  "controller",
  "purposes",
  "dataSubjects",
  "dataCategories",
  "recipients",
  "retention",
] as const satisfies (keyof Privacy)[];

export function missingKeys({ environment }: Given, destinations: Destination[]): string[] {
  const { privacy } = environment;
  const unplaced = destinations.filter(({ country, address }) => !country && !address.startsWith("("));
  return [
    ...NEEDED.filter((key) => privacy[key] === undefined).map((key) => `privacy.${key}`),
    ...(privacy.recipients ?? []).flatMap(({ country, safeguards }, i) =>
      isInEea(country) || safeguards ? [] : [`privacy.recipients[${i}].safeguards`],
    ),
    ...new Set(unplaced.map(({ address }) => `privacy.countries["${address}"]`)),
  ];
}

export function recordOf(
  given: Given,
  destinations: Destination[],
  retention: Retention[],
  say: Say,
): Field[] {
  const { privacy, location } = given.environment;
  const none = say("none", "ingen");
  const missing = (key: keyof Privacy) =>
    say(`**missing**: \`privacy.${key}\``, `**mangler**: \`privacy.${key}\``);
  const listed = (key: "purposes" | "dataSubjects" | "dataCategories") =>
    privacy[key] ? orNone(privacy[key], none) : [missing(key)];
  const field = (letter: string, name: string, values: string[]): Field => ({ letter, name, values });
  const place = `${location.provider}, ${location.city}, ${location.country}`;
  return [
    field("a", say("Controller", "Behandlingsansvarlig"), [
      privacy.controller ? partyText(privacy.controller) : missing("controller"),
    ]),
    field(
      "a",
      say("Joint controllers", "Felles behandlingsansvarlige"),
      orNone(privacy.jointControllers.map(partyText), none),
    ),
    field("a", say("Representative", "Representant"), [
      privacy.representative ? partyText(privacy.representative) : none,
    ]),
    field("a", say("Data protection officer", "Personvernombud"), [
      privacy.dataProtectionOfficer ? partyText(privacy.dataProtectionOfficer) : none,
    ]),
    field("b", say("Purposes", "Formål"), listed("purposes")),
    field("c", say("Categories of data subjects", "Kategorier av registrerte"), listed("dataSubjects")),
    field(
      "c",
      say("Categories of personal data", "Kategorier av personopplysninger"),
      listed("dataCategories"),
    ),
    field("d", say("Recipients", "Mottakere"), [
      say(`operator of the host: ${place}`, `driver av verten: ${place}`),
      ...(privacy.recipients
        ? privacy.recipients.map(({ name, country }) => `${name}, ${country}`)
        : [missing("recipients")]),
    ]),
    field(
      "e",
      say("Transfers out of the EEA", "Overføringer ut av EØS"),
      transfers(given, destinations, say),
    ),
    field("f", say("Time limits for erasure", "Tidsfrister for sletting"), [
      ...(privacy.retention
        ? privacy.retention.map(({ data, days }) => `${data}: ${days} ${say("days", "dager")}`)
        : [missing("retention")]),
      ...retention.map(({ data, time }) => `${data}: ${time}`),
    ]),
    field("g", say("Security measures", "Sikkerhetstiltak"), [
      say("see Measures below", "se Tiltak nedenfor"),
    ]),
  ];
}

const orNone = (values: string[], none: string): string[] => (values.length > 0 ? values : [none]);

const partyText = ({ name, contact }: Party): string => `${name}, ${contact}`;

function transfers({ environment }: Given, destinations: Destination[], say: Say): string[] {
  const { recipients = [] } = environment.privacy;
  const unplaced = destinations.some(({ country }) => country === undefined);
  const none = unplaced
    ? say("none to the countries that are named", "ingen til landene som er oppgitt")
    : say("none", "ingen");
  const technical = destinations.filter(({ country }) => country !== undefined && !isInEea(country));
  const found = [
    ...recipients
      .filter(({ country }) => !isInEea(country))
      .map(
        ({ name, country, safeguards }) =>
          `${name}, ${country}: ${safeguards ?? say("**missing**: safeguards", "**mangler**: garantier")}`,
      ),
    ...technical.map(({ address, country, sent }) => `${address}, ${country}: ${sent}`),
  ];
  return orNone(found, none);
}

export function retentionOf({ environment, host }: Given, say: Say): Retention[] {
  const { docker, openfaas } = environment;
  const days = (count: number) => say(`${count} days`, `${count} dager`);
  const notAsked = say("not known without the host", "ikke kjent uten verten");
  return [
    {
      data: say(
        `access log (addresses ${environment.nginx.logAddresses})`,
        `tilgangslogg (adresser ${environment.nginx.logAddresses === "whole" ? "hele" : "forkortet"})`,
      ),
      time: host ? logTime(host.logs, say) : notAsked,
      source: "/etc/logrotate.d/nginx",
    },
    {
      data: say("the host's journal", "vertens journal"),
      time: host ? journalTime(host.journald, say) : notAsked,
      source: "/etc/systemd/journald.conf",
    },
    {
      data: say("output of services and functions", "utskrift fra tjenester og funksjoner"),
      time: say(
        `by size: ${docker.logMaxFiles} files of ${docker.logMaxSize} for each container, and gone with it`,
        `etter størrelse: ${docker.logMaxFiles} filer à ${docker.logMaxSize} per container, og borte med den`,
      ),
      source: "docker.logMaxSize, docker.logMaxFiles",
    },
    {
      data: say("asynchronous calls that wait", "asynkrone kall som venter"),
      time: say("until they are done", "til de er utført"),
      source: "openfaas.queue",
    },
    {
      data: say("asynchronous calls that failed for good", "asynkrone kall som feilet for godt"),
      time: days(openfaas.queue.dead.days),
      source: "openfaas.queue.dead.days",
    },
    {
      data: say("measurements (no bodies, no addresses)", "måledata (uten innhold og adresser)"),
      time: days(Math.ceil(seconds(openfaas.prometheusRetention) / DAY)),
      source: "openfaas.prometheusRetention",
    },
  ];
}

/** logrotate counts files, one each day, week or month. */
function logTime({ every, kept, days }: NonNullable<Given["host"]>["logs"], say: Say): string {
  const length = { daily: 1, weekly: 7, monthly: 31 }[every ?? ""];
  const bounds = [
    ...(length !== undefined && kept !== undefined ? [length * kept] : []),
    ...(days !== undefined ? [days] : []),
  ];
  if (bounds.length === 0) return say("**not limited**", "**ikke begrenset**");
  return say(`${Math.min(...bounds)} days`, `${Math.min(...bounds)} dager`);
}

function journalTime(journald: Record<string, string>, say: Say): string {
  const { MaxRetentionSec, SystemMaxUse, RuntimeMaxUse, Storage } = journald;
  if (MaxRetentionSec && MaxRetentionSec !== "0") return MaxRetentionSec;
  const size =
    (Storage === "volatile" ? RuntimeMaxUse : SystemMaxUse) ?? say("10 % of the disk", "10 % av disken");
  return say(`by size: ${size}`, `etter størrelse: ${size}`);
}

/** The report as Markdown. */
import { cell, code } from "../preview/markdown";
import { type Language, type Say, sayIn } from "./language";
import type { Compliance, Measure } from "./model";

export function render(report: Compliance, language: Language): string {
  const say = sayIn(language);
  const blocks = [
    head(report, say),
    missing(report, say),
    record(report, say),
    destinations(report, say),
    retention(report, say),
    measures(report, say),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function head({ environment, at, unmeasured }: Compliance, say: Say): string[] {
  return [
    `# ${say("Processing and security", "Behandling og sikkerhet")}: ${cell(environment)}`,
    "",
    say(
      `Written by oslo-faas at ${minute(at)}, from the environment's configuration${unmeasured ? "" : " and from what its host reported then"}. It states what is set and what was measured. It is no assessment and no legal advice.`,
      `Skrevet av oslo-faas ${minute(at)}, ut fra miljøets konfigurasjon${unmeasured ? "" : " og det verten svarte i øyeblikket"}. Den sier hva som er satt opp og hva som er målt. Den er ingen vurdering og ikke juridisk rådgivning.`,
    ),
    ...(unmeasured
      ? [
          "",
          say(
            `**Nothing was measured**: ${cell(unmeasured)}. Everything here is from the configuration alone.`,
            `**Ingenting er målt**: ${cell(unmeasured)}. Alt her er fra konfigurasjonen alene.`,
          ),
        ]
      : []),
  ];
}

function missing({ missing: keys, environment }: Compliance, say: Say): string[] {
  const title = `## ${say("Still to be filled in", "Mangler ennå")}`;
  if (keys.length === 0) return [title, "", say("Nothing.", "Ingenting.")];
  return [
    title,
    "",
    say(
      `Only a person can say these. They are keys in \`stacks/Pulumi.${environment}.yaml\`, which docs/configuration.md describes:`,
      `Dette kan bare et menneske si. Det er nøkler i \`stacks/Pulumi.${environment}.yaml\`, som docs/configuration.md beskriver:`,
    ),
    "",
    ...keys.map((key) => `- ${code(key)}`),
  ];
}

function record({ record: fields }: Compliance, say: Say): string[] {
  return [
    `## ${say("Record of processing (GDPR, Article 30(1))", "Protokoll over behandlingsaktiviteter (GDPR artikkel 30 nr. 1)")}`,
    "",
    ...table(
      ["", say("field", "felt"), say("value", "verdi")],
      fields.map(({ letter, name, values }) => [letter, name, values.map(cell).join("<br>")]),
    ),
  ];
}

function destinations({ destinations: all, open }: Compliance, say: Say): string[] {
  const unnamed = say("**not named**", "**ikke oppgitt**");
  return [
    `## ${say("What leaves the host", "Hva som forlater verten")}`,
    "",
    say(
      "The platform sends nothing out of the host unless a destination is named here or below. Countries are those that `privacy.countries` names; nobody measures where a machine is.",
      "Plattformen sender ingenting ut av verten uten at målet er oppgitt her eller nedenfor. Landene er dem som `privacy.countries` oppgir; ingen måler hvor en maskin står.",
    ),
    "",
    ...table(
      [
        say("for", "for"),
        say("address", "adresse"),
        say("country", "land"),
        say("what is sent", "hva som sendes"),
        say("from", "fra"),
      ],
      all.map(({ purpose, address, country, sent, source }) => [
        cell(purpose),
        cell(address),
        country ?? unnamed,
        cell(sent),
        cell(code(source)),
      ]),
    ),
    "",
    ...open.map((line) => `- ${line}`),
  ];
}

function retention({ retention: all }: Compliance, say: Say): string[] {
  return [
    `## ${say("How long the platform keeps what", "Hvor lenge plattformen beholder hva")}`,
    "",
    ...table(
      [say("data", "data"), say("time", "tid"), say("from", "fra")],
      all.map(({ data, time, source }) => [cell(data), cell(time), cell(code(source))]),
    ),
  ];
}

function measures({ measures: all, at }: Compliance, say: Say): string[] {
  const isNumbered = ({ number }: Measure) => number !== undefined;
  const rows = (some: Measure[]) =>
    some.map(({ number, name, value, measuredAt, command }) => [
      ...(number ? [number] : []),
      cell(name),
      cell(value),
      measuredAt
        ? say(`measured ${minute(measuredAt)}`, `målt ${minute(measuredAt)}`)
        : say(`configured, ${minute(at)}`, `konfigurert, ${minute(at)}`),
      cell(code(command)),
    ]);
  const columns = [
    say("measure", "tiltak"),
    say("value", "verdi"),
    say("when", "når"),
    say("shown by", "vises av"),
  ];
  return [
    `## ${say("Measures", "Tiltak")}`,
    "",
    say(
      "By the numbers of NSM's Grunnprinsipper for IKT-sikkerhet:",
      "Etter numrene i NSMs Grunnprinsipper for IKT-sikkerhet:",
    ),
    "",
    ...table(["NSM", ...columns], rows(all.filter(isNumbered))),
    "",
    say("Others, for which no number is claimed:", "Andre, som det ikke hevdes noe nummer for:"),
    "",
    ...table(columns, rows(all.filter((one) => !isNumbered(one)))),
  ];
}

const table = (head: string[], rows: string[][]): string[] =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);

/** "2026-11-28 08:37 UTC". */
const minute = (at: string): string => `${at.slice(0, 16).replace("T", " ")} UTC`;

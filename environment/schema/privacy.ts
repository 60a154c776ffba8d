/** What the record of processing (GDPR, Article 30) needs and only a person can say. Nothing on the host follows from it. */
import * as z from "zod";
import * as f from "../fields";

const COUNTRY = () =>
  f.pattern(/^[A-Z]{2}$/, 'a two-letter country code in capitals (ISO 3166), such as "NO"');

const party = () =>
  z.strictObject({
    name: f.line().meta({ description: "Its name.", examples: ["Example AS"] }),
    contact: f.line().meta({
      description: "How to reach it: an address, a mail address or a telephone number.",
      examples: ["personvern@example.no"],
    }),
  });

/** Not written is not said; an empty list says that there are none. */
const lines = (description: string, ...examples: string[]) =>
  f
    .list(f.line())
    .optional()
    .meta({ description: `${description} Default: not said.`, examples: [examples] });

const recipient = z.strictObject({
  name: f.line().meta({ description: "Who gets the data.", examples: ["Example Analyse AS"] }),
  country: COUNTRY().meta({ description: "Country of the recipient (ISO 3166).", examples: ["NO"] }),
  safeguards: f
    .line()
    .optional()
    .meta({
      description: "For a country outside of the EEA: what the transfer rests on. Default: not said.",
      examples: ["standard contractual clauses of 2026-03-01"],
    }),
});

const limit = z.strictObject({
  data: f.line().meta({ description: "The category of data.", examples: ["orders"] }),
  days: f.whole(1, 36500).meta({
    description: "Days after which it is erased.",
    unit: "days",
    examples: [365],
  }),
});

export const privacy = z.strictObject({
  controller: party()
    .optional()
    .meta({ description: "The controller: who decides why and how data is processed." }),
  jointControllers: f
    .list(party())
    .default([])
    .meta({
      description: "Controllers that decide together with it.",
      examples: [[{ name: "Other AS", contact: "personvern@other.example.no" }]],
    }),
  representative: party()
    .optional()
    .meta({ description: "The representative of a controller outside of the EEA. Default: none." }),
  dataProtectionOfficer: party()
    .optional()
    .meta({ description: "The data protection officer. Default: none." }),
  purposes: lines("Why data is processed.", "delivery of orders"),
  dataSubjects: lines("Whose data it is, by category.", "customers"),
  dataCategories: lines("Which data it is, by category.", "name and address"),
  recipients: f
    .list(recipient)
    .optional()
    .meta({
      description: "Who gets the data, by category or by name. `[]`: nobody. Default: not said.",
      examples: [[]],
    }),
  retention: f
    .list(limit)
    .optional()
    .meta({
      description:
        "How long functions' own data is kept, wherever it is. `[]`: they keep none. Default: not said. What the platform keeps, the report knows by itself.",
      examples: [[{ data: "orders", days: 365 }]],
    }),
  countries: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$/,
          "must be a host name or an IP address, without a port",
        ),
      COUNTRY(),
      "must be a mapping of host names to countries",
    )
    .default({})
    .meta({
      description:
        "Countries of the machines that the host speaks to, by their name or address (ISO 3166). `npx oslo-faas report compliance` lists those that it needs.",
      allowed: "a mapping of host names to countries",
      examples: [{ "ghcr.io": "US" }],
    }),
});

/** The two languages of a report. Each text stands in both, beside each other, where it is used. */
export const LANGUAGES = ["en", "nb"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Chooses one of two texts: English and bokmål. */
export type Say = (en: string, nb: string) => string;

export const sayIn =
  (language: Language): Say =>
  (en, nb) =>
    language === "nb" ? nb : en;

/** Countries of the European Economic Area (ISO 3166). A transfer to another one needs a ground of its own. */
const EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LI LT LU LV MT NL NO PL PT RO SE SI SK ES".split(
  " ",
);

export const isInEea = (country: string): boolean => EEA.includes(country);

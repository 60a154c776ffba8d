/** What Nginx is given. A setting that is left out has the default of environment/schema. */
import { known } from "./known";
import type { Rule } from "./production";

const NGINX = "oslo-faas:index:Nginx";

interface Nginx {
  tls?: { redirect?: boolean; hsts?: boolean };
  managementAllow?: string[];
  perClient?: { requests?: number; connections?: number };
  logAddresses?: string;
  logQueries?: boolean;
}

/** A rule about Nginx alone. @param problems what is wrong; values that are not known yet are not judged */
const ofNginx = (name: string, description: string, problems: (nginx: Nginx) => string[]): Rule => ({
  name,
  description,
  judge: ({ type, props }, report) => {
    if (type === NGINX) for (const problem of known(() => problems(props)) ?? []) report(problem);
  },
});

const when = (wrong: boolean, text: string): string[] => (wrong ? [text] : []);

export const tls = ofNginx("tls-in-production", "Nginx speaks HTTPS alone.", ({ tls: found }) =>
  found
    ? when(found.redirect === false, "HTTP answers calls as well (nginx.tls.redirect)")
    : ["passwords and calls travel in plain text (nginx.tls)"],
);

export const hsts = ofNginx("hsts-in-production", "Browsers are told to use HTTPS alone.", ({ tls: found }) =>
  when(found?.hsts === false, "Strict-Transport-Security is switched off (nginx.tls.hsts)"),
);

export const management = ofNginx(
  "management-from-named-networks",
  "Management is open to named networks alone.",
  ({ managementAllow = [] }) => [
    ...when(
      managementAllow.length === 0,
      "/system/ and /ui/ are open to every network, behind the password alone (nginx.managementAllow)",
    ),
    ...managementAllow
      .filter((network) => /\/0$/.test(network))
      .map(
        (network) =>
          `/system/ and /ui/ are open to ${network}, which is every network (nginx.managementAllow)`,
      ),
  ],
);

export const clientLimits = ofNginx(
  "one-client-is-limited",
  "One client cannot take up everything.",
  ({ perClient = {} }) => [
    ...when(perClient.requests === 0, "requests of one client have no limit (nginx.perClient.requests)"),
    ...when(
      perClient.connections === 0,
      "connections of one client have no limit (nginx.perClient.connections)",
    ),
  ],
);

export const logs = ofNginx(
  "callers-not-in-logs",
  "Logs have neither callers' whole addresses nor queries.",
  ({ logAddresses, logQueries }) => [
    ...when(logAddresses === "whole", "the access log has callers' whole addresses (nginx.logAddresses)"),
    ...when(logQueries === true, "the access log has query strings (nginx.logQueries)"),
  ],
);

/** The script of the checks, as a pure function of plain values. */
import { quote } from "../../shared/quote";
import frontDoor from "./scripts/front-door.sh";

export interface CheckValues {
  /** Nginx as the host itself reaches it. */
  origin: string;
  functions: string[];
  checks: { path: string; status: number }[];
  /** Swarm services that have to run, and go on running. */
  services: string[];
}

/** The first failing check ends the script with what was wanted and what came. */
export function renderCheckScript(values: CheckValues): string {
  const expect = (path: string, status: number, login = false) =>
    `expect ${quote(values.origin + path)} ${quote(String(status))}${login ? " login" : ""}`;
  return [
    frontDoor,
    `all_stay ${values.services.map(quote).join(" ")}`.trim(),
    expect("/healthz", 200),
    // Management is refused without the password and works with it.
    expect("/system/functions", 401),
    expect("/system/functions", 200, true),
    ...values.functions.map((name) => expect(`/system/function/${name}`, 200, true)),
    ...values.checks.map((check) => expect(check.path, check.status)),
    "",
  ].join("\n");
}

/** curl's configuration with the login, for standard input. */
export function renderCheckInput(user: string, password: string): string {
  return `user = ${JSON.stringify(`${user}:${password}`)}\n`;
}

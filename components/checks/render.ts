/** The script of the checks, as a pure function of plain values. */
import { quote } from "../../plugin/src/quote";

export interface CheckValues {
  /** Nginx as the host itself reaches it. */
  origin: string;
  functions: string[];
  checks: { path: string; status: number }[];
}

/**
 * Each check waits up to a minute for its answer, since services that were just rolled may still be joining, and then fails
 * with what was wanted and what came.
 */
export function renderCheckScript(values: CheckValues): string {
  const call = (path: string, status: number, login = false) =>
    `expect ${quote(values.origin + path)} ${quote(String(status))}${login ? " login" : ""}`;
  return [
    "set -u",
    "login=$(cat)",
    "expect() {",
    "  url=$1; want=$2; shift 2; got=none; tries=0",
    "  while [ $tries -lt 30 ]; do",
    "    if [ $# -gt 0 ]; then config=$login; else config=; fi",
    `    got=$(printf '%s\\n' "$config" | curl -k -s -o /dev/null -m 10 -w '%{http_code}' --config - "$url")`,
    '    [ "$got" = "$want" ] && { echo "ok $want $url"; return 0; }',
    "    tries=$((tries + 1)); sleep 2",
    "  done",
    '  echo "check failed: $url answered $got, wanted $want (systemctl status nginx; docker service ls)" >&2',
    "  exit 1",
    "}",
    call("/healthz", 200),
    // Nobody manages the platform without the password, and whoever has it can.
    call("/system/functions", 401),
    call("/system/functions", 200, true),
    ...values.functions.map((name) => call(`/system/function/${name}`, 200, true)),
    ...values.checks.map(({ path, status }) => call(path, status)),
    "",
  ].join("\n");
}

/** curl's configuration with the login, for standard input. */
export function renderCheckInput(user: string, password: string): string {
  return `user = ${JSON.stringify(`${user}:${password}`)}\n`;
}

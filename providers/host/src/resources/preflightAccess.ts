/** What stands between a user who has logged in and the run: sudo, and a firewall that counts logins. */
import { alone, overlap } from "../../../../shared/networks";
import type { Gathered } from "./facts";
import { refuseIf, type Finding } from "./preflightFinding";
import { sudoRemedy, WANTS_TERMINAL } from "../sessionErrors";

export function checkSudo({ facts, sudoSays }: Gathered): Finding[] {
  const terminal = WANTS_TERMINAL.test(sudoSays);
  return refuseIf(facts.sudo === "no", {
    what: "root privileges",
    found: terminal
      ? `sudo wants a terminal of user ${facts.user} (Defaults requiretty)`
      : `user ${facts.user} cannot run sudo without a password`,
    wanted: "root, or sudo without a password",
    remedy: `on the host, as root: ${sudoRemedy(facts.user, terminal)}`,
  });
}

/** "limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in": action, protocol, port, destination, source's port, source. */
interface Rule {
  action: string;
  protocol: string;
  port: string;
  source: string;
}

function parseRule(line: string): Rule {
  const [action = "", protocol = "", port = "", , , source = ""] = line.split(" ");
  return { action, protocol, port, source };
}

const coversPort = (ports: string, port: number): boolean =>
  ports === "any" ||
  ports.split(",").some((part) => {
    const [from = 0, to = from] = part.split(":").map(Number);
    return from <= port && port <= to;
  });

/** `ufw limit` refuses the sixth connection within 30 s, and @pulumi/docker opens one for each of its steps. The first rule that fits counts. */
export function checkLogins({ ufwRules, ssh: { client, port } }: Gathered): Finding[] {
  if (!client) return [];
  const caller = alone(client);
  const first = ufwRules
    .map(parseRule)
    .find(
      (rule) =>
        ["tcp", "any"].includes(rule.protocol) && coversPort(rule.port, port) && fits(rule.source, caller),
    );
  return refuseIf(first?.action === "limit", {
    what: "ufw",
    found: `limits new connections to port ${port}: the sixth within 30 s is refused`,
    wanted:
      "no limit for the machine that runs this, which opens a connection for each step of the Docker API",
    remedy: `on the host: ufw insert 1 allow from ${client} to any port ${port} proto tcp`,
  });
}

function fits(source: string, address: string): boolean {
  try {
    return overlap(source.includes("/") ? source : alone(source), address);
  } catch {
    return false;
  }
}

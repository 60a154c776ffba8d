/**
 * Measures with what is known of each. A number of NSM's Grunnprinsipper for IKT-sikkerhet stands only where the text of that measure was read
 * when this was written: 2.3.5, 2.7.2 to 2.7.4, 2.9.1 and 2.10.1.
 */
import { readAccess } from "../../shared/access";
import type { Say } from "./language";
import type { Given, Measure } from "./model";

export function measuresOf(given: Given, say: Say): Measure[] {
  return [...numbered(given, say), ...others(given, say)];
}

/** Commands that show a value. */
const commands = ({ name }: Given) => ({
  show: `npx oslo-faas env show ${name}`,
  status: `npx oslo-faas status ${name}`,
  drift: `npx oslo-faas status ${name} --drift`,
  preview: `npx oslo-faas preview -s ${name}`,
});

function numbered(given: Given, say: Say): Measure[] {
  const { drift, preview } = commands(given);
  const report = given.status;
  return [
    {
      number: "2.3.5",
      name: say(
        "Verify that the activated configuration is the approved one",
        "Verifiser at aktivert konfigurasjon er den godkjente",
      ),
      value: driftText(report?.drift, say),
      measuredAt: report?.drift && report.at,
      command: drift,
    },
    inServices(given, say),
    onDisk(given, say),
    {
      number: "2.7.4",
      name: say("Encryption of transfer", "Kryptering av overføring"),
      value: transferText(given.environment.nginx.tls, say),
      command: commands(given).show,
    },
    {
      number: "2.9.1",
      name: say("A plan for backups", "Plan for sikkerhetskopiering"),
      value: say(
        "oslo-faas makes no backup; the plan is yours",
        "oslo-faas tar ingen sikkerhetskopi; planen er deres egen",
      ),
      command: "docs/security.md",
    },
    {
      number: "2.10.1",
      name: say("Security in the management of changes", "Sikkerhet i endringshåndtering"),
      value: say(
        "each change has a report for its pull request, and policies judge it",
        "hver endring får en rapport i sin pull request, og regler vurderer den",
      ),
      command: preview,
    },
  ];
}

function inServices(given: Given, say: Say): Measure {
  const { show, status } = commands(given);
  const { days, selfSigned } = given.status?.certificate ?? {};
  const tls = given.environment.nginx.tls
    ? say("TLS 1.2 and 1.3", "TLS 1.2 og 1.3")
    : say("**none: plain HTTP**", "**ingen: ren HTTP**");
  const left =
    days === undefined ? [] : [say(`certificate for another ${days} days`, `sertifikat i ${days} dager til`)];
  if (selfSigned) left.push(say("self-signed", "selvsignert"));
  return {
    number: "2.7.2",
    name: say("Encryption in services", "Kryptering i tjenester"),
    value: [tls, ...left].join("; "),
    measuredAt: days === undefined ? undefined : given.status?.at,
    command: days === undefined ? show : status,
  };
}

function onDisk(given: Given, say: Say): Measure {
  const disk = given.host?.disk;
  const ofDisk =
    disk === "encrypted"
      ? say("the disk is encrypted", "disken er kryptert")
      : say("the disk is not encrypted", "disken er ikke kryptert");
  const calls = say(
    "asynchronous calls are encrypted on disk, with a key in the swarm and in the stack's state",
    "asynkrone kall er kryptert på disk, med en nøkkel i svermen og i stackens tilstand",
  );
  return {
    number: "2.7.3",
    name: say("Encryption of storage", "Kryptering av lagringsmedier"),
    value: [calls, ...(disk ? [ofDisk] : [])].join("; "),
    measuredAt: disk && given.at,
    command: disk ? "lsblk" : commands(given).show,
  };
}

function driftText(drift: string[] | undefined, say: Say): string {
  if (!drift)
    return say("not checked for this report (`--drift`)", "ikke kontrollert i denne rapporten (`--drift`)");
  if (drift.length === 0) return say("no difference", "ingen forskjell");
  return say(`**${drift.length} differences**`, `**${drift.length} forskjeller**`);
}

function transferText(tls: Given["environment"]["nginx"]["tls"], say: Say): string {
  const ssh = say("SSH with a pinned host key", "SSH med låst vertsnøkkel");
  if (!tls) return `${say("**HTTP alone**", "**bare HTTP**")}; ${ssh}`;
  const http = tls.redirect
    ? say("HTTP redirects to HTTPS", "HTTP videresender til HTTPS")
    : say("HTTP answers as well", "HTTP svarer også");
  const hsts = tls.redirect && tls.hsts ? "HSTS" : say("no HSTS", "ingen HSTS");
  return [http, hsts, ssh].join("; ");
}

function others(given: Given, say: Say): Measure[] {
  return [...door(given, say), ...logs(given, say), ...latency(given, say), ...machine(given, say)];
}

const yesOrNo = (value: boolean, say: Say): string => (value ? say("yes", "ja") : say("no", "nei"));

function door(given: Given, say: Say): Measure[] {
  const { show, status } = commands(given);
  const { firewall, nginx, openfaas } = given.environment;
  const closed = given.status?.closedPorts;
  const open = Object.entries(closed ?? {}).flatMap(([port, state]) => (state === "closed" ? [] : [port]));
  const all = say("all networks", "alle nett");
  const nobody = say("no limit", "ingen grense");
  return [
    {
      name: say("Closed ports of the platform", "Plattformens lukkede porter"),
      value: closed
        ? open.length > 0
          ? say(`**open: ${open.join(", ")}**`, `**åpne: ${open.join(", ")}**`)
          : Object.keys(closed).join(", ")
        : firewall.enabled
          ? say("closed by `firewall`", "lukket av `firewall`")
          : say("**not closed**", "**ikke lukket**"),
      measuredAt: closed && given.status?.at,
      command: closed ? status : show,
    },
    {
      name: say("Who may call functions", "Hvem som kan kalle funksjoner"),
      value: accessText(given, say),
      command: show,
    },
    {
      name: say("Who reaches management, with the password", "Hvem som når administrasjonen, med passord"),
      value: [
        nginx.managementAllow.join(", ") || all,
        openfaas.failedLogins > 0
          ? say(
              `${openfaas.failedLogins} wrong passwords a minute`,
              `${openfaas.failedLogins} feil passord i minuttet`,
            )
          : say("wrong passwords without limit", "feil passord uten grense"),
      ].join("; "),
      command: show,
    },
    {
      name: say("Limits of one client", "Grenser for én klient"),
      value: [
        nginx.perClient.requests
          ? say(
              `${nginx.perClient.requests} requests a second`,
              `${nginx.perClient.requests} kall i sekundet`,
            )
          : nobody,
        nginx.perClient.connections
          ? say(`${nginx.perClient.connections} connections`, `${nginx.perClient.connections} forbindelser`)
          : nobody,
      ].join("; "),
      command: show,
    },
  ];
}

/** Functions by level; the environment's default stands for those that name none. */
function accessText({ environment, functions }: Given, say: Say): string {
  const { access } = environment.openfaas;
  const counts = new Map<string, number>();
  for (const { spec } of functions) {
    const level = readAccess(spec.annotations ?? {})?.level ?? access;
    counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  const levels = [...counts].map(([level, count]) => `${count} ${level}`).sort();
  return [say(`default: ${access}`, `standard: ${access}`), ...levels].join("; ");
}

function logs(given: Given, say: Say): Measure[] {
  const { show } = commands(given);
  const { nginx } = given.environment;
  return [
    {
      name: say("Callers' addresses in logs", "Innringeres adresser i logger"),
      value:
        nginx.logAddresses === "whole"
          ? say("**whole**", "**hele**")
          : say("shortened (/24, /48)", "forkortet (/24, /48)"),
      command: show,
    },
    {
      name: say("Query strings in logs", "Spørrestrenger i logger"),
      value: yesOrNo(nginx.logQueries, say),
      command: show,
    },
  ];
}

function latency({ status, name, environment }: Given, say: Say): Measure[] {
  if (!status?.latency) return [];
  const limits = environment.latency;
  const { host, targets } = status.latency;
  const shown = (what: string, took: number | undefined, limit: number | undefined) => {
    const far = took === undefined || (limit !== undefined && took > limit);
    const text = `${what} ${took === undefined ? say("not reached", "ikke nådd") : `${took} ms`}`;
    return `${far ? `**${text}**` : text}${limit === undefined ? "" : say(` (at most ${limit})`, ` (høyst ${limit})`)}`;
  };
  const most = (address: string) =>
    limits?.targets.find((one) => one.address === address)?.limitMs ?? limits?.limitMs;
  return [
    {
      name: say("Round trips", "Rundturer"),
      value: [
        ...(host === undefined ? [] : [shown(say("to the host", "til verten"), host, limits?.limitMs)]),
        ...Object.entries(targets).map(([address, took]) => shown(address, took, most(address))),
      ].join("; "),
      measuredAt: status.at,
      command: `npx oslo-faas status ${name}`,
    },
  ];
}

function machine(given: Given, say: Say): Measure[] {
  const { status, show } = commands(given);
  const { status: report, host, images, locked, secrets } = given;
  const at = report?.at;
  return [
    {
      name: say("Images by digest", "Images med digest"),
      value: say(`${locked} of ${images.length}`, `${locked} av ${images.length}`),
      command: `npx oslo-faas images lock -s ${given.name}`,
    },
    {
      name: say("Secrets, encrypted in the stack file", "Hemmeligheter, kryptert i stackfilen"),
      value: secrets.length > 0 ? secrets.join(", ") : say("none", "ingen"),
      command: show,
    },
    ...(report?.host
      ? [
          {
            name: say("System", "System"),
            value: `${report.host.os}, ${report.host.kernel}`,
            measuredAt: at,
            command: status,
          },
          {
            name: say("Findings of `status`", "Funn fra `status`"),
            value: report.problems.length === 0 ? say("none", "ingen") : `**${report.problems.length}**`,
            measuredAt: at,
            command: status,
          },
        ]
      : []),
    ...(host?.sshPassword === undefined
      ? []
      : [
          {
            name: say("Passwords for SSH", "Passord for SSH"),
            value: yesOrNo(host.sshPassword, say),
            measuredAt: given.at,
            command: "sshd -T",
          },
        ]),
    ...(host
      ? [
          {
            name: say("Security updates by themselves", "Automatiske sikkerhetsoppdateringer"),
            value: yesOrNo(host.unattendedUpgrades === true, say),
            measuredAt: given.at,
            command: "apt-config dump APT::Periodic",
          },
        ]
      : []),
  ];
}

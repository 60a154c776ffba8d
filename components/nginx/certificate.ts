/** The certificate of Nginx: the files that it reads, and how one is ordered over ACME (scripts/certificate.sh). */
import * as crypto from "node:crypto";
import type { Environment } from "../../environment/schema";
import { quote } from "../../shared/quote";
import certificateScript from "./scripts/certificate.sh";

type Tls = Environment["nginx"]["tls"];

/** Everything of it on a host but the settings: certbot's account, the certificates, the challenges, the last error. */
export const ACME_FOLDER = "/var/lib/oslo-faas-acme";
export const SCRIPT_FILE = "/etc/oslo-faas/certificate.sh";
export const SETTINGS_FILE = "/etc/oslo-faas/certbot.ini";
export const ORDER_UNIT = "oslo-faas-certificate";

/** What Nginx reads. */
export function certificateFiles(tls: NonNullable<Tls>): { certificate: string; certificateKey: string } {
  const { auto, certificate = "", certificateKey = "" } = tls;
  if (!auto) return { certificate, certificateKey };
  const served = `${ACME_FOLDER}/served`;
  return { certificate: `${served}/fullchain.pem`, certificateKey: `${served}/privkey.pem` };
}

/** For the server of HTTP: answers to HTTP-01 come from files alone, and from no function. */
export function challenges(tls: Tls): string[] {
  const webroot = tls?.auto ? `${ACME_FOLDER}/webroot` : tls?.webroot;
  if (!webroot) return [];
  return [
    "    location ^~ /.well-known/acme-challenge/ {",
    `        root ${webroot};`,
    "        default_type text/plain;",
    "        try_files $uri =404;",
    "    }",
    "",
  ];
}

/** @param state folder of all that is kept @param settings certbot's file */
export function renderCertificateScript(
  { tls, serverName }: Pick<Environment["nginx"], "tls" | "serverName">,
  state = ACME_FOLDER,
  settings = SETTINGS_FILE,
): string {
  const { directory = "", directoryCa = "", eabKeyId } = tls?.auto ?? {};
  const values = {
    STATE: state,
    NAMES: serverName,
    // Of another authority it is another certificate: certbot would keep the earlier one's until it expires.
    LINEAGE: `oslo-faas-${crypto.createHash("sha256").update(directory).digest("hex").slice(0, 8)}`,
    CONFIG: settings,
    EAB: eabKeyId ? "1" : "",
    CA: directoryCa,
  };
  const head = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return [
    "# Written by oslo-faas; changes here are drift and are put back.",
    ...head,
    certificateScript,
  ].join("\n");
}

/** What certbot reads and no process list shows. */
export function renderCertbotSettings(tls: Tls, eabKey?: string): string {
  const { directory, email, eabKeyId } = tls?.auto ?? {};
  return [
    `server = ${directory}`,
    email ? `email = ${email}` : "register-unsafely-without-email = true",
    ...(eabKeyId ? [`eab-kid = ${eabKeyId}`, `eab-hmac-key = ${eabKey}`] : []),
    "",
  ].join("\n");
}

/** Runs at boot as well: an order that is due while the host is off is made up for. */
export function renderOrderUnit(): string {
  return [
    "[Unit]",
    "Description=oslo-faas: order or renew the certificate of Nginx",
    "Wants=network-online.target",
    "After=network-online.target nginx.service",
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=/bin/sh ${SCRIPT_FILE} renew`,
    "TimeoutStartSec=15min",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** Twice a day, as authorities ask for. */
export function renderOrderTimer(): string {
  return [
    "[Unit]",
    "Description=oslo-faas: renew the certificate of Nginx in time",
    "",
    "[Timer]",
    "OnCalendar=*-*-* 00,12:00:00",
    "RandomizedDelaySec=6h",
    "Persistent=true",
    "",
    "[Install]",
    "WantedBy=timers.target",
    "",
  ].join("\n");
}

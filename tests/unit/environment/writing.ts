/**
 * Stack files that are wrong, each in one way: the text under `config:` (with a right host, unless it brings its own), the path
 * that the error has to name, and a part of what it has to say.
 */
export type BadFile = [config: string, path: string, message: string];

export const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
/** As the engine writes secrets: with a passphrase or a cloud's key, and by a Pulumi service. */
export const CIPHER = `v1:${Buffer.from("twelve bytes").toString("base64")}:${Buffer.from("sixteen of a mark and more").toString("base64")}`;
export const OF_SERVICE = Buffer.from("AAAA twelve bytes, sixteen of a mark").toString("base64");
export const HOST = `  oslo-faas:host:\n    address: 198.51.100.7\n    hostKey: ${KEY}\n`;

/** A file of what is under `config:`, with a right host where that brings none. */
export const whole = (config: string) =>
  `config:\n${config.includes("oslo-faas:host:") ? "" : HOST}${config}`;

export const DIGEST = `sha256:${"0".repeat(64)}`;
export const key = (section: string, flow: string) => `  oslo-faas:${section}: ${flow}\n`;
/** `nginx.keepalive: VALUE` written as YAML. */
export const set = (path: string, value: string) => {
  const [section = "", ...rest] = path.split(".");
  return key(
    section,
    rest.reduceRight((inner, name) => `{${name}: ${inner}}`, value),
  );
};
/** The same place with several wrong values, all with one message. */
export const each = (path: string, message: string, ...values: string[]): BadFile[] =>
  values.map((value) => [set(path, value), path, message]);
export const host = (more: string) => `  oslo-faas:host: {address: 198.51.100.7, hostKey: "${KEY}"${more}}\n`;
export const jump = (more: string) => host(`, jump: {address: b.example.no, hostKey: "${KEY}"${more}}`);

export const MAIL = { to: "[a@example.no]", from: "b@example.no", smarthost: '"smtp.example.no:25"' };
/** alerts.email with one key otherwise. */
export const mail = (more: string) => {
  const [name = ""] = more.split(":");
  const rest = Object.entries(MAIL).filter(([other]) => other !== name);
  return key("alerts", `{email: {${[...rest.map((pair) => pair.join(": ")), more].join(", ")}}}`);
};

export const network = 'must be a network such as "10.0.0.0/8"';

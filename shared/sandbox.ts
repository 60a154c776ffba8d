/** What a replica of a function may do on its node: closed by default, and lifted by annotations of the function. */

/** The most processes and threads of a replica, such as 4096. */
export const PIDS = "com.oslo-faas.pids";
/** Capabilities that a replica keeps, such as "CHOWN, SETUID, SETGID". */
export const CAPABILITIES = "com.oslo-faas.capabilities";
/** `true`: programs such as sudo may get more rights than what started them. */
export const NEW_PRIVILEGES = "com.oslo-faas.new-privileges";

export interface Sandbox {
  pids: number;
  capabilities: string[];
  newPrivileges: boolean;
}

const DEFAULT_PIDS = 1024;
/** Those that the engine gives by itself. Any other comes close to root on the node. */
const KNOWN = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

type Texts = Readonly<Record<string, string>>;

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export function readSandbox(annotations: Texts): Sandbox {
  return {
    pids: Number(annotations[PIDS] ?? DEFAULT_PIDS),
    capabilities: words(annotations[CAPABILITIES] ?? "").sort(),
    newPrivileges: annotations[NEW_PRIVILEGES] === "true",
  };
}

export const isSandboxAnnotation = (key: string): boolean =>
  [PIDS, CAPABILITIES, NEW_PRIVILEGES].includes(key);

/** @returns what is wrong with such an annotation */
export function sandboxProblem(key: string, value: string): string | undefined {
  if (key === PIDS)
    return /^\d{2,5}$/.test(value) && Number(value) >= 16 && Number(value) <= 32768
      ? undefined
      : `"${value}" must be a whole number from 16 to 32768`;
  if (key === NEW_PRIVILEGES)
    return /^(true|false)$/.test(value) ? undefined : `"${value}" is neither true nor false`;
  const unknown = words(value).find((word) => !KNOWN.includes(word));
  return unknown === undefined
    ? undefined
    : `"${unknown}" cannot be kept; a function may have ${KNOWN.join(", ")}`;
}

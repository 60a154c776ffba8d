/** Options for the `ssh` program through which @pulumi/docker speaks, as a pure function of plain values. */

export interface SshValues {
  /** The host's pinned public key, "ssh-ed25519 AAAA…". */
  hostKey: string;
  /** Default: the agent, and what ~/.ssh/config says. */
  privateKeyPath?: string;
  jump?: { address: string; port: number; user: string; hostKey: string; privateKeyPath?: string };
}

const STRICT = [
  "StrictHostKeyChecking=yes",
  "UserKnownHostsFile=/dev/null",
  "GlobalKnownHostsFile=/dev/null",
  // What an operator's ssh_config can say so that a connection asks for no key, or takes one on another's word.
  "ControlMaster=no",
  "ControlPath=none",
  "VerifyHostKeyDNS=no",
  "NoHostAuthenticationForLocalhost=no",
  // Distributions add it; others do not know its name.
  "IgnoreUnknown=GSSAPIKeyExchange",
  "GSSAPIKeyExchange=no",
  "LogLevel=ERROR",
  "BatchMode=yes",
  "ConnectTimeout=10",
  "ServerAliveInterval=15",
];

/**
 * The host key is pinned by KnownHostsCommand (OpenSSH 8.5 and later): no known_hosts file has to be prepared, and no path
 * of the machine that runs `pulumi` gets into the state.
 */
export function sshOptions(values: SshValues): string[] {
  const options = [...STRICT, `KnownHostsCommand=/bin/echo %H ${values.hostKey}`];
  if (values.privateKeyPath) options.push("IdentitiesOnly=yes", `IdentityFile=${values.privateKeyPath}`);
  if (values.jump) options.push(`ProxyCommand=${proxyCommand(values.jump, values.privateKeyPath)}`);
  return options.flatMap((option) => ["-o", option]);
}

/** ProxyJump would take neither its own pinned key nor its own identity from the command line. */
function proxyCommand(jump: NonNullable<SshValues["jump"]>, privateKeyPath?: string): string {
  const key = jump.privateKeyPath ?? privateKeyPath;
  // ProxyCommand itself replaces %-tokens once, before the inner ssh sees them.
  const options = [...STRICT, `"KnownHostsCommand=/bin/echo %%H ${jump.hostKey}"`];
  if (key) options.push("IdentitiesOnly=yes", `IdentityFile=${key}`);
  return `ssh ${options.map((option) => `-o ${option}`).join(" ")} -p ${jump.port} -W '[%h]:%p' ${jump.user}@${jump.address}`;
}

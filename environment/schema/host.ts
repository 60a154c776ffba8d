/** The host: location, connection, requirements and base settings. */
import * as z from "zod";
import * as f from "../fields";

const USER = () => f.pattern(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, "a user's name");

export const location = z.strictObject({
  country: f
    .pattern(/^[A-Z]{2}$/, 'a two-letter country code in capitals (ISO 3166), such as "NO"')
    .default("NO")
    .meta({ description: "Country of the host (ISO 3166)." }),
  city: f.line().default("Oslo").meta({ description: "City of the host." }),
  provider: f
    .line()
    .default("self-hosted")
    .meta({ description: "Operator of the hardware.", examples: ["example-hosting"] }),
});

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

const jump = z.strictObject({
  address: f
    .address()
    .meta({ description: "Name or address of the jump host.", examples: ["bastion.example.no"] }),
  port: f.port().default(22).meta({ description: "Its SSH port." }),
  user: USER().default("root").meta({ description: "User to log in as on the jump host." }),
  hostKey: f
    .hostKey()
    .meta({ description: "Its public host key; any other key is refused.", examples: [KEY] }),
  privateKeyPath: f
    .keyFile()
    .optional()
    .meta({
      description: "Private key for the jump host, relative to the project. Default: as for the host.",
      examples: ["../keys/bastion"],
    }),
});

export const host = z.strictObject({
  address: f
    .address()
    .meta({ description: "Name or address of the host to provision.", examples: ["faas.example.no"] }),
  port: f.port().default(22).meta({ description: "Its SSH port." }),
  user: USER()
    .default("root")
    .meta({
      description: "User to log in as. A user other than root needs sudo without a password.",
      examples: ["ops"],
      plain: true,
    }),
  hostKey: f
    .hostKey()
    .optional()
    .meta({
      description:
        "The host's public key. Any other key is refused. This or hostKeyFile is required; `npx oslo-faas env new` fetches it.",
      examples: [KEY],
    }),
  hostKeyFile: f
    .file()
    .optional()
    .meta({
      description: "File with the host's public key, relative to the project, instead of hostKey.",
      examples: [".cache/lab/ssh/host_ed25519.pub"],
    }),
  privateKeyPath: f
    .keyFile()
    .optional()
    .meta({
      description:
        "Private key to log in with, relative to the project. Default: the SSH agent (SSH_AUTH_SOCK).",
      examples: ["../keys/oslo-prod"],
    }),
  jump: jump.optional().meta({ description: "A host to connect through. Default: none." }),
  dialTimeoutSeconds: f
    .whole(1, 14)
    .default(10)
    .meta({ description: "Time to wait for a connection to the host.", unit: "seconds" }),
});

export const preflight = z.strictObject({
  allowVirtualization: f
    .list(f.pattern(/^[a-z][a-z0-9-]*$/, 'a name as systemd-detect-virt prints it, such as "lxc"'))
    .default([])
    .meta({
      description:
        'Container virtualization to accept, by its name in systemd-detect-virt ("docker", "lxc"). By default all is refused, because a swarm needs its own kernel.',
      examples: [["lxc"]],
    }),
  allowReleases: f
    .list(
      f.pattern(
        /^[a-z][a-z0-9-]*( [0-9]+(\.[0-9]+)*)?$/,
        'a release such as "debian 14": ID and VERSION_ID in /etc/os-release',
      ),
    )
    .default([])
    .meta({
      description:
        "Releases to accept that oslo-faas has not been tried on, with a warning: ID and VERSION_ID in /etc/os-release.",
      examples: [["debian 14"]],
    }),
  minMemoryMiB: f
    .whole(256, 16777216)
    .default(1800)
    .meta({ description: "Minimum memory of the host.", unit: "MiB" }),
  minDiskMiB: f
    .whole(1024, 1073741824)
    .default(10240)
    .meta({ description: "Minimum free disk under /var/lib before the first `up`.", unit: "MiB" }),
  minFsyncPerSecond: f.whole(0, 10000000).default(100).meta({
    description:
      "Minimum rate of synchronous 4 KiB writes under /var/lib; a durable queue cannot be faster. 0 skips the measurement.",
    unit: "per second",
  }),
});

const sysctlName = z
  .string()
  .regex(
    /^[a-z0-9_-]+([./][A-Za-z0-9_:@-]+)+$/,
    'must be the name of a kernel setting such as "vm.swappiness"',
  );

export const base = z.strictObject({
  packages: f
    .list(
      f.pattern(
        /^[a-z0-9][a-z0-9+.-]+(>?=[A-Za-z0-9.+~:-]+)?$/,
        'a package, optionally with a version: "htop", "jq=1.5-1", "jq>=1.5"',
      ),
    )
    .default([])
    .meta({ description: "Further packages to install.", examples: [["htop", "jq>=1.5"]] }),
  timezone: f
    .timezone()
    .default("Europe/Oslo")
    .meta({ description: "Time zone of the host, and of functions' schedules." }),
  sysctl: z
    .record(
      sysctlName,
      z.union([f.line(), z.number().int()], "must be a number or a text; a number is whole"),
      "must be a mapping of kernel settings to values",
    )
    .default({})
    .meta({
      description: "Further kernel settings. They override the ones that oslo-faas sets.",
      examples: [{ "vm.swappiness": 10 }],
    }),
  openFiles: f
    .whole(1024, 1048576)
    .default(65536)
    .meta({ description: "Maximum number of open files, for Nginx and for containers.", unit: "files" }),
});

export const firewall = z.strictObject({
  enabled: f.flag().default(true).meta({
    description: "Close the gateway's and the swarm's ports to the outside.",
    plain: true,
  }),
  swarmPeers: f
    .list(f.cidr())
    .default([])
    .meta({
      description: "Networks of other nodes, which may reach the swarm's ports (2377, 7946, 4789).",
      examples: [["198.51.100.0/24"]],
    }),
  containersReach: f
    .list(f.cidr())
    .default([])
    .meta({
      description:
        "Private networks that functions and the platform's services may reach (a database, a mail server, a callback). All other private networks are closed to them; the internet is open.",
      examples: [["10.20.0.0/24"]],
    }),
});

const target = z.strictObject({
  address: f
    .hostAndPort()
    .meta({ description: "Name or address, and a TCP port.", examples: ["nix.example.no:443"] }),
  limitMs: f
    .whole(1, 10000)
    .optional()
    .meta({
      description: "Longest round trip. Default: latency.limitMs.",
      unit: "ms",
      examples: [5],
    }),
});

export const latency = z.strictObject({
  limitMs: f.whole(1, 10000).default(10).meta({
    description: "Longest round trip to the host, and from the host to a target without a limit of its own.",
    unit: "ms",
  }),
  targets: f
    .list(target)
    .default([])
    .meta({
      description: "What the host connects to for a measurement, such as an exchange or a database.",
      examples: [[{ address: "nix.example.no:443" }]],
    }),
});

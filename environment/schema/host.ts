/** The machine: where it stands, how it is reached, what it has to be, and its base. */
import * as z from "zod";
import * as f from "../fields";

const USER = () => f.pattern(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, "a user's name");

export const location = z.strictObject({
  country: f
    .pattern(/^[A-Z]{2}$/, 'a two-letter country code in capitals (ISO 3166), such as "NO"')
    .default("NO")
    .meta({ description: "Country the host stands in (ISO 3166)." }),
  city: f.line().default("Oslo").meta({ description: "City the host stands in." }),
  provider: f
    .line()
    .default("self-hosted")
    .meta({ description: "Who runs the hardware.", examples: ["example-hosting"] }),
});

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

const jump = z.strictObject({
  address: f
    .address()
    .meta({ description: "Name or address of the jump host.", examples: ["bastion.example.no"] }),
  port: f.port().default(22).meta({ description: "Its SSH port." }),
  user: USER().default("root").meta({ description: "The user there." }),
  hostKey: f
    .hostKey()
    .meta({ description: "Its public host key; any other key is refused.", examples: [KEY] }),
  privateKeyPath: f
    .keyFile()
    .optional()
    .meta({
      description: "Private key for it, relative to the project. Default: as for the host.",
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
      description: "Who logs in; one who is not root needs sudo without a password.",
      examples: ["ops"],
      plain: true,
    }),
  hostKey: f
    .hostKey()
    .optional()
    .meta({
      description:
        "The host's public key, pinned: any other key is refused. This or hostKeyFile is required; `npx oslo-faas env new` fetches it.",
      examples: [KEY],
    }),
  hostKeyFile: f
    .file()
    .optional()
    .meta({
      description: "A file with that key instead, relative to the project.",
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
    .meta({ description: "Time until an unreachable host is given up.", unit: "seconds" }),
});

export const preflight = z.strictObject({
  allowVirtualization: f
    .list(f.pattern(/^[a-z][a-z0-9-]*$/, 'a name as systemd-detect-virt prints it, such as "lxc"'))
    .default([])
    .meta({
      description:
        'Container virtualization to accept, as systemd-detect-virt names it ("docker", "lxc"). Refused by default: a swarm needs a kernel of its own.',
      examples: [["lxc"]],
    }),
  minMemoryMiB: f
    .whole(256, 16777216)
    .default(1800)
    .meta({ description: "Least memory of the host.", unit: "MiB" }),
  minDiskMiB: f
    .whole(1024, 1073741824)
    .default(10240)
    .meta({ description: "Least free disk under /var/lib before the first up.", unit: "MiB" }),
  minFsyncPerSecond: f.whole(0, 10000000).default(100).meta({
    description:
      "Least rate of synchronous 4 KiB writes under /var/lib (a durable queue cannot be faster). 0: do not measure.",
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
        'a package, with a version where it matters: "htop", "jq=1.5-1", "jq>=1.5"',
      ),
    )
    .default([])
    .meta({ description: "Further packages to install.", examples: [["htop", "jq>=1.5"]] }),
  timezone: f.timezone().default("Europe/Oslo").meta({ description: "Time zone of the host." }),
  sysctl: z
    .record(
      sysctlName,
      z.union([f.line(), z.number().int()], "must be a number or a text; a number is whole"),
      "must be a mapping of kernel settings to values",
    )
    .default({})
    .meta({
      description: "Kernel settings beside the tuned ones, or in their place.",
      examples: [{ "vm.swappiness": 10 }],
    }),
  openFiles: f
    .whole(1024, 1048576)
    .default(65536)
    .meta({ description: "Limit of open files of Nginx and of containers.", unit: "files" }),
});

export const firewall = z.strictObject({
  enabled: f.flag().default(true).meta({
    description: "Keep the gateway's and the swarm's ports unreachable from outside the host.",
    plain: true,
  }),
  swarmPeers: f
    .list(f.cidr())
    .default([])
    .meta({
      description: "Networks of the other nodes, which may reach the swarm's ports (2377, 7946, 4789).",
      examples: [["198.51.100.0/24"]],
    }),
  containersReach: f
    .list(f.cidr())
    .default([])
    .meta({
      description:
        "Private networks that functions and the platform's services may call (a database, a mail server, a callback). All others are closed to them, the internet is not.",
      examples: [["10.20.0.0/24"]],
    }),
});

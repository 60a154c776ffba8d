/** `npm run env -- new NAME`: the file of a new environment, its host's key pinned after somebody looked at the fingerprint. */
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { environmentFrom, fileOf } from "../../environment/files";
import { prompt, type Prompt } from "./ask";
import { fetchHostKey, type HostKey, hostKey } from "./hostkey";
import { preview, requirePassphrase } from "./preview";
import { type Answers, BASE, inherited, PLACES, type Question, template } from "./template";

export const NEW_USAGE = `npm run env -- new NAME [flags]      makes ${fileOf("NAME")}; on a terminal it asks for what is not given
  --address HOST               name or address of the host (required)
  --port PORT                  its SSH port
  --user USER                  who logs in; one who is not root needs sudo without a password
  --private-key PATH           key to log in with, relative to the project (else the SSH agent logs in)
  --country CC --city CITY     where it stands
  --provider NAME              who runs the hardware
                               What is not given is as ${BASE} says, or by default, and not written.
  --host-key "TYPE KEY"        its public host key, where it is known: nothing is fetched
  --accept-fingerprint SHA256:…  pin the fetched key without asking, if this is its fingerprint
  --no-preview                 do not end with a preview`;

/** A mistake of the person who calls: shown without a stack. */
export class UsageError extends Error {}

export interface Surroundings {
  root: string;
  /** Undefined where there is nobody to ask. */
  prompt?: Prompt;
  /** For a person to read, on stderr. */
  say(line: string): void;
  /** What has to be there for a preview; throws an Error that says what is not. */
  beforePreview(): void;
  preview(name: string, root: string): Promise<void>;
  now(): Date;
}

type Flags = ReturnType<typeof readFlags>["values"];

const QUESTIONS: Readonly<Record<Question, string>> = {
  address: "Name or address of the host",
  port: "Its SSH port",
  user: "User to log in as (other than root: with sudo without a password)",
  country: "Country it stands in, two letters",
  city: "City",
  provider: "Who runs the hardware",
};

/** Only there to judge the other answers before the network is asked for the real one. */
const SOME_KEY = hostKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ");

/** @throws UsageError; nothing is written then */
export async function newEnvironment(args: string[], around: Surroundings): Promise<void> {
  const { values: flags, positionals } = readFlags(args);
  const name = checkName(positionals, around.root);
  const file = fileOf(name);
  const answers = await collect(flags, around, inherited(around.root));
  refuseWrong(template(name, answers, SOME_KEY, "", around.root), name, around.root);
  if (!flags["no-preview"]) around.beforePreview();
  const { key, how } = await pin(flags, answers, around);
  const text = template(name, answers, key, `${how} ${around.now().toISOString().slice(0, 10)}`, around.root);
  try {
    fs.writeFileSync(path.join(around.root, file), text, { flag: "wx" });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
  around.say(`wrote ${file}, pinning ${key.fingerprint}`);
  // The engine asks for its passphrase on the same terminal; whoever still reads there would take it, and show it.
  around.prompt?.close();
  if (!flags["no-preview"]) await around.preview(name, around.root);
  else around.say(`next: npm run pulumi -- stack init ${name}, then npm run pulumi -- up -s ${name}`);
}

function readFlags(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        address: text,
        port: text,
        user: text,
        country: text,
        city: text,
        provider: text,
        "private-key": text,
        "host-key": text,
        "accept-fingerprint": text,
        "no-preview": { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${NEW_USAGE}`);
  }
}

function checkName(positionals: string[], root: string): string {
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0)
    throw new UsageError(`Give one name for the environment.\n\n${NEW_USAGE}`);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 60)
    throw new UsageError(
      `"${name}" is no name for an environment: lower-case letters, digits and single dashes, such as oslo-test, at most 60.`,
    );
  if (fs.existsSync(path.join(root, fileOf(name))))
    throw new UsageError(`${fileOf(name)} is there already; this command never writes over one.`);
  return name;
}

async function collect(
  flags: Flags,
  { prompt: asking }: Surroundings,
  standards: ReturnType<typeof inherited>,
): Promise<Answers> {
  const given: Partial<Record<Question, string>> = {};
  for (const key of Object.keys(QUESTIONS) as Question[]) {
    // Each environment has a host of its own.
    const standard = key === "address" ? undefined : standards(PLACES[key])?.toString();
    given[key] =
      flags[key] ??
      (asking ? await asking.ask(QUESTIONS[key], { default: standard, check: filled }) : standard);
  }
  if (!given.address)
    throw new UsageError(`--address is missing: there is nobody here to ask.\n\n${NEW_USAGE}`);
  if (!/^\d{1,5}$/.test(given.port!)) throw new UsageError(`--port: "${given.port}" is no port: 1 to 65535.`);
  const { address, user, country, city, provider } = given as Record<Question, string>;
  return {
    address,
    user,
    country,
    city,
    provider,
    port: Number(given.port),
    privateKey: flags["private-key"],
  };
}

const filled = (answer: string) => (answer === "" ? "there is no default for this" : undefined);

function refuseWrong(text: string, name: string, root: string): void {
  const { problems } = environmentFrom(text, { name, root, file: fileOf(name) });
  // The file is not there, so its lines would help nobody.
  const lines = problems.map((line) => `  ${line.replace(/ \(stacks\/Pulumi\.[^()]*:\d+\)$/, "")}`);
  if (lines.length > 0) throw new UsageError(["This would make a wrong file:", ...lines].join("\n"));
}

async function pin(
  flags: Flags,
  { address, port }: Answers,
  { prompt: asking, say }: Surroundings,
): Promise<{ key: HostKey; how: string }> {
  if (flags["host-key"] !== undefined) return given(flags["host-key"], flags["accept-fingerprint"]);
  say(`fetching the key of ${address}, port ${port}`);
  const key = await fetchHostKey(address, port).catch((error: Error) => {
    throw new UsageError(
      `${error.message}\nGive its key with --host-key where it cannot be reached from here; the host's console prints it: cat /etc/ssh/ssh_host_ed25519_key.pub`,
    );
  });
  say(`  ${key.line.split(" ")[0]} ${key.fingerprint}`);
  if (flags["accept-fingerprint"] !== undefined) {
    compare(key, flags["accept-fingerprint"]);
    return { key, how: "fetched over the network and equal to the one expected," };
  }
  const COMPARE =
    "Compare this fingerprint with what the host's own console prints: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
  if (!asking)
    throw new UsageError(`${COMPARE}\nIf they are equal: --accept-fingerprint with that fingerprint.`);
  say(COMPARE);
  const answer = await asking.ask("Are they equal? (yes, no, or the fingerprint itself)", {
    check: (text) => (/^(yes|no|SHA256:\S+)$/.test(text) ? undefined : "yes or no, written out"),
  });
  if (answer === "no") throw new UsageError("Nothing was written: the key is not the host's.");
  if (answer !== "yes") compare(key, answer);
  return { key, how: "fetched over the network and confirmed" };
}

function given(line: string, fingerprint: string | undefined): { key: HostKey; how: string } {
  let key: HostKey;
  try {
    key = hostKey(line);
  } catch (error) {
    throw new UsageError(`--host-key: ${(error as Error).message}`);
  }
  if (fingerprint !== undefined) compare(key, fingerprint);
  return { key, how: "given" };
}

function compare(key: HostKey, expected: string): void {
  if (key.fingerprint === expected.replace(/=+$/, "")) return;
  throw new UsageError(
    `The host's key is ${key.fingerprint}, and ${expected} was expected. Nothing was written.\nEither the expected one is another host's or type's, or somebody answers in the host's place.`,
  );
}

/** As the command line calls it. */
export async function main(args: string[], root: string): Promise<void> {
  const asking = process.stdin.isTTY ? prompt() : undefined;
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    const beforePreview = () => requirePassphrase(Boolean(asking));
    await newEnvironment(args, { root, prompt: asking, say, beforePreview, preview, now: () => new Date() });
  } finally {
    asking?.close();
  }
}

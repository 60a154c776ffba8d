/** `oslo-faas env new NAME`: the file of a new environment, its host's key pinned after somebody looked at the fingerprint. */
import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { environmentFrom, fileOf } from "../../environment/files";
import { act, type Context } from "../context";
import { stackOption } from "../environment";
import { UsageError } from "../errors";
import { examples, note } from "../help";
import { prompt, type Prompt } from "./ask";
import { fetchHostKey, type HostKey, hostKey } from "./hostkey";
import { preview, requirePassphrase } from "./preview";
import { type Answers, BASE, inherited, PLACES, type Question, template } from "./template";

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

export interface Flags extends Partial<Record<Question, string>> {
  privateKey?: string;
  hostKey?: string;
  acceptFingerprint?: string;
  /** Whether it ends with a preview. Default: true */
  preview?: boolean;
}

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
export async function newEnvironment(name: string, flags: Flags, around: Surroundings): Promise<void> {
  checkName(name, around.root);
  const file = fileOf(name);
  const answers = await collect(flags, around, inherited(around.root));
  refuseWrong(template(name, answers, SOME_KEY, "", around.root), name, around.root);
  if (flags.preview !== false) around.beforePreview();
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
  if (flags.preview !== false) await around.preview(name, around.root);
  else around.say(`next: pulumi stack init ${name}, then pulumi up -s ${name}`);
}

function checkName(name: string, root: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 60)
    throw new UsageError(
      `"${name}" is no name for an environment: lower-case letters, digits and single dashes, such as oslo-test, at most 60.`,
    );
  if (fs.existsSync(path.join(root, fileOf(name))))
    throw new UsageError(`${fileOf(name)} is there already; this command never writes over one.`);
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
  if (!given.address) throw new UsageError("--address is missing: there is nobody here to ask.");
  if (!/^\d{1,5}$/.test(given.port!)) throw new UsageError(`--port: "${given.port}" is no port: 1 to 65535.`);
  const { address, user, country, city, provider } = given as Record<Question, string>;
  return {
    address,
    user,
    country,
    city,
    provider,
    port: Number(given.port),
    privateKey: flags.privateKey,
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
  if (flags.hostKey !== undefined) return given(flags.hostKey, flags.acceptFingerprint);
  say(`fetching the key of ${address}, port ${port}`);
  const key = await fetchHostKey(address, port).catch((error: Error) => {
    throw new UsageError(
      `${error.message}\nGive its key with --host-key where it cannot be reached from here; the host's console prints it: cat /etc/ssh/ssh_host_ed25519_key.pub`,
    );
  });
  say(`  ${key.line.split(" ")[0]} ${key.fingerprint}`);
  if (flags.acceptFingerprint !== undefined) {
    compare(key, flags.acceptFingerprint);
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

/** @param create what is done with a command line that can be used */
export function registerNew(env: Command, context: Context, create = onTerminal): void {
  const command = env
    .command("new")
    .argument("[environment]", "the new name")
    .addOption(stackOption())
    .option("--address <host>", "name or address of the host (required)")
    .option("--port <port>", "its SSH port")
    .option("--user <user>", "who logs in; a user other than root needs sudo without a password")
    .option(
      "--private-key <file>",
      "key to log in with, relative to the project (else the SSH agent logs in)",
    )
    .option("--country <code>", "country where it stands, two letters")
    .option("--city <city>", "city where it stands")
    .option("--provider <name>", "who runs the hardware")
    .option("--host-key <line>", 'its public host key, "TYPE KEY", where it is known: nothing is fetched')
    .option(
      "--accept-fingerprint <fingerprint>",
      "pin the fetched key without asking, if this is its fingerprint",
    )
    .option("--no-preview", "do not end with a preview")
    .description(`a new environment: makes ${fileOf("NAME")}; on a terminal it asks for what is not given`)
    .action(
      act(context, async (word: string | undefined, { stack, ...flags }: Flags & { stack?: string }) => {
        const name = stack ?? word;
        if (name === undefined) throw new UsageError("Give the new environment a name.");
        await create(name, flags, context);
      }),
    );
  note(command, `What is not given stays as ${BASE} or the defaults have it, and is not written.`);
  examples(command, "oslo-test", "oslo-test --address test.faas.example.no --user ops --no-preview");
}

async function onTerminal(name: string, flags: Flags, { root, engine }: Context): Promise<void> {
  const asking = process.stdin.isTTY ? prompt() : undefined;
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    await newEnvironment(name, flags, {
      root,
      prompt: asking,
      say,
      beforePreview: () => requirePassphrase(Boolean(asking)),
      preview: async (stack) => preview(stack, root, await engine(["preview", "--stack", stack])),
      now: () => new Date(),
    });
  } finally {
    asking?.close();
  }
}

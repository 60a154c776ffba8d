/** `oslo-faas env new NAME`: writes the file of a new environment, with the host key that the user confirmed. */
import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { environmentFrom, fileOf } from "../../environment/files";
import { shapeAt } from "../../environment/shape";
import { expandHome } from "../../shared/home";
import { hostKeyProblem } from "../../shared/hostKey";
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
  /** Undefined without a terminal. */
  prompt?: Prompt;
  /** Writes to stderr. */
  say: (line: string) => void;
  /**
   * @returns whether the passphrase has to be asked for
   * @throws an Error if something that a preview needs is missing
   */
  beforePreview(): boolean;
  preview(name: string, root: string, passphrase?: string): Promise<void>;
  now(): Date;
}

export interface Flags extends Partial<Record<Question, string>> {
  privateKey?: string;
  hostKey?: string;
  acceptFingerprint?: string;
  /** Whether to end with a preview. Default: true */
  preview?: boolean;
}

const QUESTIONS: Readonly<Record<Question, string>> = {
  address: "Name or address of the host",
  port: "Its SSH port",
  user: "User to log in as (a user other than root needs sudo without a password)",
  country: "Country of the host, two letters",
  city: "City",
  provider: "Operator of the hardware",
};

/** A placeholder, to check the other answers before the real key is fetched. */
const SOME_KEY = hostKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ");

/** @throws UsageError; nothing is written then */
export async function newEnvironment(name: string, flags: Flags, around: Surroundings): Promise<void> {
  checkName(name, around.root);
  const file = fileOf(name);
  const answers = await collect(flags, around, inherited(around.root));
  refuseWrong(template(name, answers, SOME_KEY, "", around.root), name, around.root);
  const asksPassphrase = flags.preview !== false && around.beforePreview();
  const { key, how } = await pin(flags, answers, around);
  const passphrase = asksPassphrase ? await askPassphrase(name, around) : undefined;
  const text = template(name, answers, key, `${how} ${around.now().toISOString().slice(0, 10)}`, around.root);
  try {
    fs.writeFileSync(path.join(around.root, file), text, { flag: "wx" });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
  around.say(`wrote ${file}, pinning ${key.fingerprint}`);
  // The engine may ask something on the same terminal; an open prompt would read and show it.
  around.prompt?.close();
  if (flags.preview !== false) await around.preview(name, around.root, passphrase);
  const init = flags.preview === false ? `pulumi stack init ${name}, ` : "";
  around.say(`next: commit ${file}; ${init}npx oslo-faas images lock -s ${name}, then pulumi up -s ${name}`);
}

/** Once, for both commands of the engine that want it. */
async function askPassphrase(
  name: string,
  { prompt: asking, say }: Surroundings,
): Promise<string | undefined> {
  if (!asking) return undefined;
  say(
    "A passphrase protects the secrets in the state of the stack. Every `pulumi up` asks for it, and nobody can recover it: keep it where your team keeps such things.",
  );
  return asking.ask(`Passphrase of ${name} (not shown)`, { hidden: true, check: filled });
}

function checkName(name: string, root: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 60)
    throw new UsageError(
      `"${name}" cannot name an environment: use lower-case letters, digits and single dashes, at most 60 characters, such as oslo-test.`,
    );
  if (fs.existsSync(path.join(root, fileOf(name))))
    throw new UsageError(`${fileOf(name)} already exists; this command does not overwrite files.`);
}

async function collect(
  flags: Flags,
  { prompt: asking, root }: Surroundings,
  standards: ReturnType<typeof inherited>,
): Promise<Answers> {
  const given: Partial<Record<Question, string>> = {};
  for (const key of Object.keys(QUESTIONS) as Question[]) {
    // Each environment has its own host.
    const standard = key === "address" ? undefined : standards(PLACES[key])?.toString();
    given[key] =
      flags[key] ??
      (asking
        ? await asking.ask(QUESTIONS[key], { default: standard, check: (text) => wrongAnswer(key, text) })
        : standard);
  }
  if (!given.address) throw new UsageError("--address is missing, and there is no terminal to ask for it.");
  if (!/^\d{1,5}$/.test(given.port!))
    throw new UsageError(`--port: "${given.port}" must be a port from 1 to 65535.`);
  const { address, user, country, city, provider } = given as Record<Question, string>;
  return {
    address,
    user,
    country,
    city,
    provider,
    port: Number(given.port),
    privateKey: await privateKey(flags, standards(["host", "privateKeyPath"])?.toString(), root, asking),
  };
}

const filled = (answer: string) => (answer === "" ? "an answer is required" : undefined);

/** In the words of the configuration, as soon as the answer is given. */
function wrongAnswer(question: Question, answer: string): string | undefined {
  const value = question === "port" && /^\d+$/.test(answer) ? Number(answer) : answer;
  return filled(answer) ?? shapeAt(PLACES[question])?.safeParse(value).error?.issues[0]?.message;
}

async function privateKey(
  { privateKey: given }: Flags,
  standard: string | undefined,
  root: string,
  asking: Prompt | undefined,
): Promise<string | undefined> {
  const wrong = given === undefined ? undefined : wrongKeyFile(given, root);
  if (wrong) throw new UsageError(`--private-key: ${wrong}`);
  if (given !== undefined || !asking) return given;
  const agent = process.env.SSH_AUTH_SOCK ? "use the SSH agent" : "use an SSH agent; none is running here";
  const answer = await asking.ask(`Private key to log in with, relative to the project (empty: ${agent})`, {
    default: standard,
    check: (text) => (text === "" || text === standard ? undefined : wrongKeyFile(text, root)),
  });
  return answer === "" ? undefined : answer;
}

function wrongKeyFile(file: string, root: string): string | undefined {
  const stat = fs.statSync(path.resolve(root, expandHome(file)), { throwIfNoEntry: false });
  if (!stat?.isFile()) return `no file ${file} on this machine`;
  return file.endsWith(".pub") ? `${file} is the public key; the private one has no .pub` : undefined;
}

function refuseWrong(text: string, name: string, root: string): void {
  const { problems } = environmentFrom(text, { name, root, file: fileOf(name) });
  // The file does not exist yet, so line numbers are left out.
  const lines = problems.map((line) => `  ${line.replace(/ \(stacks\/Pulumi\.[^()]*:\d+\)$/, "")}`);
  if (lines.length > 0) throw new UsageError(["The file would have mistakes:", ...lines].join("\n"));
}

async function pin(
  flags: Flags,
  { address, port }: Answers,
  { prompt: asking, say }: Surroundings,
): Promise<{ key: HostKey; how: string }> {
  if (flags.hostKey !== undefined) return given(flags.hostKey, flags.acceptFingerprint);
  const fetched = await fetchOrAsk(address, port, { asking, say });
  if ("how" in fetched) return fetched;
  const { key } = fetched;
  say(`  ${key.line.split(" ")[0]} ${key.fingerprint}`);
  if (flags.acceptFingerprint !== undefined) {
    compare(key, flags.acceptFingerprint);
    return { key, how: "fetched over the network and equal to the expected one," };
  }
  const COMPARE =
    "Compare this fingerprint with what the host's own console prints: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
  if (!asking)
    throw new UsageError(`${COMPARE}\nIf they are equal, pass the fingerprint with --accept-fingerprint.`);
  say(COMPARE);
  const answer = await asking.ask("Are they equal? (yes, no, or the fingerprint itself)", {
    check: (text) => (/^(yes|no|SHA256:\S+)$/.test(text) ? undefined : "answer yes or no in full"),
  });
  if (answer === "no") throw new UsageError("Nothing was written: the key is not the host's.");
  if (answer !== "yes") compare(key, answer);
  return { key, how: "fetched over the network and confirmed" };
}

/** A host that cannot be reached costs no answer: its key can be given, or it is tried again. */
async function fetchOrAsk(
  address: string,
  port: number,
  { asking, say }: { asking?: Prompt; say: (line: string) => void },
): Promise<{ key: HostKey } | { key: HostKey; how: string }> {
  for (;;) {
    say(`fetching the key of ${address}, port ${port}`);
    try {
      return { key: await fetchHostKey(address, port) };
    } catch (error) {
      const { message } = error as Error;
      if (!asking)
        throw new UsageError(
          `${message}\nIf the host cannot be reached from here, give its key with --host-key; the host's console prints it: ${SHOW_KEY}`,
        );
      say(`  ${message}`);
      const line = await asking.ask(
        `Its public host key, as its console prints it: ${SHOW_KEY} (empty: try again)`,
        {
          check: (text) => (text === "" ? undefined : hostKeyProblem(text)),
        },
      );
      if (line !== "") return { key: hostKey(line), how: "given" };
    }
  }
}

const SHOW_KEY = "cat /etc/ssh/ssh_host_ed25519_key.pub";

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
    `The host's key is ${key.fingerprint}, not the expected ${expected}. Nothing was written.\nEither the expected key belongs to another host or is of another type, or somebody intercepts the connection.`,
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
    .option("--user <user>", "user to log in as; a user other than root needs sudo without a password")
    .option(
      "--private-key <file>",
      "key to log in with, relative to the project (else the SSH agent logs in)",
    )
    .option("--country <code>", "country of the host, two letters")
    .option("--city <city>", "city of the host")
    .option("--provider <name>", "operator of the hardware")
    .option("--host-key <line>", 'its public host key, "TYPE KEY", instead of fetching it')
    .option(
      "--accept-fingerprint <fingerprint>",
      "pin the fetched key without asking, if this is its fingerprint",
    )
    .option("--no-preview", "do not end with a preview")
    .description(`create ${fileOf("NAME")}; on a terminal it asks for missing values`)
    .action(
      act(context, async (word: string | undefined, { stack, ...flags }: Flags & { stack?: string }) => {
        const name = stack ?? word;
        if (name === undefined) throw new UsageError("The new environment needs a name.");
        await create(name, flags, context);
      }),
    );
  note(command, `Values that you do not give are not written; ${BASE} or the defaults apply.`);
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
      beforePreview: () => requirePassphrase(Boolean(asking)) && Boolean(process.stderr.isTTY),
      preview: async (stack, _root, passphrase) =>
        preview(stack, root, await engine(["preview", "--stack", stack]), passphrase),
      now: () => new Date(),
    });
  } finally {
    asking?.close();
  }
}

/**
 * A login shell that prints something by itself (an `echo` in ~/.bashrc) puts it in front of what every command prints: in front of
 * addresses that are read, and of the Docker API's answers. It is found out once per connection, before anything uses such output.
 */
import type { Client } from "ssh2";
import { SCRIPTS } from "./scripts/index";
import { HostError } from "./session";
import { exec } from "./ssh";

const SAID = "oslo-faas";
const LIMIT_MS = 10_000;

/** @throws HostError that names the file, where a file is known */
export async function refuseTalkativeShell(client: Client, host: string, user: string): Promise<void> {
  const said = await output(client, `echo ${SAID}`);
  const before = said.slice(0, said.lastIndexOf(SAID)).trim();
  // Without the word the command did not run: the first step will say why.
  if (!said.includes(SAID) || before === "") return;
  const file = (await output(client, "sh -s", SCRIPTS["login-shell"])).trim().split("\n").at(-1);
  const where = file?.startsWith("/") ? file : "a start-up file of the login shell, or of sshd";
  throw new HostError(
    `the login shell of ${user} prints text before the output of each command: ${JSON.stringify(before.slice(0, 80))}`,
    {
      host,
      step: "connect",
      remedy: `it comes from ${where}: print only in a terminal there, for example behind: case $- in *i*) ;; *) return ;; esac`,
    },
  );
}

/** What a command prints; "" where it cannot be run or does not end in time. */
async function output(client: Client, line: string, input = ""): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(() => resolve(""), LIMIT_MS)));
  const ran = exec(client, line).then(
    (channel) =>
      new Promise<string>((resolve) => {
        const chunks: Buffer[] = [];
        channel.on("data", (chunk: Buffer) => chunks.push(chunk));
        channel.on("error", () => undefined);
        channel.on("close", () => resolve(Buffer.concat(chunks).toString()));
        channel.end(input);
      }),
    () => "",
  );
  try {
    return await Promise.race([ran, late]);
  } finally {
    clearTimeout(timer);
  }
}

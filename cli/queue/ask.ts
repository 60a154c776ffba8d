/** Asks the queue by way of a worker's container: the queue has no port on the host, and only its own parts have its password. */
import { command } from "../../shared/quote";
import type { QueueAnswers, QueueRequest } from "../../shared/deadCalls";
import { readComplete, type Where } from "../environment";
import { onHost } from "../functions/one";

const LIMIT_SECONDS = 600;

/** @throws an Error with one clear message */
export async function askQueue<Verb extends keyof QueueAnswers>(
  request: QueueRequest & { verb: Verb },
  { root, stack, configFile }: Where,
): Promise<QueueAnswers[Verb]> {
  const { environment } = readComplete(stack, root, configFile);
  return onHost(environment, root, async (session) => {
    const step = "ask the queue";
    const filters = [
      "--filter",
      "label=com.docker.swarm.service.name=queue-worker",
      "--filter",
      "health=healthy",
    ];
    const found = await session.run(command("docker", "ps", "-q", ...filters), { step });
    const [container] = found.stdout.trim().split("\n");
    if (!container)
      throw new Error(`No worker of the queue is healthy on ${stack}: \`npx oslo-faas status ${stack}\`.`);
    const ask = command(
      "docker",
      "exec",
      container,
      "node",
      "/app/queue.cjs",
      "dead",
      JSON.stringify(request),
    );
    const { code, stdout, stderr } = await session.run(ask, {
      step,
      allow: "any",
      timeoutSeconds: LIMIT_SECONDS,
    });
    if (code !== 0) throw new Error(`The queue cannot do it: ${stderr.trim() || `exit code ${code}`}`);
    return JSON.parse(stdout) as QueueAnswers[Verb];
  });
}

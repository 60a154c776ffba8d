/** `oslo-faas functions describe`: what the file says, what runs on the host, and why what runs has failed of late. */
import { command } from "../../shared/quote";
import { notDeployed } from "./logs";
import { onHost, readOne } from "./one";
import type { Where } from "../environment";

interface Service {
  Spec: {
    Mode: { Replicated?: { Replicas: number } };
    TaskTemplate: { ContainerSpec: { Image: string; Env?: string[] } };
  };
  UpdatedAt: string;
  UpdateStatus?: { State: string; Message?: string };
}

interface Task {
  CurrentState: string;
  DesiredState: string;
  Error: string;
  Name: string;
}

const ENDED = 5;

/** @returns lines for a person */
export async function describe(name: string, where: Where): Promise<string[]> {
  const { environment, found, url } = readOne(name, where);
  const runs = await onHost(environment, where.root, async (session) => {
    const ask = async (...words: string[]) =>
      session.run(command("docker", "service", ...words), { step: `look at ${name}`, allow: [0, 1] });
    const service = await ask("inspect", "--format", "{{json .}}", name);
    if (service.code !== 0) return undefined;
    const tasks = await ask("ps", "--no-trunc", "--format", "{{json .}}", name);
    return {
      service: JSON.parse(service.stdout) as Service,
      tasks: tasks.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Task),
    };
  });
  const file = found
    ? fileLines(found)
    : [`${where.stack} has it in none of its files: it was deployed by hand.`];
  return [
    name,
    ...file,
    ...row("URL", url),
    "",
    ...(runs ? runLines(runs.service, runs.tasks) : [notDeployed(name, where.stack)]),
  ];
}

const row = (title: string, value: string | undefined): string[] =>
  value ? [`  ${title.padEnd(14)} ${value}`] : [];

function fileLines({ spec, build, file, line }: NonNullable<ReturnType<typeof readOne>["found"]>): string[] {
  const pairs = (values: Record<string, unknown> = {}) =>
    Object.entries(values)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(", ");
  return [
    ...row("file", `${file}:${line() ?? 1}`),
    ...row("image", spec.image),
    ...row("built from", build && `${build.handler} with ${build.lang}`),
    ...row("process", spec.envProcess),
    // Names alone: a value may be what somebody should have made a secret.
    ...row("environment", Object.keys(spec.env).join(", ")),
    ...row("secrets", spec.secrets.join(", ")),
    ...row("labels", pairs(spec.labels)),
    ...row("limits", pairs(spec.limits)),
    ...row("requests", pairs(spec.requests)),
  ];
}

function runLines({ Spec, UpdatedAt, UpdateStatus }: Service, tasks: Task[]): string[] {
  const running = tasks.filter(({ CurrentState }) => CurrentState.startsWith("Running")).length;
  const wanted = Spec.Mode.Replicated?.Replicas ?? 0;
  const ended = tasks.filter(({ DesiredState, Error: reason }) => reason || DesiredState === "Shutdown");
  return [
    `  ${running} of ${wanted} replicas run, since ${UpdatedAt.slice(0, 19).replace("T", " ")}`,
    ...row("image", Spec.TaskTemplate.ContainerSpec.Image),
    ...row("update", UpdateStatus && [UpdateStatus.State, UpdateStatus.Message].filter(Boolean).join(": ")),
    // One that ended without an error was replaced, scaled down, or not healthy in the engine's eyes.
    ...(ended.length > 0 ? ["  ended"] : []),
    ...ended
      .slice(0, ENDED)
      .map(
        ({ Name, CurrentState, Error: reason }) =>
          `    ${[Name, CurrentState, reason].filter(Boolean).join(": ")}`,
      ),
  ];
}

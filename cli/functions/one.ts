/** One function of an environment: what its files say, and how its host is asked about it. */
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { publicUrl } from "../../components/nginx/render";
import { nearest } from "../../environment/nearest";
import type { Environment } from "../../environment/schema";
import type { Where } from "../environment";
import { Unusable } from "../errors";
import { sessionOf } from "../status/target";
import { readAll } from "./read";

export interface One {
  environment: Environment;
  /** Undefined where no file of the environment has it: somebody may have deployed it by hand. */
  found?: FunctionOfFile;
  /** How the outside calls it. */
  url: string;
}

/** @throws Unusable where the environment has errors */
export function readOne(name: string, where: Where): One {
  return oneOf(name, readAll(where, true));
}

/** As `readOne`, for what only a function of the files can be. @throws Unusable, with the nearest name, where there is none */
export function readKnown(name: string, where: Where): Required<One> {
  const all = readAll(where, true);
  const { found, ...one } = oneOf(name, all);
  if (found) {
    if (all.problems.length > 0) throw new Unusable(all.problems.join("\n"));
    return { ...one, found };
  }
  const names = all.functions.map(({ spec }) => spec.name);
  const guess = nearest(name, names);
  throw new Unusable(
    `${where.stack} has no function ${name}${guess ? `, did you mean ${guess}?` : `; it has ${names.join(", ") || "none"}.`}`,
  );
}

function oneOf(name: string, { environment, functions }: ReturnType<typeof readAll>): One {
  const url = `${publicUrl(environment.nginx, environment.host.address)}/function/${name}`;
  return { environment, found: functions.find(({ spec }) => spec.name === name), url };
}

/** A connection for `act` alone. */
export async function onHost<T>(
  environment: Environment,
  root: string,
  act: (session: ReturnType<typeof sessionOf>) => Promise<T>,
): Promise<T> {
  const session = sessionOf(environment, root);
  try {
    return await act(session);
  } finally {
    await session.close();
  }
}

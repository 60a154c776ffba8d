/** All functions of an environment, out of its stack.yml files, with every mistake of every file at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import { nearest } from "../../environment/nearest";
import { setSecret } from "../../environment/secrets";
import { buildProblems } from "./buildProblems";
import { isOwnTemplate, templateOf } from "./templates";
import type { FunctionOfFile } from "./functionOfFile";
import type { Environment } from "../../environment/schema";
import { functionProblems } from "../../shared/functionSpec";
import { SECRET_NAME } from "../../shared/names";
import {
  located,
  parseEnvironmentFile,
  readStack,
  type StackFunction,
  type StackRead,
  StackFileError,
} from "./stack";
import { type Timeouts, timeoutProblems } from "./timeouts";

export interface ReadOptions {
  /** The project's folder. Default: the working directory. */
  root?: string;
  /** What `${NAME}` stands for. Default: the environment variables. */
  variables?: Record<string, string | undefined>;
  /** Names of the secrets that the environment gives to functions. */
  secrets: readonly string[];
  /** Whether images are built from handlers here, and not pulled. Default: false. */
  builds?: boolean;
  /** What functions' own timeouts have to agree with. Default: not asked. */
  timeouts?: Timeouts;
}

export interface FunctionsRead {
  /** Variables of environment files are among those of their `spec`. */
  functions: FunctionOfFile[];
  /** One line each, with file and line. */
  problems: string[];
}

/** Never throws for what a person can write. */
export function readFunctions(wanted: Environment["functions"], options: ReadOptions): FunctionsRead {
  const reader = new FunctionsReader(options);
  for (const { stack, only } of wanted) reader.add(stack, only);
  return { functions: reader.functions, problems: reader.problems };
}

class FunctionsReader {
  readonly functions: FunctionOfFile[] = [];
  readonly problems: string[] = [];

  constructor(private readonly options: ReadOptions) {}

  add(stack: string, only?: string[]): void {
    const read = this.parse(stack);
    if (!read) return;
    for (const problem of read.problems) this.say(located(stack, problem));
    const names = read.functions.map(({ spec }) => spec.name);
    for (const name of only ?? [])
      if (!read.isUnreadable && !names.includes(name))
        this.say(`functions: ${stack} has no ${name}${meant(name, names) || `; it has ${names.join(", ")}`}`);
    for (const one of read.functions) if (!only || only.includes(one.spec.name)) this.take(one, stack);
  }

  /** A file may be named more than once, and so may what it names. */
  private say(line: string): void {
    if (!this.problems.includes(line)) this.problems.push(line);
  }

  private parse(stack: string): StackRead | undefined {
    const source = this.read(stack);
    if (source !== undefined) return readStack(source, this.options.variables ?? process.env);
    this.say(`functions: ${stack} cannot be read: no such file`);
    return undefined;
  }

  private take(one: StackFunction, file: string): void {
    const { name } = one.spec;
    const say = (keys: string[], text: string) =>
      this.say(
        located(file, {
          line: one.line(...keys),
          text: `${["functions", name, ...keys].join(".")}: ${text}`,
        }),
      );
    const twin = this.functions.find(({ spec }) => spec.name === name);
    if (twin) say([], `repeats ${twin.file}:${twin.line()}`);
    one.spec.secrets.forEach((secret, at) => {
      // What cannot be a secret's name has been told so.
      if (this.options.secrets.includes(secret) || !SECRET_NAME.form.test(secret)) return;
      const remedy = `set it with: ${setSecret(["functionSecrets", secret])}`;
      say(
        ["secrets", String(at)],
        `${secret} is not in the environment's functionSecrets${meant(secret, this.options.secrets)}; ${remedy}`,
      );
    });
    const env = { ...one.spec.env };
    const origin = new Map<string, number>();
    one.environmentFiles.forEach((relative, at) => {
      const own = this.environmentFile(relative, file, (text) => say(["environment_file", String(at)], text));
      Object.assign(env, own);
      Object.keys(own).forEach((variable) => origin.set(variable, at));
    });
    const sayOf = (variable: string, text: string) => {
      const at = origin.get(variable);
      if (at === undefined) say(["environment", variable], text);
      else say(["environment_file", String(at)], `${variable}: ${text}`);
    };
    const spec = { ...one.spec, env };
    const fprocess = one.build && templateOf(one.build.lang, file, this.options.root)?.openfaas?.fprocess;
    if (fprocess && !spec.envProcess && !Object.hasOwn(env, "fprocess")) spec.envProcess = fprocess;
    // What stands in the stack.yml itself has been judged already.
    for (const { path: at, message } of functionProblems(spec))
      if (at[0] === "env" && origin.has(String(at[1]))) sayOf(String(at[1]), message);
    this.judgeTimeouts(one, file, env, sayOf);
    const found = { ...one, spec, file };
    if (this.options.builds) for (const line of buildProblems(found, this.options.root)) this.say(line);
    this.functions.push(found);
  }

  private judgeTimeouts(
    { build }: StackFunction,
    file: string,
    env: Record<string, string>,
    say: (variable: string, text: string) => void,
  ): void {
    const ours = build !== undefined && isOwnTemplate(build, file, this.options.root);
    const problems = this.options.timeouts ? timeoutProblems(env, this.options.timeouts, ours) : [];
    for (const { name, text } of problems) say(name, text);
  }

  private environmentFile(
    relative: string,
    stack: string,
    say: (text: string) => void,
  ): Record<string, string> {
    const file = path.join(path.dirname(stack), relative);
    const source = this.read(file);
    if (source === undefined) {
      say(`${file} does not exist; paths are relative to ${path.basename(stack)}`);
      return {};
    }
    try {
      return parseEnvironmentFile(source, file);
    } catch (error) {
      if (!(error instanceof StackFileError)) throw error;
      for (const problem of error.details) this.say(located(file, problem));
      return {};
    }
  }

  private read(file: string): string | undefined {
    try {
      return fs.readFileSync(path.resolve(this.options.root ?? ".", file), "utf8");
    } catch {
      return undefined;
    }
  }
}

function meant(name: string, names: readonly string[]): string {
  const guess = nearest(name, names);
  return guess ? `, did you mean ${guess}?` : "";
}

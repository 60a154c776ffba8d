/** OpenFaaS's stack.yml as this project takes it: every key of the format, what is done with it, or why it is refused. */
import * as z from "zod";
import { withoutWrong } from "../../shared/functionSpec";

/** Of the format, and not supported: what to do instead. Anything else that is not known is a mistyped key. */
export const REFUSED: Readonly<Record<string, string>> = {
  build_secrets: "the engine that builds gets no secrets; fetch what is private before, or build elsewhere",
};

const must = (what: string) => `must be ${what}`;
/** The file is read without guessing types, so that 1.10 stays 1.10: every scalar is a text or null. */
const text = z
  .string(must("a text"))
  .nullable()
  .transform((value) => value ?? "");
const word = z.string(must("a text")).min(1, must("a text"));
const texts = z
  .record(z.string(), text, must("a mapping of names to texts"))
  .nullish()
  .transform((value) => value ?? {});
const list = z
  .array(word, must("a list of texts"))
  .nullish()
  .transform((value) => value ?? []);
const flag = z
  .string(must("true or false"))
  .regex(/^(y|yes|on|true|n|no|off|false)$/i, must("true or false"))
  .nullish()
  .transform((value) => /^(y|yes|on|true)$/i.test(value ?? ""));
const amounts = z
  .strictObject({ memory: text.optional(), cpu: text.optional() }, must("a mapping with memory and cpu"))
  .nullish()
  .transform((value) => value ?? undefined);

/** @internal exported for the documentation's test: its keys are those that docs/functions.md lists. */
export const functionSchema = z.strictObject(
  {
    lang: word.optional(),
    handler: word.optional(),
    image: word,
    fprocess: text.optional(),
    environment: texts,
    environment_file: list,
    secrets: list,
    labels: texts,
    annotations: texts,
    constraints: list,
    limits: amounts,
    requests: amounts,
    readonly_root_filesystem: flag,
    namespace: text.optional(),
    skip_build: flag,
    build_args: texts,
    build_options: list,
    // What faas-cli publishes for. Here an image is built for the host that runs it.
    platforms: z
      .string(must("a text"))
      .regex(/(^|,)\s*linux\/(amd64|arm64)\b/, "must name linux/amd64 or linux/arm64, which hosts have")
      .optional(),
  },
  must("a mapping, with at least the key image"),
);
export type FunctionKeys = z.infer<typeof functionSchema>;

/** The keys of a function whose values can be read, or as much of them as can. */
export function readableKeys(value: object): Partial<FunctionKeys> {
  const found = Object.entries(functionSchema.shape).map(([key, part]) => {
    const given: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    const { data, error } = part.safeParse(given);
    return [key, error ? part.safeParse(withoutWrong(given, error.issues)).data : data] as const;
  });
  return Object.fromEntries(found);
}

export const stackSchema = z.strictObject(
  {
    version: z.literal("1.0", must('"1.0"')).optional(),
    provider: z.strictObject(
      {
        name: z.literal("openfaas", must("openfaas")),
        // Where faas-cli deploys to. Here the environment says that.
        gateway: z.string(must("a text")).optional(),
      },
      must("a mapping with name: openfaas"),
    ),
    functions: z.record(z.string(), functionSchema, must("a mapping of names to functions")),
    configuration: z
      .strictObject(
        {
          templates: z
            .array(
              z.strictObject({ name: word, source: word.optional() }, must("a mapping with name")),
              must("a list"),
            )
            .nullish()
            .transform((value) => value ?? []),
          copy: list,
        },
        must("a mapping with templates and copy"),
      )
      .optional(),
  },
  must("a mapping with provider and functions"),
);
export type StackKeys = z.infer<typeof stackSchema>;

export const environmentFileSchema = z.strictObject(
  { environment: texts },
  must("a mapping with the key environment"),
);

/** The names that may stand at a path, such as ["functions", "hello"]. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  const [top, , third] = path.map(String);
  if (path.length === 0) return Object.keys(stackSchema.shape);
  if (top === "provider") return ["name", "gateway"];
  if (top === "configuration") return path.length === 1 ? ["templates", "copy"] : ["name", "source"];
  if (third === "limits" || third === "requests") return ["memory", "cpu"];
  return Object.keys(functionSchema.shape);
}

import { parse } from "yaml";
import { readStack } from "../../../components/functions/stack";
import { parseInputs } from "../../../providers/core/inputs";
import { inputs } from "../../../providers/openfaas/src/resources/functionSpec";
import { parseDeployment } from "../../../services/swarm-provider/src/deployment";
import { type ApiError } from "../../../services/swarm-provider/src/errors";
import { STACK_SERVICES } from "../../../shared/names";
import { FUNCTION_INPUTS, type FunctionInput } from "./functionInputs";

const textOf = ({ keys, name = "fn" }: FunctionInput) =>
  `provider: { name: openfaas }\nfunctions: { "${name}": { ${keys.includes("image:") ? "" : "image: example/x:1, "}${keys} } }\n`;

/** As faas-cli would send it: whatever stands in the file, under the API's names. */
function written({ name = "fn", ...input }: FunctionInput): Record<string, any> {
  const file = parse(textOf({ name, ...input }), { schema: "failsafe" });
  const amounts = (given: any) =>
    given && Object.fromEntries(Object.entries(given).filter(([, amount]) => amount));
  const { limits, requests, ...keys } = file.functions[name];
  return { ...keys, name, limits: amounts(limits), requests: amounts(requests) };
}

const defined = (values: object) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Each of the three: the problems, one line each, under the names that stack.yml has. */
const READERS: Record<string, (input: FunctionInput) => string[]> = {
  validate: (input) =>
    readStack(textOf(input), {}).problems.map(({ text }) =>
      text.replace(`functions.${input.name ?? "fn"}`, "").replace(/^\./, ""),
    ),
  provider: (input) => {
    const { environment: env, fprocess: envProcess, annotations, ...rest } = written(input);
    // The program gives this to the resource as waitSeconds.
    const { "com.oslo-faas.wait-seconds": wait, ...others } = annotations ?? {};
    const waitSeconds = wait === undefined ? undefined : Number(wait);
    const given = defined({ ...rest, env, envProcess, waitSeconds, annotations: annotations && others });
    const { failures } = parseInputs(inputs, given, []);
    return failures.map(({ reason }) => reason);
  },
  "swarm-provider": (input) => {
    const { name: service, environment: envVars, fprocess: envProcess, ...rest } = written(input);
    try {
      parseDeployment({ ...rest, service, envVars, envProcess }, "openfaas-fn");
      return [];
    } catch (error) {
      return (error as ApiError).details;
    }
  },
};

describe.each(Object.entries(READERS))("%s", (_reader, problems) => {
  const shown = FUNCTION_INPUTS.map(
    (input) => [`${input.name ?? ""} ${input.keys.slice(0, 90)}`, input] as const,
  );

  test.each(shown.filter(([, { refused }]) => !refused))("takes %s", (_shown, input) =>
    expect(problems(input)).toEqual([]),
  );

  test.each(shown.filter(([, { refused }]) => refused))("refuses %s", (_shown, input) => {
    const found = problems(input);
    expect(found).toHaveLength(1);
    if (!found[0]!.includes("waitSeconds")) expect(found[0]).toContain(input.refused!.text);
  });
});

test("the refusal of validate names the key as it stands in the file", () => {
  // A name's length is cut in messages; the one that is too long has its own case above.
  for (const input of FUNCTION_INPUTS.filter(({ refused, name = "" }) => refused && name.length < 64))
    expect(READERS.validate!(input)[0]).toMatch(
      new RegExp(`^${input.refused!.key.replace(/[.*+?^$]/g, "\\$&")}: `),
    );
});

test("no service of the stack is missing among the names that no function can have", () => {
  const names = FUNCTION_INPUTS.filter(({ refused }) => refused?.text.includes("service of the stack"));
  expect(names.map(({ name }) => name)).toEqual([...STACK_SERVICES]);
});

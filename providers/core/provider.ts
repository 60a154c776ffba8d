/**
 * What is the same for all resources: schemas, secrets, unknowns, diffs and errors around the handlers. It knows nothing of gRPC
 * (server.ts) and nothing of any one resource (resources/).
 */
import { type Change, diffInputs } from "./diff";
import { PartialFailure } from "./errors";
import { type Failure, parseInputs } from "./inputs";
import type { Client, Context, Definition, ReadResult, ResourceHandler } from "./resource";
import { at, type Decoded, hasUnknown, moveSecrets, type Path, unknown } from "./values";

export interface Call {
  urn: string;
  log: Context["log"];
}

export interface Difference {
  changes: Change[];
  replaces: string[];
  stables: string[];
  deleteBeforeReplace: boolean;
}

export interface Made {
  id: string;
  properties: Decoded;
}

/** What the engine adds to a provider's properties. */
const ENGINE_KEYS = [
  "version",
  "pluginDownloadURL",
  "pluginChecksums",
  "__internal",
  "__pulumi-go-provider-infer",
  "__pulumi-go-provider-version",
];

export function withoutEngineKeys(properties: Record<string, any>): Record<string, any> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !ENGINE_KEYS.includes(key)));
}

export class Provider {
  private config?: object;
  private opened?: Client;

  /** `root`: what relative paths of the configuration are relative to. */
  constructor(
    readonly definition: Definition,
    private readonly root: string,
  ) {}

  checkConfig({ value, secrets }: Decoded): { inputs: Decoded; failures: Failure[] } {
    const given = withoutEngineKeys(value);
    const parsed = parseInputs(this.definition.config, given, secrets);
    const checked = { ...value, ...parsed.value };
    const own = this.definition.configSecrets
      .map((property) => property.split("."))
      .filter((path) => at(checked, path) !== undefined);
    return {
      inputs: { value: checked, secrets: [...moveSecrets(secrets, value, checked), ...own] },
      failures: parsed.failures,
    };
  }

  /**
   * Another address or key is still the same set of resources: nothing is ever replaced by a changed connection. The engine also asks
   * this with the configuration of another provider, where a resource of an older state comes from one.
   */
  diffConfig(olds: Decoded, news: Decoded): Change[] {
    return diffInputs(withoutEngineKeys(olds.value), withoutEngineKeys(news.value));
  }

  configure({ value }: Decoded): void {
    const given = withoutEngineKeys(value);
    // In a preview the address may be what another resource has yet to give. Nothing connects then.
    if (hasUnknown(given)) return;
    this.config = this.definition.config.parse(given);
  }

  check(type: string, { value, secrets }: Decoded): { inputs: Decoded; failures: Failure[] } {
    const handler = this.handlerOf(type);
    const parsed = parseInputs(handler.schema, value, secrets);
    const checked = parsed.value ?? value;
    return {
      inputs: {
        value: checked,
        secrets: this.secretsOf(handler, checked, moveSecrets(secrets, value, checked)),
      },
      failures: parsed.failures,
    };
  }

  diff(type: string, oldInputs: Decoded, news: Decoded): Difference {
    if (this.isMoved(type)) return { changes: [], replaces: [], stables: [], deleteBeforeReplace: false };
    const handler = this.handlerOf(type);
    const olds = normalize(handler, oldInputs.value);
    const raw = diffInputs(olds, news.value);
    const counted =
      handler.changed && !hasUnknown(news.value) && raw.length > 0
        ? new Set(handler.changed(olds, news.value))
        : undefined;
    const changes = counted ? raw.filter(({ property }) => counted.has(property)) : raw;
    const replaces = [...new Set(changes.map(({ property }) => property))].filter((property) =>
      handler.replaceOn.includes(property),
    );
    return {
      changes,
      replaces,
      stables: [...handler.replaceOn, ...(handler.stables ?? [])],
      deleteBeforeReplace: handler.deleteBeforeReplace ?? true,
    };
  }

  async create(type: string, inputs: Decoded, preview: boolean, call: Call): Promise<Made> {
    const handler = this.handlerOf(type);
    if (preview || hasUnknown(inputs.value)) return { id: "", properties: inputs };
    const { id, outputs } = await this.guard(handler, inputs, () =>
      handler.create(this.context(call, inputs), inputs.value),
    );
    return { id, properties: this.state(handler, inputs, outputs) };
  }

  async read(
    type: string,
    id: string,
    inputs: Decoded,
    olds: Decoded,
    call: Call,
  ): Promise<(Made & { inputs: Decoded }) | undefined> {
    if (this.isMoved(type)) return { id, inputs, properties: olds };
    const handler = this.handlerOf(type);
    const known = Object.keys(inputs.value).length > 0;
    const context = this.context(call, inputs);
    let found: ReadResult<any, any> | undefined;
    if (known)
      found = await handler.read(context, id, inputs.value, outputsOf(handler, inputs.value, olds.value));
    else if (handler.import) found = await handler.import(context, id);
    else throw new Error(`${type} cannot be imported`);
    if (!found) return undefined;
    const read = { value: found.inputs, secrets: this.secretsOf(handler, found.inputs, inputs.secrets) };
    return { id, inputs: read, properties: this.state(handler, read, found.outputs) };
  }

  async update(
    type: string,
    id: string,
    olds: Decoded,
    oldInputs: Decoded,
    news: Decoded,
    preview: boolean,
    call: Call,
  ): Promise<Decoded> {
    const handler = this.handlerOf(type);
    const oldOutputs = outputsOf(handler, oldInputs.value, olds.value);
    if (preview || hasUnknown(news.value)) {
      const stables = handler.stables ?? [];
      const outputs = Object.entries(oldOutputs).map(([key, value]) => [
        key,
        stables.includes(key) ? value : unknown,
      ]);
      return this.state(handler, news, Object.fromEntries(outputs), olds.secrets);
    }
    const before = normalize(handler, oldInputs.value);
    const outputs = await this.guard(handler, news, () =>
      handler.update(this.context(call, news), id, before, news.value, oldOutputs),
    );
    return this.state(handler, news, outputs);
  }

  async delete(type: string, id: string, olds: Decoded, oldInputs: Decoded, call: Call): Promise<void> {
    const handler = this.handlerOf(type);
    const inputs = Object.keys(oldInputs.value).length > 0 ? oldInputs : olds;
    await handler.delete(
      this.context(call, inputs),
      id,
      inputs.value,
      outputsOf(handler, inputs.value, olds.value),
    );
  }

  async invoke(
    token: string,
    args: Decoded,
    preview: boolean,
    call: Call,
  ): Promise<{ result?: Record<string, any>; failures: Failure[] }> {
    const handler = this.definition.functions.find(({ type }) => type === token);
    if (!handler) throw new Error(`the provider "${this.definition.name}" has no function ${token}`);
    const parsed = parseInputs(handler.schema, args.value, args.secrets);
    if (parsed.failures.length > 0) return { failures: parsed.failures };
    return {
      result: await handler.call({ ...this.context(call, args), preview }, parsed.value as object),
      failures: [],
    };
  }

  cancel(): void {
    this.opened?.cancel();
  }

  private context(call: Call, inputs: Decoded): Context {
    const base: Context = {
      log: call.log,
      preview: false,
      isSecret: (property) => inputs.secrets.some((path) => path[0] === property),
    };
    return this.definition.context(base, () => this.client());
  }

  private client(): Client {
    if (!this.config)
      throw new Error(
        "the provider's connection is not known yet: one of its properties is an output that a preview cannot know",
      );
    return (this.opened ??= this.definition.open(this.config, this.root));
  }

  /** A refresh of an older state comes before the `up` that takes such a resource over, and must not fail. */
  private isMoved(type: string): boolean {
    return this.definition.moved?.[type] !== undefined;
  }

  private handlerOf(type: string): ResourceHandler {
    const { name, resources, moved } = this.definition;
    const handler = resources.find((one) => one.type === type);
    if (handler) return handler;
    const now = moved?.[type];
    if (now)
      throw new Error(
        `${type} is ${now} now, and the provider "${name}" cannot change it; run \`pulumi up\` with the resource still in the program: it is taken over as it is`,
      );
    throw new Error(
      `the provider "${name}" has no resource ${type}; it has ${resources.map((one) => one.type).join(", ")}`,
    );
  }

  /** A handler that failed in the middle says what it has made; that goes into the state with the secrets marked. */
  private async guard<T>(handler: ResourceHandler, inputs: Decoded, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof PartialFailure)
        throw Object.assign(error, { properties: this.state(handler, inputs, error.outputs) });
      throw error;
    }
  }

  private state(handler: ResourceHandler, inputs: Decoded, outputs: object, more: Path[] = []): Decoded {
    const value = { ...inputs.value, ...outputs };
    const derived = Object.entries(handler.derived ?? {})
      .filter(([, input]) => inputs.secrets.some((path) => path[0] === input))
      .map(([output]) => [output]);
    const secrets = this.secretsOf(handler, value, [...inputs.secrets, ...more, ...derived]);
    return { value, secrets };
  }

  private secretsOf(handler: ResourceHandler, value: Record<string, any>, secrets: Path[]): Path[] {
    const own = (handler.secrets ?? []).map((property) => property.split(".") as Path);
    const unique = new Map([...secrets, ...own].map((path) => [JSON.stringify(path), path]));
    return [...unique.values()].filter((path) => at(value, path) !== undefined);
  }
}

/** Inputs of an older version of the plugin lack what has a default now. What was read from a host may fit no schema. */
function normalize(handler: ResourceHandler, inputs: Record<string, any>): Record<string, any> {
  const kept = withoutRetired(handler, inputs);
  const result = handler.schema.safeParse(kept);
  return result.success ? result.data : kept;
}

function withoutRetired({ retired = [] }: ResourceHandler, values: Record<string, any>): Record<string, any> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !retired.includes(key)));
}

/** A state holds inputs and outputs side by side; these are the outputs. */
function outputsOf(
  handler: ResourceHandler,
  inputs: Record<string, any>,
  state: Record<string, any>,
): Record<string, any> {
  const outputs = Object.entries(state).filter(([key]) => !(key in inputs));
  return withoutRetired(handler, Object.fromEntries(outputs));
}

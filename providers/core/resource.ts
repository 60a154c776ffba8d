/**
 * The shape of every resource and function of a provider. The gRPC server (server.ts) turns Pulumi's calls into these; the generic
 * work is done once: parsing inputs with `schema` (all errors at once, with the property's path), unknown values in preview,
 * secrets, a detailed diff of inputs, and the published schema.
 */
import type { z } from "zod";

/** What every handler gets. A provider adds its own connection to it. */
export interface Context {
  /** A line shown under the resource while it works. */
  log(message: string, severity?: "info" | "warning"): void;
  /** True in preview: nothing may be changed. */
  preview: boolean;
  /** True where the program (or the handler's `secrets`) made this input, or a part of it, a secret. */
  isSecret(property: string): boolean;
}

export interface ReadResult<I, O> {
  /** What the inputs would have to be for the host to be as it is: a difference from the program's inputs is drift. */
  inputs: I;
  outputs: O;
}

export interface ResourceHandler<I extends object = any, O extends object = any, C extends Context = any> {
  /** Full token, "host:index:File". */
  type: string;
  /** For the published schema: what it is, what counts as drift, what a delete does. */
  description: string;
  /** zod schema of the inputs, with defaults; strict (unknown keys are errors). Cross-field rules included. */
  schema: z.ZodType<I>;
  /** What the state has besides the inputs. It describes and does not validate. */
  outputs: z.ZodObject;
  /** Properties whose change needs a new resource, e.g. ["path"]. */
  replaceOn: string[];
  /** Replace by deleting first (the default for things with a fixed name on the host). Default: true. */
  deleteBeforeReplace?: boolean;
  /** Outputs (besides inputs) that never change in an update, so that dependants stay known in preview. Default: []. */
  stables?: string[];
  /** Property paths whose values are secret in state and diff even when the program did not say so. Default: []. */
  secrets?: string[];
  /** Outputs that are secret where the input they are made of is: output → input, e.g. { sha256: "content" }. Default: none. */
  derived?: Record<string, string>;
  /** Inputs of earlier versions: they are dropped from an older state before anything is compared. Default: []. */
  retired?: string[];
  /** Tokens of earlier versions; the SDK's class has them as aliases, so that an older state is taken over. Default: []. */
  aliases?: string[];
  /** Overrides the generic input comparison, e.g. to ignore order. Returns the changed top-level property names. */
  changed?(olds: I, news: I): string[];
  create(ctx: C, inputs: I): Promise<{ id: string; outputs: O }>;
  /** undefined: gone from the host. */
  read(ctx: C, id: string, inputs: I, outputs: O): Promise<ReadResult<I, O> | undefined>;
  update(ctx: C, id: string, olds: I, news: I, oldOutputs: O): Promise<O>;
  /** Restores what makes sense, as `description` says. Must succeed when the object is already gone. */
  delete(ctx: C, id: string, inputs: I, outputs: O): Promise<void>;
  /** Import by id (pulumi import): inputs found on the host. Optional. */
  import?(ctx: C, id: string): Promise<ReadResult<I, O> | undefined>;
}

/** A provider function (invoke): works in preview, changes nothing. */
export interface FunctionHandler<A extends object = any, R extends object = any, C extends Context = any> {
  type: string;
  /** For the published schema. */
  description: string;
  schema: z.ZodType<A>;
  /** What it answers. It describes and does not validate. */
  outputs: z.ZodObject;
  call(ctx: C, args: A): Promise<R>;
}

/** What the provider holds on to while its process lives. */
export interface Client {
  /** After it nothing starts any more; what runs may end. */
  cancel(): void;
}

/** All that distinguishes one provider from another. */
export interface Definition<Config extends object = any, C extends Client = any> {
  /** Name of the package, "host": every token starts with it. */
  name: string;
  displayName: string;
  /** For the published schema. */
  description: string;
  /** For the published schema: what the provider resource is. */
  providerDescription: string;
  /** The provider's configuration, with defaults; strict. */
  config: z.ZodType<Config>;
  /** Paths in it that are always secret, "privateKey" or "jump.privateKey". */
  configSecrets: string[];
  resources: readonly ResourceHandler[];
  functions: readonly FunctionHandler[];
  /** Tokens that this provider had once → who serves them now. An older state still names it as their provider. Default: none. */
  moved?: Record<string, string>;
  /** Makes the client, without connecting. `root`: what relative paths of the configuration are relative to. */
  open(config: Config, root: string): C;
  /** What handlers get. `client()` throws where the configuration is not known yet. */
  context(base: Context, client: () => C): Context;
}

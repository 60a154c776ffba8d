/**
 * The shape of every resource of the provider `host`. The gRPC server (server.ts) turns Pulumi's calls into these; it does
 * the generic work once: parsing inputs with `schema` (all errors at once, with the property's path), unknown values in
 * preview, secrets, and a detailed diff of inputs.
 */
import type { z } from "zod";
import type { Session } from "./session";

export interface Context {
  /** Connects on first use; the same connection for the whole plugin process. */
  session(): Promise<Session>;
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

export interface ResourceHandler<I extends object = any, O extends object = any> {
  /** Full token, "host:index:File". */
  type: string;
  /** zod schema of the inputs, with defaults; strict (unknown keys are errors). Cross-field rules included. */
  schema: z.ZodType<I>;
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
  /** Overrides the generic input comparison, e.g. to ignore order. Returns the changed top-level property names. */
  changed?(olds: I, news: I): string[];
  create(ctx: Context, inputs: I): Promise<{ id: string; outputs: O }>;
  /** undefined: gone from the host. */
  read(ctx: Context, id: string, inputs: I, outputs: O): Promise<ReadResult<I, O> | undefined>;
  update(ctx: Context, id: string, olds: I, news: I, oldOutputs: O): Promise<O>;
  /** Puts back what makes sense; says so in the class's docstring. Must succeed when the thing is already gone. */
  delete(ctx: Context, id: string, inputs: I, outputs: O): Promise<void>;
  /** Import by id (pulumi import): inputs found on the host. Optional. */
  import?(ctx: Context, id: string): Promise<ReadResult<I, O> | undefined>;
}

/** A provider function (invoke): works in preview, changes nothing. */
export interface FunctionHandler<A extends object = any, R extends object = any> {
  type: string;
  schema: z.ZodType<A>;
  call(ctx: Context, args: A): Promise<R>;
}

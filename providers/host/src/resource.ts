/** The handlers of this provider: the generic ones, with a session on the host. */
import type * as core from "../../core/resource";
import type { Session } from "./session";

export type { ReadResult } from "../../core/resource";

export interface Context extends core.Context {
  /** Connects on first use; the same connection for the whole plugin process. */
  session(): Promise<Session>;
}

export type ResourceHandler<I extends object = any, O extends object = any> = core.ResourceHandler<
  I,
  O,
  Context
>;
export type FunctionHandler<A extends object = any, R extends object = any> = core.FunctionHandler<
  A,
  R,
  Context
>;

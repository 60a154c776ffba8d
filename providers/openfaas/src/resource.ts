/** The handlers of this provider: the generic ones, with a session on the host and the gateway that listens on it. */
import type * as core from "../../core/resource";
import type * as host from "../../host/src/resource";
import type { Gateway } from "./gateway";

export interface Context extends host.Context {
  /** Connects with its first request. */
  gateway(): Gateway;
}

export type ResourceHandler<I extends object = any, O extends object = any> = core.ResourceHandler<
  I,
  O,
  Context
>;

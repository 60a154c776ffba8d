/** What a handler of the provider `openfaas` gets: a session, and a gateway that is reached through it. */
import { Gateway, type GatewayAccess } from "../../../../providers/openfaas/src/gateway";
import type { Context } from "../../../../providers/openfaas/src/resource";
import type { Session } from "../../../../providers/host/src/session";
import { contextOf, type TestContext } from "../host/localSession";

export function gatewayContext(
  session: Session,
  {
    host = "127.0.0.1",
    port = 8080,
    username = "admin",
    password,
  }: Partial<GatewayAccess> & { password: string },
): TestContext & Context {
  return {
    ...contextOf(session),
    gateway: () => new Gateway(session, { host, port, username, password }),
  };
}

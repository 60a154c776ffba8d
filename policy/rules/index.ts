/** Every rule, in the order of docs/pull-requests.md. */
import type { Policies } from "@pulumi/policy";
import { clientLimits, hsts, logs, management, tls } from "./door";
import { gatewayIsClosed } from "./gateway";
import { allowedRegistries, pinnedImages, unjudgedImages } from "./images";
import { closedByDefault, queueEncrypted, sandboxKept } from "./platform";
import { always, inProduction } from "./production";
import { productionInNorway } from "./residency";
import { noPlainSecret } from "./secrets";

export const RULES: Policies = [
  productionInNorway,
  inProduction(tls),
  inProduction(hsts),
  inProduction(management),
  inProduction(clientLimits),
  allowedRegistries,
  pinnedImages(),
  gatewayIsClosed,
  noPlainSecret,
  always(queueEncrypted, "mandatory"),
  unjudgedImages(),
  always(closedByDefault, "advisory"),
  always(logs, "advisory"),
  always(sandboxKept, "advisory"),
];

/**
 * The policy pack: rules for any stack of this project, also with a changed program. It judges what is registered, not
 * what a configuration says. Run it with `pulumi preview --policy-pack policy --policy-pack-config policy/config.json`, as
 * `npx oslo-faas preview` does; docs/pull-requests.md says how to add a rule.
 */
import { PolicyPack } from "@pulumi/policy";
import { gatewayIsClosed } from "./rules/gateway";
import { allowedRegistries, pinnedImages, unjudgedImages } from "./rules/images";
import { productionInNorway } from "./rules/residency";
import { noPlainSecret } from "./rules/secrets";

new PolicyPack("oslo-faas", {
  enforcementLevel: "mandatory",
  policies: [
    productionInNorway,
    allowedRegistries,
    pinnedImages(),
    unjudgedImages(),
    gatewayIsClosed,
    noPlainSecret,
  ],
});

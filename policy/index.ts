/**
 * The policy pack: rules for any stack of this project, also with a changed program. It judges what is registered, not
 * what a configuration says. Run it with `pulumi preview --policy-pack policy --policy-pack-config policy/config.json`, as
 * `npx oslo-faas preview` does; docs/pull-requests.md says how to add a rule.
 */
import { PolicyPack } from "@pulumi/policy";
import { RULES } from "./rules";

new PolicyPack("oslo-faas", { enforcementLevel: "mandatory", policies: RULES });

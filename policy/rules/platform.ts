/** What OpenFaaS, its queue and its functions are given. */
import { CAPABILITIES, NEW_PRIVILEGES, readSandbox } from "../../shared/sandbox";
import { known } from "./known";
import type { Rule } from "./production";

const OPENFAAS = "oslo-faas:index:OpenFaaS";
const CONFIG = "docker:index/serviceConfig:ServiceConfig";
const FUNCTION = "openfaas:index:Function";

export const closedByDefault: Rule = {
  name: "functions-closed-by-default",
  description: "A function that does not say who may call it is called by nobody from outside.",
  judge: ({ type, props }, report) => {
    if (type !== OPENFAAS) return;
    const access = known(() => (props as { access?: string }).access ?? "public");
    if (access === "public")
      report("a function without com.oslo-faas.access is open to everybody (openfaas.access: internal)");
  },
};

/** The configuration of NATS, by what it says of JetStream. */
export const queueEncrypted: Rule = {
  name: "queue-encrypted",
  description: "Calls that wait are encrypted on disk.",
  judge: ({ type, props }, report) => {
    if (type !== CONFIG) return;
    const text = known(() =>
      Buffer.from(String((props as { data?: string }).data ?? ""), "base64").toString(),
    );
    if (!text || !/^\s*jetstream\b/m.test(text)) return;
    if (!/^\s*cipher:/m.test(text) || !/^\s*key:/m.test(text))
      report("JetStream keeps calls on disk without a cipher and a key");
  },
};

export const sandboxKept: Rule = {
  name: "sandbox-not-lifted",
  description: "Functions have no capability and no way to more rights.",
  judge: ({ type, props }, report) => {
    if (type !== FUNCTION) return;
    const annotations = known(() => (props as { annotations?: Record<string, string> }).annotations) ?? {};
    const sandbox = known(() => readSandbox(annotations));
    if (!sandbox) return;
    if (sandbox.capabilities.length > 0)
      report(`keeps the capabilities ${sandbox.capabilities.join(", ")} (${CAPABILITIES})`);
    if (sandbox.newPrivileges) report(`may get more rights than it started with (${NEW_PRIVILEGES})`);
  },
};

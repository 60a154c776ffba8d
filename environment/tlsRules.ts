/** Rules across values about the certificate of the front door. */
import { isHostName } from "./addresses";
import type { Get, Rule, Violation } from "./rule";

const GIVEN = ["nginx.tls.certificate", "nginx.tls.certificateKey"];

const isOrdered = (get: Get) => get("nginx.tls.auto?") !== undefined;

/** A certificate is given, or ordered. */
function source(get: Get): Violation[] {
  if (get<string>("nginx.tls?") !== "mapping") return [];
  const others = ["nginx.tls.auto"];
  if (isOrdered(get))
    return [...GIVEN, "nginx.tls.webroot"].flatMap((path) =>
      get(`${path}?`) === undefined
        ? []
        : [{ path, message: "contradicts nginx.tls.auto, which orders the certificate: remove one", others }],
    );
  return GIVEN.flatMap((path) =>
    get(`${path}?`) === undefined
      ? [
          {
            path,
            message: "must be an absolute path on the host; or write `tls: auto` to have one ordered",
            others: ["nginx.tls"],
          },
        ]
      : [],
  );
}

/** Whether an authority on the internet, or a private one, can give a certificate for it over HTTP. */
const canBeOrdered = (name: string) => isHostName(name) && name.includes(".");

function names(get: Get): Violation[] {
  const written = get<string>("nginx.serverName");
  if (!isOrdered(get) || written === undefined) return [];
  const wrong = written.split(" ").filter((name) => !canBeOrdered(name));
  if (wrong.length === 0) return [];
  const message = `cannot be ordered with nginx.tls.auto${written === wrong[0] ? "" : `: ${wrong.join(" ")}`}; write the full names that point to the host, such as faas.example.no`;
  return [{ path: "nginx.serverName", message, others: ["nginx.tls.auto"] }];
}

/** The key and its name are of use only together. */
function accountBinding(get: Get): Violation[] {
  const path = "nginx.tls.auto.eabKeyId";
  const [id, key] = [get(`${path}?`), get("acmeEabKey?")];
  if (id !== undefined && !key)
    return [{ path, message: "needs its key; set it with: pulumi config set --secret acmeEabKey" }];
  return id === undefined && key === "secret"
    ? [{ path, message: "is needed with the secret acmeEabKey", others: ["acmeEabKey"] }]
    : [];
}

export const TLS_RULES: readonly Rule[] = [
  {
    sentence:
      "nginx.tls has auto, or certificate and certificateKey. With auto it has no webroot: that is for a client of your own.",
    check: source,
  },
  {
    sentence: "With nginx.tls.auto, nginx.serverName is one or more full host names, without wildcards.",
    check: names,
  },
  {
    sentence: "nginx.tls.auto.eabKeyId and the secret acmeEabKey are set together.",
    check: accountBinding,
  },
];

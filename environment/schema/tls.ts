/** TLS at the front door: a certificate that is there, or one that is ordered. */
import * as z from "zod";
import * as f from "../fields";

/** ACME's HTTP-01, by the distribution's certbot. */
const auto = z.strictObject({
  directory: f
    .pattern(/^https:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/, "a URL with https://, without a user or password")
    .default("https://acme-v02.api.letsencrypt.org/directory")
    .meta({
      description: "Directory URL of the certificate authority, whose terms you accept with this key.",
      examples: ["https://acme-staging-v02.api.letsencrypt.org/directory"],
    }),
  email: f
    .mail()
    .optional()
    .meta({
      description:
        "Address that the authority writes to. It is given once, when the account there is made. Default: none.",
      examples: ["ops@example.no"],
    }),
  eabKeyId: f
    .pattern(/^[!-$&-~]+$/, "a key's identifier without blanks or %")
    .optional()
    .meta({
      description:
        "Key identifier of an account at the authority (external account binding). Its HMAC key is the secret acmeEabKey. Default: none. Ubuntu 18.04's certbot cannot do this.",
      examples: ["kid-1"],
    }),
  directoryCa: f
    .hostPath()
    .optional()
    .meta({
      description:
        "File on the host with the certificates that vouch for a private directory. Default: the host's own.",
      examples: ["/etc/ssl/certs/internal-ca.pem"],
    }),
});

export const tls = z.strictObject({
  auto: auto.optional().meta({
    description:
      "Order a certificate for the names in serverName, over ACME with HTTP-01, and renew it. `tls: auto` is short for `tls: { auto: {} }`. Until there is one, Nginx has a self-signed placeholder.",
    plain: true,
  }),
  certificate: f
    .hostPath()
    .optional()
    .meta({
      description: "Path of the certificate chain on the host. Required without `auto`.",
      examples: ["/etc/ssl/oslo-faas/fullchain.pem"],
    }),
  certificateKey: f
    .hostPath()
    .optional()
    .meta({
      description: "Path of the certificate's private key on the host. Required without `auto`.",
      examples: ["/etc/ssl/oslo-faas/privkey.pem"],
    }),
  webroot: f
    .hostPath()
    .optional()
    .meta({
      description:
        "Folder on the host whose `.well-known/acme-challenge/` Nginx answers from over HTTP, for an ACME client of your own beside `certificate`. Default: none.",
      examples: ["/var/www/acme"],
    }),
  redirect: f.flag().default(true).meta({
    description: "Redirect HTTP to HTTPS. With false, both answer calls.",
  }),
  hsts: f.flag().default(true).meta({
    description:
      "Tell browsers to use HTTPS alone for the next two years (Strict-Transport-Security). Without `redirect` nothing is told.",
  }),
});

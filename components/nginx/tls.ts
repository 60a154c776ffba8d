/** TLS with the protocols and ciphers of Mozilla's intermediate profile, version 5 (wiki.mozilla.org/Security/Server_Side_TLS). */
import type { Environment } from "../../environment/schema";

/** In its order, without the ciphers that need parameters of Diffie and Hellman. */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** For `server`. */
export const TLS = [
  "ssl_protocols TLSv1.2 TLSv1.3;",
  `ssl_ciphers ${CIPHERS.join(":")};`,
  "ssl_prefer_server_ciphers on;",
  "ssl_ecdh_curve X25519:prime256v1:secp384r1;",
  "ssl_session_cache shared:tls:10m;",
  "ssl_session_timeout 1d;",
  "ssl_session_tickets off;",
];

/** For two years, a browser uses HTTPS alone: only where HTTP has nothing to offer anyway. */
export const hsts = ({ tls }: Environment["nginx"]): string[] =>
  tls?.redirect && tls.hsts ? ["add_header Strict-Transport-Security max-age=63072000 always;"] : [];

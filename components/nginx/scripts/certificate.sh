# shellcheck shell=sh disable=SC2154
# Orders the certificate of Nginx over ACME with certbot, and renews it. The values stand above (components/nginx/certificate.ts):
# STATE (folder of all that is kept), NAMES (separated by blanks), LINEAGE (certbot's name of the certificate), CONFIG (certbot's own
# settings), EAB (1: the account is bound to an external one), CA (file with a private authority, or "").
#   placeholder  makes a self-signed certificate where none is, since Nginx does not start without one
#   renew        orders a certificate, or renews it when it is due; more arguments go to certbot, such as --force-renewal
#   check        ends with 0 while Nginx has the certificate that was ordered last, and it is valid
set -eu
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
live=$STATE/certbot/live/$LINEAGE

make_folders() {
  install -d -m 0755 "$STATE" "$STATE/webroot"
  install -d -m 0700 "$STATE/certbot"
}

# serve CHAIN KEY: both at once, through one link. $before is what the link led to.
serve() {
  new=$(mktemp -d "$STATE/served.XXXXXX")
  cp -- "$1" "$new/fullchain.pem"
  cp -- "$2" "$new/privkey.pem"
  chmod 0600 "$new/privkey.pem"
  before=$(readlink "$STATE/served" || true)
  lead_to "${new##*/}"
}

lead_to() {
  ln -sfn "$1" "$STATE/served.link"
  mv -fT -- "$STATE/served.link" "$STATE/served"
}

# It expires soon, so that the alert about the certificate fires while it is served.
placeholder() {
  [ ! -s "$STATE/served/privkey.pem" ] || return 0
  make_folders
  alternatives=
  for name in $NAMES; do alternatives=$alternatives,DNS:$name; done
  draft=$(mktemp -d)
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj "/CN=placeholder" \
    -addext "subjectAltName=${alternatives#,}" -keyout "$draft/key" -out "$draft/chain" 2>/dev/null
  serve "$draft/chain" "$draft/key"
  rm -rf -- "$draft"
}

order() {
  if [ -n "$EAB" ] && ! certbot --help register | grep -q -- --eab-kid; then
    echo "$(certbot --version 2>&1) cannot bind an account to an external one (eabKeyId)"
    return 1
  fi
  [ -z "$CA" ] || export REQUESTS_CA_BUNDLE="$CA"
  for name in $NAMES; do set -- "$@" -d "$name"; done
  certbot certonly --config "$CONFIG" --non-interactive --agree-tos --no-eff-email \
    --keep-until-expiring --renew-with-new-domains --cert-name "$LINEAGE" \
    --authenticator webroot --webroot-path "$STATE/webroot" \
    --config-dir "$STATE/certbot" --work-dir "$STATE/certbot/work" --logs-dir "$STATE/certbot/logs" \
    --max-log-backups 10 "$@"
}

# What the authority reported, on one line. certbot 2.1 cannot print every answer; its log has them all.
reason() {
  log=$STATE/certbot/logs/letsencrypt.log
  text=$(awk '/^ *(Domain|Identifier): / { on = 1 } /^ *$/ { on = 0 } on' "$1")
  # Not the log of an earlier run, where certbot did not even start.
  if [ -z "$text" ] && [ -n "$(find "$log" -newer "$STATE/lock" 2>/dev/null)" ]; then
    text=$(sed -n 's/^ *"detail": "\(.*\)",*$/\1/p' "$log" | tail -n 1)
  fi
  [ -n "$text" ] || text=$(grep -v -E '^ *$|^(Saving debug log|Ask for help|See the logfile|Account registered|Requesting a)' "$1" | tail -n 3)
  printf '%s' "$text" | tr '\n\t' '  ' | tr -s ' ' | sed 's/^ //' | cut -c 1-600
}

# A reload keeps every connection. A pair that Nginx refuses is not served.
reload_nginx() {
  if ! nginx -t -q; then
    lead_to "$before"
    return 1
  fi
  if systemctl is-active --quiet nginx; then systemctl reload nginx; fi
}

renew() {
  make_folders
  exec 9>"$STATE/lock"
  flock -w 600 9
  touch "$STATE/lock"
  placeholder
  output=$(mktemp)
  code=0
  order "$@" >"$output" 2>&1 || code=$?
  if [ "$code" -eq 0 ] && ! cmp -s "$live/fullchain.pem" "$STATE/served/fullchain.pem"; then
    serve "$live/fullchain.pem" "$live/privkey.pem"
    reload_nginx >>"$output" 2>&1 || code=$?
    for old in "$STATE"/served.*; do
      [ "${old##*/}" = "$(readlink "$STATE/served")" ] || rm -rf -- "$old"
    done
  fi
  if [ "$code" -ne 0 ]; then
    printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(reason "$output")" >"$STATE/error.new"
    mv -f -- "$STATE/error.new" "$STATE/error"
    rm -f -- "$output"
    echo "No certificate for $NAMES from $(sed -n 's/^server = //p' "$CONFIG"): $(cut -d' ' -f2- "$STATE/error")" >&2
    echo "Nginx keeps the certificate that it had. To try again: pulumi up, or on the host: systemctl start oslo-faas-certificate" >&2
    exit 1
  fi
  rm -f -- "$output" "$STATE/error"
  echo "Nginx has a certificate for $NAMES, $(openssl x509 -noout -enddate -in "$STATE/served/fullchain.pem")"
}

check() {
  cmp -s "$live/fullchain.pem" "$STATE/served/fullchain.pem" &&
    openssl x509 -noout -checkend 0 -in "$STATE/served/fullchain.pem" >/dev/null
}

"$@"

# shellcheck shell=sh
# In front of every script (see ../scripts.ts): strict mode, messages in one language, and the one way to refuse.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# refuse MESSAGE REMEDY: ends the script with an error that is meant to be read. Tabs and line breaks would end the fields.
refuse() {
  printf 'REFUSED\t%s\t%s\n' "$(printf '%s' "$1" | tr '\t\n' '  ')" "$(printf '%s' "${2:-}" | tr '\t\n' '  ')" >&2
  exit 90
}

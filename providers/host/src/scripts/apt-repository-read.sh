# shellcheck shell=sh
# Reads an apt source. Parameters: NAME.
# Prints codename=, and where they exist: list= (base64), keyring= (sha256), fingerprints= (of primary keys, separated by spaces).
keyring=/etc/apt/keyrings/$NAME.gpg
list=/etc/apt/sources.list.d/$NAME.list
# shellcheck source=/dev/null
printf 'codename=%s\n' "$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-${UBUNTU_CODENAME:-}}")"
[ ! -e "$list" ] || printf 'list=%s\n' "$(base64 <"$list" | tr -d '\n')"
[ -e "$keyring" ] || exit 0
printf 'keyring=%s\n' "$(sha256sum <"$keyring" | cut -d' ' -f1)"
command -v gpg >/dev/null 2>&1 || exit 0
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'rm -rf -- "$GNUPGHOME"' EXIT
printf 'fingerprints=%s\n' "$(
  { gpg --batch --quiet --no-tty --with-colons --import-options show-only --import "$keyring" 2>/dev/null || true; } |
    awk -F: '$1 == "pub" { want = 1 } $1 == "fpr" && want { printf "%s%s", sep, $10; sep = " "; want = 0 }'
)"

# shellcheck shell=sh
# Adds an apt source, with a key whose full fingerprint is known. Nothing is written before the key is found to be
# the right one, and nothing stays when the source does not answer or its signature is wrong: what was there before comes back.
# Parameters: NAME, LINE ("deb [...] uri SUITE components" with @SUITE@ and @KEYRING@), SUITE ("" is the host's codename),
# FINGERPRINT (40 hex digits, upper case), KEY_URL ("": the key is on stdin), LOCK_SECONDS, UPDATE_SECONDS.
# Prints suite=, source=, keyring= (sha256).
keyring=/etc/apt/keyrings/$NAME.gpg
list=/etc/apt/sources.list.d/$NAME.list

for tool in curl gpg apt-get; do
  command -v "$tool" >/dev/null 2>&1 ||
    refuse "$tool is not on the host: an apt source with a pinned key needs it" "install curl, gnupg and ca-certificates first (host:index:Packages)"
done

work=$(mktemp -d)
# What an interrupted gpg or apt left is removed on every way out.
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' HUP INT TERM
GNUPGHOME=$work/gnupg
export GNUPGHOME
mkdir -m 0700 "$GNUPGHOME"

# shellcheck disable=SC2153 # a parameter
suite=$SUITE
if [ -z "$suite" ]; then
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-${UBUNTU_CODENAME:-}}")
  [ -n "$suite" ] || refuse "/etc/os-release names no codename" "name the suite of the repository in 'suite'"
fi

fetch_key() {
  if [ -z "$KEY_URL" ]; then
    cat >"$work/key"
    return
  fi
  curl --fail --silent --show-error --location --proto '=https,file' --proto-redir '=https' --tlsv1.2 \
    --connect-timeout 10 --max-time 60 --retry 3 --retry-delay 2 --max-filesize 1048576 \
    --output "$work/key" -- "$KEY_URL" 2>"$work/curl" ||
    refuse "cannot fetch the key from $KEY_URL: $(cat "$work/curl")" "check the address and the host's way out, or give the key itself in 'key'"
}

# A file that holds the right key and another one would make apt trust both: the right one has to be alone.
check_key() {
  gpg --batch --quiet --no-tty --with-colons --import-options show-only --import "$work/key" >"$work/colons" 2>"$work/gpg" ||
    refuse "the key of $NAME is not an OpenPGP key: $(tail -n 1 "$work/gpg")" "check keyUrl or key: it must be an (armored) public key"
  found=$(awk -F: '$1 == "pub" || $1 == "sec" { want = 1 } $1 == "fpr" && want { print $10; want = 0 }' "$work/colons" | tr '\n' ' ')
  found=${found% }
  if grep -q '^sec' "$work/colons"; then
    refuse "the key of $NAME is a secret key" "give the public key; and let its owner know that the secret one is about"
  fi
  [ "$found" = "$FINGERPRINT" ] ||
    refuse "the key of $NAME is not the expected one: found fingerprint ${found:-none}, wanted $FINGERPRINT" \
      "nothing was installed. Compare with the fingerprint that the repository's owner publishes; change 'fingerprint' only if theirs changed"
  gpg --batch --quiet --no-tty --import "$work/key" 2>"$work/gpg" || refuse "gpg cannot import the key of $NAME: $(cat "$work/gpg")"
  gpg --batch --quiet --no-tty --export "$FINGERPRINT" >"$work/keyring"
  [ -s "$work/keyring" ] || refuse "gpg exported nothing for $FINGERPRINT"
}

keep_old() {
  for file in "$keyring" "$list"; do
    [ ! -e "$file" ] || cp -p -- "$file" "$work/old-${file##*.}"
  done
}

restore_old() {
  for file in "$keyring" "$list"; do
    if [ -e "$work/old-${file##*.}" ]; then cp -p -- "$work/old-${file##*.}" "$file"; else rm -f -- "$file"; fi
  done
}

put() {
  install -d -m 0755 /etc/apt/keyrings
  install -m 0644 "$work/keyring" "$keyring.new"
  mv -- "$keyring.new" "$keyring"
  source=$(printf '%s' "$LINE" | sed -e "s|@SUITE@|$suite|" -e "s|@KEYRING@|$keyring|")
  printf '%s\n' "$source" >"$list.new"
  chmod 0644 "$list.new"
  mv -- "$list.new" "$list"
}

# Only this source: an unrelated source that is broken is not our business, and its lists stay.
update() {
  timeout "$UPDATE_SECONDS" apt-get update -q -o DPkg::Lock::Timeout=0 \
    -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 >"$work/update" 2>&1
}

# apt 1.6 has no DPkg::Lock::Timeout, hence a loop of our own.
update_with_lock() {
  waited=0
  while :; do
    code=0
    update || code=$?
    if ! grep -qE 'Could not get lock|Unable to lock' "$work/update"; then return "$code"; fi
    if [ "$waited" -ge "$LOCK_SECONDS" ]; then
      restore_old
      refuse "apt's lock was not free within $LOCK_SECONDS s: $(grep -E 'lock' "$work/update" | head -n 1)" "wait for the other apt to end, or stop it"
    fi
    sleep 2
    waited=$((waited + 2))
  done
}

fetch_key
check_key
keep_old
put
# Killed in the middle: no half of a source stays.
trap 'restore_old; exit 130' HUP INT TERM
code=0
update_with_lock || code=$?
# apt-get update calls a source that does not answer a warning, and exits with 0.
if [ "$code" -ne 0 ] || grep -qE '^(E:|Err:|W: (GPG error|Failed to fetch|Some index files failed|An error occurred during the signature))' "$work/update"; then
  restore_old
  [ "$code" -ne 124 ] || refuse "apt-get update of $NAME did not end within $UPDATE_SECONDS s" "check that the host reaches the repository"
  refuse "the apt source $NAME cannot be used, and was removed again: $(grep -E '^(E:|W:|Err:)' "$work/update" | head -n 4)" \
    "check uri, suite and components; where the signature is wrong, the repository is signed by another key than 'fingerprint'"
fi
printf 'suite=%s\nsource=%s\nkeyring=%s\n' "$suite" "$source" "$(sha256sum <"$keyring" | cut -d' ' -f1)"

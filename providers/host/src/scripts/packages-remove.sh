# shellcheck shell=sh disable=SC2154,SC2034
# Purges packages that we brought to the host, after packages-lib.sh and apt.sh, and of their dependencies those that nothing needs any more. What somebody
# else's package needs stays.
# Parameters: LOCK_SECONDS, NAMES (asked for by name, and new then), BROUGHT (all that came with them), UNHOLD (released first).
# Prints kept=NAME for what stays because others need it, left=NAME for what we brought that is still there.

is_listed() {
  for one in $2; do [ "$one" != "$1" ] || return 0; done
  return 1
}

# What would go with a package: itself and what depends on it.
would_remove() {
  apt-get -s purge -- "$@" 2>/dev/null 9>&- | sed -n 's/^\(Purg\|Remv\) \([^ ]*\).*/\2/p'
}

# True when nothing would go but what is ours.
only_ours() {
  for victim in $(would_remove "$1"); do
    is_listed "$victim" "$NAMES $BROUGHT" || return 1
  done
}

purge() {
  [ $# -gt 0 ] || return 0
  apt_get purge --allow-change-held-packages -- "$@" || fail_with "apt-get could not remove $*" "correct what it complains of"
}

# dpkg names a library with its architecture, apt the machine's own without: "libnftnl11:amd64" and "libnftnl11" are one.
plain_names() {
  native=$(dpkg --print-architecture)
  for one in $1; do printf '%s\n' "${one%":$native"}"; done
}

# What an earlier delete brought and had to leave, because a package of another resource needed it: it goes when that goes.
leftovers=/var/lib/oslo-faas/packages-left
BROUGHT="$(plain_names "$BROUGHT $(cat "$leftovers" 2>/dev/null)")"

finish_interrupted
held=$(apt-mark showhold)
for name in $UNHOLD; do
  ! is_held "$name" "$held" || apt_quietly apt-mark unhold "$name" || fail_with "$name could not be released from its hold" "look at the host's dpkg"
done
set --
for name in $NAMES; do
  [ -n "$(version_of "$name")" ] || continue
  if only_ours "$name"; then set -- "$@" "$name"; else printf 'kept=%s\n' "$name"; fi
done
purge "$@"
set --
# apt keeps what another package only recommends or suggests; what we brought was not there for it before.
for name in $(apt-get -s -o APT::AutoRemove::RecommendsImportant=false -o APT::AutoRemove::SuggestsImportant=false autoremove 2>/dev/null 9>&- | sed -n 's/^Remv \([^ ]*\).*/\1/p'); do
  ! is_listed "$name" "$BROUGHT" || set -- "$@" "$name"
done
purge "$@"
rm -f -- "$leftovers"
for name in $BROUGHT; do
  [ -n "$(version_of "$name")" ] || continue
  printf 'left=%s\n' "$name"
  mkdir -p -- "${leftovers%/*}"
  printf '%s\n' "$name" >>"$leftovers"
done
rmdir -- "${leftovers%/*}" 2>/dev/null || true

# shellcheck shell=sh disable=SC2154,SC2034
# Installs packages in the versions wanted, after packages-lib.sh and apt.sh. Nothing to do costs one look at dpkg's list.
# Parameters: LOCK_SECONDS, WANTED (lines "NAME OPERATOR VERSION", "NAME" alone for any version), HOLD (yes, no: release, or "": as it
# is), RECOMMENDS, START (empty: no service is started), MAX_AGE_MINUTES.
# Prints new=NAME for each package that was not on the host before, dependencies included, also when it fails half-way, and
# warning=TEXT for what it went on without.

missing() {
  printf '%s\n' "$WANTED" | while read -r name operator version; do
    [ -z "$name" ] || satisfied "$(version_of "$name")" "$operator" "$version" || printf '%s %s %s\n' "$name" "$operator" "$version"
  done
}

candidate_of() {
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -vx '(none)' | head -n 1
}

available_of() {
  apt-cache madison "$1" 2>/dev/null | cut -d '|' -f 2 | tr -d ' ' | awk '!seen[$0]++'
}

# What apt-get install is to get for a wanted package; nothing where the known lists have none.
choice_for() {
  case $2 in
  '=')
    for one in $(available_of "$1"); do
      if satisfied "$one" '=' "$3"; then
        printf '%s=%s' "$1" "$one"
        return 0
      fi
    done
    ;;
  *)
    candidate=$(candidate_of "$1")
    ! satisfied "$candidate" "$2" "$3" || printf '%s' "$1"
    ;;
  esac
}

choose() {
  : >"$work/choices"
  : >"$work/unknown"
  while read -r name operator version; do
    choice=$(choice_for "$name" "$operator" "$version")
    if [ -n "$choice" ]; then printf '%s\n' "$choice" >>"$work/choices"; else printf '%s %s %s\n' "$name" "$operator" "$version" >>"$work/unknown"; fi
  done <"$work/missing"
}

# By the folders, which a fetch changes: a list itself has the date that its server gave it.
lists_are_old() {
  [ -z "$(find /var/lib/apt/lists /var/lib/apt/lists/partial -maxdepth 0 -mmin "-$MAX_AGE_MINUTES" 2>/dev/null)" ]
}

# One source that is broken fails the whole update, although the lists of the others are there: what counts is whether they have what is
# wanted.
refresh_lists() {
  : >"$work/update"
  apt_get update || cp "$work/apt" "$work/update"
}

broken_sources() {
  grep -E '^(W|E|Err)' "$work/update" | head -n 3 | tr '\n' ' '
}

# Ubuntu's own mark of a part of its archive. Debian has none of that name.
lacks_universe() {
  grep -qs '^ID=ubuntu' /etc/os-release && ! apt-cache policy 2>/dev/null | grep -q 'c=universe'
}

# A service would start with its package's own configuration, on a port that may be another's. An end of this script, even a hard one,
# ends the rule.
start_nothing() {
  rule=/usr/sbin/policy-rc.d
  [ ! -e "$rule" ] || grep -q '^# Written by oslo-faas' "$rule" || return 0
  printf '#!/bin/sh\n# Written by oslo-faas while it installs packages: no service starts.\nif kill -0 %s 2>/dev/null; then exit 101; fi\n' "$$" >"$rule"
  chmod 0755 "$rule"
}

start_again() {
  ! grep -qs '^# Written by oslo-faas' /usr/sbin/policy-rc.d || rm -f -- /usr/sbin/policy-rc.d
}

# All that cannot be had, in one message.
refuse_unknown() {
  said=
  while read -r name operator version; do
    found=$(available_of "$name" | head -n 5 | tr '\n' ' ')
    if [ -z "$found" ]; then
      providers=$(apt-cache showpkg "$name" 2>/dev/null | sed -n '/^Reverse Provides:/,$p' | sed -n '2,$s/ .*//p' | sort -u | head -n 5 | tr '\n' ' ')
      one="there is no package $name${providers:+ (a name that others provide: $providers)}"
    else
      one="there is no $name $operator $version (to be had: $found)"
    fi
    said="${said:+$said; }$one"
  done <"$work/unknown"
  [ ! -s "$work/update" ] || {
    tail -n 40 "$work/update" >&2
    refuse "apt-get update failed, and without it $said" "look at the host's apt sources (/etc/apt) and at whether it reaches them"
  }
  ! lacks_universe || refuse "$said; this host has no source for universe, a part of Ubuntu's archive" "on the host: add-apt-repository universe"
  refuse "$said" "correct the name or the version, or add the apt source that has it (host:index:AptRepository) and depend on it"
}

install_missing() {
  present_names >"$work/before"
  trap 'start_again; present_names | comm -13 "$work/before" - | sed "s/^/new=/"; rm -rf -- "$work"' EXIT
  [ -n "$START" ] || start_nothing
  install_choices && return 0
  # A list that is a few hours old may name a version that its server has replaced.
  if [ -z "$fresh" ] && grep -qE '404|Failed to fetch|Unable to fetch' "$work/apt"; then
    refresh_lists
    choose
    install_choices && return 0
  fi
  [ ! -s "$work/update" ] || broken_sources >&2
  fail_with "apt-get could not install $(paste -s -d ' ' "$work/choices")" "correct what it complains of"
}

install_choices() {
  recommends=--no-install-recommends
  [ -z "$RECOMMENDS" ] || recommends=--install-recommends
  set --
  while read -r choice; do set -- "$@" "$choice"; done <"$work/choices"
  apt_get install "$recommends" --allow-downgrades --allow-change-held-packages -- "$@"
}

hold_or_not() {
  names=$(printf '%s\n' "$WANTED" | cut -d ' ' -f 1)
  held=$(apt-mark showhold)
  for name in $names; do
    if is_held "$name" "$held"; then is=1; else is=; fi
    if [ "$HOLD" = yes ] && [ -z "$is" ]; then
      apt_quietly apt-mark hold "$name" || fail_with "$name could not be held" "look at the host's dpkg"
    elif [ "$HOLD" = no ] && [ -n "$is" ]; then
      apt_quietly apt-mark unhold "$name" || fail_with "$name could not be released from its hold" "look at the host's dpkg"
    fi
  done
}

finish_interrupted
missing >"$work/missing"
if [ -s "$work/missing" ]; then
  fresh=
  : >"$work/update"
  if lists_are_old; then
    refresh_lists
    fresh=1
  fi
  choose
  if [ -s "$work/unknown" ] && [ -z "$fresh" ]; then
    refresh_lists
    choose
  fi
  [ ! -s "$work/unknown" ] || refuse_unknown
  [ ! -s "$work/update" ] || printf 'warning=apt-get update failed, and the other sources had what was wanted: %s\n' "$(broken_sources)"
  install_missing
fi
hold_or_not

# shellcheck shell=sh disable=SC2154,SC2034
# Functions that look at dpkg's list and change nothing.

# The installed version, or nothing.
version_of() {
  dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p' | head -n 1
}

# is_held NAME HELD: HELD is what `apt-mark showhold` prints, which leaves the architecture out for the host's own.
is_held() {
  printf '%s\n' "$2" | sed 's/:.*//' | grep -qxF -- "${1%%:*}"
}

# satisfied VERSION OPERATOR WANTED. A `*` in a version with `=` stands for anything, as apt has it.
satisfied() {
  [ -n "$1" ] || return 1
  case $2 in
  '') return 0 ;;
  '=')
    # shellcheck disable=SC2254 # the pattern is meant as one
    case $1 in $3) return 0 ;; esac
    return 1
    ;;
  *) dpkg --compare-versions "$1" ge "$3" ;;
  esac
}

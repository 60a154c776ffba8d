# shellcheck shell=sh disable=SC2154,SC2034
# Functions around apt and dpkg: one user of apt at a time, waiting with an end, and nothing that asks a question.
# Parameter: LOCK_SECONDS. The script needs a folder $work.
export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
export APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
# needrestart (Ubuntu 22.04 and later) would ask which services to restart; `l` only lists them.
export NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' HUP INT TERM PIPE

command -v apt-get >/dev/null 2>&1 || refuse "there is no apt-get on the host" "this project supports Debian and Ubuntu hosts only"

# Two resources at once would count each other's packages as their own. A daemon that a package starts must not inherit the lock.
exec 9>/run/oslo-faas-apt.lock
flock -w "$LOCK_SECONDS" 9 || refuse "another apt run of oslo-faas on this host did not end within $LOCK_SECONDS s" "look for it: ps -ef | grep apt"

# Who holds one of the files that apt and dpkg lock. bionic's apt does not say.
lock_holder() {
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    [ -e "$lock" ] || continue
    inode=$(stat -c %i -- "$lock")
    pid=$(sed -n "s/^.* WRITE \([0-9][0-9]*\) [0-9a-f]*:[0-9a-f]*:$inode .*/\1/p" /proc/locks | head -n 1)
    if [ -n "$pid" ]; then
      if [ -r "/proc/$pid/comm" ]; then printf '%s (process %s)' "$(cat "/proc/$pid/comm")" "$pid"; else printf 'process %s' "$pid"; fi
      return 0
    fi
  done
  printf 'another process'
}

# apt_quietly COMMAND...: runs it, its output in $work/apt; while somebody else holds a lock it waits and tries again. apt 1.6 has no
# DPkg::Lock::Timeout, hence a loop of our own; where the host's apt.conf sets it, each turn of the loop would wait as long again.
apt_quietly() {
  waited=0
  while :; do
    code=0
    "$@" >"$work/apt" 2>&1 </dev/null 9>&- || code=$?
    [ "$code" -ne 0 ] || return 0
    grep -qE 'Could not get lock|Unable to (lock|acquire the dpkg frontend lock)|is locked by another process|dpkg frontend (lock|is) ' "$work/apt" || return "$code"
    if [ "$waited" -ge "$LOCK_SECONDS" ]; then
      cat "$work/apt" >&2
      refuse "$(lock_holder) held apt's lock for more than $LOCK_SECONDS s" "wait for it to end (unattended-upgrades does by itself), or stop it; then run the same again"
    fi
    sleep 2
    waited=$((waited + 2))
  done
}

apt_get() {
  apt_quietly apt-get -q -y -o DPkg::Lock::Timeout=0 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

fail_with() {
  tail -n 40 "$work/apt" >&2
  refuse "$1" "$2"
}

# What an earlier run, killed in the middle, has left half done would fail every step after it.
finish_interrupted() {
  if [ -z "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] &&
    ! dpkg-query -W -f '${db:Status-Abbrev}\n' 2>/dev/null | grep -qE '^.[UFWtH]|^..R'; then
    return 0
  fi
  apt_quietly dpkg --force-confdef --force-confold --configure -a ||
    fail_with "an earlier installation was interrupted, and 'dpkg --configure -a' does not complete it" "correct what it complains of on the host"
}

# What has come to the host, half configured packages too: they are completed by a later run, and are ours all the same.
present_names() {
  dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -e '/^not-installed /d' -e '/^config-files /d' -e 's/^[^ ]* //' | sort
}

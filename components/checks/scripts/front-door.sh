# The functions of the checks that end an `up`; the calls of them are appended (render.ts). Standard input: curl's login.
# shellcheck shell=sh
set -u
login=$(cat)

# expect URL STATUS [login]: waits up to a minute, since a service that was just rolled may still be joining.
expect() {
  url=$1
  want=$2
  shift 2
  tries=0
  while [ "$tries" -lt "${CHECK_TRIES:-30}" ]; do
    if [ $# -gt 0 ]; then config=$login; else config=; fi
    got=$(printf '%s\n' "$config" | curl -k -s -o /dev/null -m 10 -w '%{http_code}' --config - "$url")
    if [ "$got" = "$want" ]; then
      echo "ok $want $url"
      return 0
    fi
    tries=$((tries + 1))
    sleep "${CHECK_PAUSE:-2}"
  done
  echo "check failed: $url answered $got, wanted $want (on the host: systemctl status nginx; docker service ls)" >&2
  exit 1
}

# "ID:running ID:running": the tasks of a service that are wanted, and what they do.
tasks() {
  docker service ps --filter desired-state=running --format '{{.ID}} {{.CurrentState}}' "$1" | awk '{ print $1 ":" tolower($2) }' | sort
}

# stays SERVICE: a service that crashes and is started again counts as running at many a moment, so the same tasks have to run twice.
stays() {
  tries=0
  while [ "$tries" -lt "${CHECK_TRIES:-12}" ]; do
    before=$(tasks "$1")
    sleep "${CHECK_PAUSE:-5}"
    after=$(tasks "$1")
    if [ -n "$before" ] && [ "$before" = "$after" ] && ! echo "$after" | grep -qv ':running$'; then
      echo "ok running $1"
      return 0
    fi
    tries=$((tries + 1))
  done
  echo "check failed: service $1 does not stay up (on the host: docker service logs $1):" >&2
  docker service ps --no-trunc --format '{{.Name}} {{.CurrentState}} {{.Error}}' "$1" | head -3 >&2
  exit 1
}

# all_stay SERVICE...: at once, since each takes its seconds.
all_stay() {
  pids=
  for service in "$@"; do
    stays "$service" &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid" || exit 1; done
}

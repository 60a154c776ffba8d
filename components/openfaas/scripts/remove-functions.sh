#!/bin/sh
# Removes the functions that are left when the provider is gone: those that somebody deployed with faas-cli. Their network cannot be
# removed while they use it. What it prints is shown by `pulumi destroy`.
set -eu
label=com.openfaas.function

names=$(docker service ls --filter "label=$label" --format '{{.Name}}')
[ -n "$names" ] || exit 0
# Names have neither spaces nor characters of the shell's patterns.
# shellcheck disable=SC2086
set -- $names
echo "removed, as somebody deployed them outside of this stack: $*" >&2
docker service rm "$@" >/dev/null

# Replicas finish the calls that they have. The network is free when their containers are gone.
tries=0
while [ -n "$(docker ps -q --filter "label=$label")" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then
    echo "replicas of removed functions still run after 5 minutes (on the host: docker ps --filter label=$label)" >&2
    exit 1
  fi
  sleep 1
done

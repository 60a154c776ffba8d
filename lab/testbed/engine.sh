#!/bin/sh
# A Docker engine of its own for the tests, in namespaces of its own: neither the machine's engine nor its network, mounts or
# firewall rules see it. Ends and leaves nothing when its standard input closes, which is what happens to it however its
# parent ends, killed included.
#   swarm-provider-engine.sh DIR NAME    the socket is DIR/docker.sock, NAME is the parent of its control groups
set -eu
dir=$1
name=$2

clean() {
  # All of its processes, containers too, are in the process namespace that ends with this one.
  kill -KILL "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  # Its last containers and mounts go a moment after its first process.
  tries=0
  until clear_away || [ "$tries" -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.2
  done
}

clear_away() {
  left=0
  for top in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -d "$top/$name" ] || continue
    find "$top/$name" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
  done
  rm -rf "$dir" 2>/dev/null || left=1
  return "$left"
}

# $1 and $2 are the inner shell's.
# shellcheck disable=SC2016
unshare --net --mount --pid --fork --kill-child=KILL --mount-proc --propagation private sh -c '
  mount -t tmpfs tmpfs /run
  ip link set lo up
  dockerd --host "unix://$1/docker.sock" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/docker.pid" \
    --cgroup-parent "/$2" --group "" --storage-driver overlay2 >"$1/dockerd.log" 2>&1 &
  wait
' sh "$dir" "$name" </dev/null &
engine=$!
echo "$engine" >"$dir/engine.pid"
trap clean EXIT
cat >/dev/null

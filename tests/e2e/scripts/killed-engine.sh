#!/bin/sh
# What is left of a dockerd that was killed, in several ways, and `up` and `down` after each. Prints a line per step; the lines
# are checked by lab-engine.test.ts. Runs inside private-machine.sh, in the clone's root.
set -eu
lab() {
  node --import tsx lab/cli.ts "$@"
}
number_in() {
  cat "/run/docker$1" 2>/dev/null || true
}
# Kills processes and waits until they are gone. dockerd and containerd end each other, so one may have gone by itself before its turn.
slay() {
  kill -9 "$@" 2>/dev/null || true
  for number in "$@"; do
    tries=0
    until gone "$number"; do
      tries=$((tries + 1))
      [ "$tries" -lt 100 ] || { echo "process $number is still there" >&2 && return 1; }
      sleep 0.1
    done
  done
}
# A killed process stays a zombie until its parent collects it.
gone() {
  ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}
containers() {
  # The shims that hold containers; none may outlive the lab. (The brackets: grep is not to find itself.)
  grep -l '[c]ontainerd-shim' /proc/[0-9]*/cmdline 2>/dev/null | wc -l
}
mounts() {
  grep -c -E ' /(var/lib/docker/.|run/docker/)' /proc/self/mounts || true
}

lab host
echo "STEP started"

slay "$(number_in .pid)"
lab host
echo "STEP dockerd killed"

slay "$(number_in .pid)" "$(number_in /containerd/containerd.pid)"
lab host
echo "STEP both killed"

# A pid file that names a living process which is another program: dockerd alone would refuse to start.
slay "$(number_in .pid)"
sleep 1000 &
echo $! >/run/docker.pid
lab host
echo "STEP pid file of another program"

# Something in containerd's place, so that it cannot start over what there is.
slay "$(number_in .pid)" "$(number_in /containerd/containerd.pid)"
rm -rf /run/docker/containerd
echo in the way >/run/docker/containerd
lab host
echo "STEP containerd cannot start"

slay "$(number_in .pid)"
lab down
echo "STEP down with a dead engine"
echo "LEFT containers=$(containers) mounts=$(mounts) engine=$(find /run/docker.pid 2>/dev/null | wc -l) links=$(ip -o link | grep -c -E ': (br-|veth)')"

lab down
echo "STEP down again"

#!/bin/sh
# private-machine.sh FOLDER COMMAND…
# Runs COMMAND as if on a machine of its own: its own processes, mounts, network and Docker engine, all gone when it ends.
# What dockerd keeps lies under FOLDER. Needs root.
set -eu
if [ "${PRIVATE_MACHINE:-}" != inside ]; then
  PRIVATE_MACHINE=inside exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc --net "$0" "$@"
fi
folder=$1
shift
# Copies of what the real machine's engine has mounted: not this machine's, and undone here alone (--propagation private).
for point in $(cut -d' ' -f2 /proc/self/mounts | grep -E '^/(var/lib/docker|run/docker)/' || true); do
  umount -l "$point"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /var/lib/docker "$folder/docker"
mount --bind "$folder/docker" /var/lib/docker
# dockerd wants a default route, wherever it leads.
ip link set lo up
ip link add outside type bridge
ip address add 198.51.100.2/24 dev outside
ip link set outside up
ip route add default via 198.51.100.1
"$@"

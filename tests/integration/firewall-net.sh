#!/bin/sh
# A host with its neighbours, as network namespaces named $1-NAME: `outside` on the host's segment; `function` on docker_gwbridge and
# `compose` on another bridge; `other`, a machine that the host forwards to. On the host a VXLAN device as an overlay network has one
# (VNI 4097, 10.99.0.1 within), and the engine's DNAT of the gateway's port.
# $2: up or down.
set -eu
P=$1
names="host outside function compose other"
if [ "$2" = down ]; then
  for name in $names; do ip netns del "$P-$name" 2>/dev/null || true; done
  exit 0
fi
on() {
  ns=$1
  shift
  ip netns exec "$P-$ns" "$@"
}
for name in $names; do
  ip netns add "$P-$name"
  on "$name" ip link set lo up
done
on host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# wire NAME HOST-SIDE: a cable from the host; on the host its end is called HOST-SIDE.
wire() {
  ip link add "$2" netns "$P-host" type veth peer name eth0 netns "$P-$1"
  on host ip link set "$2" up
  on "$1" ip link set eth0 up
}
# address NAME INTERFACE-OF-HOST NETWORK NETWORK6
address() {
  on host ip addr add "$3.1/24" dev "$2"
  on host ip addr add "$4::1/64" dev "$2" nodad
  on "$1" ip addr add "$3.2/24" dev eth0
  on "$1" ip addr add "$4::2/64" dev eth0 nodad
  on "$1" ip route add default via "$3.1"
  on "$1" ip -6 route add default via "$4::1"
}
wire outside eth0 && address outside eth0 198.51.100 2001:db8:1
wire other lan0 && address other lan0 10.20.0 fd00:20
for pair in "function docker_gwbridge 172.18.0 fd00:18" "compose br-compose 172.19.0 fd00:19"; do
  # shellcheck disable=SC2086 # four words
  set -- $pair
  on host ip link add "$2" type bridge
  on host ip link set "$2" up
  wire "$1" "port-$1"
  on host ip link set "port-$1" master "$2"
  address "$1" "$2" "$3" "$4"
done
on host ip addr add 169.254.169.254/32 dev lan0

on host ip link add vx0 type vxlan id 4097 dstport 4789 local 198.51.100.1 nolearning
on host ip link set vx0 address 02:00:00:00:00:01
on host ip addr add 10.99.0.1/24 dev vx0
on host ip link set vx0 up
on host nft -f - <<'NFT'
table ip engine {
  chain publish {
    type nat hook prerouting priority -100;
    fib daddr type local tcp dport 8080 dnat to 172.18.0.2:8080
    fib daddr type local tcp dport 9000 dnat to 172.18.0.2:9000
  }
}
NFT

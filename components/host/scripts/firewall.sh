#!/bin/sh
# Keeps the ports closed that the rules close, whoever flushes the kernel's tables.
# Usage: firewall.sh load | watch | check, with RULES (the rules' file) and RUN (a folder for what was loaded) in the environment.
#
# The table is there twice. Everybody can flush the first; the watch puts it back as soon as the kernel tells of it. The second belongs
# to the watch itself (`flags owner`, from Linux 5.12 on): no other program can change it, so nothing is open in between. Where the
# watch is restarted, the first stands alone for that moment.
set -u
RULES=${RULES:-/etc/oslo-faas/firewall.nft}
RUN=${RUN:-/run/oslo-faas}
TABLE=oslo_faas
HELD=oslo_faas_held

load() {
  nft -f "$RULES" && mkdir -p "$RUN" && nft list table inet $TABLE >"$RUN/firewall.loaded"
}

check() {
  nft list table inet $TABLE 2>/dev/null | cmp -s - "$RUN/firewall.loaded"
}

put_back() {
  check && return
  # Once more: it may have been seen while `load` was at work.
  sleep 0.05
  check && return
  echo "the table inet $TABLE was changed or flushed by somebody, and is loaded again" >&2
  load
}

hold() {
  sed -e "s/inet $TABLE/inet $HELD/" -e "s/^table inet $HELD {\$/&\n  flags owner;/" "$RULES" >"$RUN/firewall.held"
  # It lives as long as the program that made it.
  { echo "include \"$RUN/firewall.held\"" && exec sleep infinity; } | nft -i >/dev/null 2>&1 &
}

# What the kernel tells of may be lost where it has a lot to tell.
patrol() {
  while sleep 5; do put_back; done
}

case $1 in
load) load ;;
check) check ;;
watch)
  hold
  patrol &
  nft monitor | while read -r event; do
    case $event in
    *"inet $TABLE"*) put_back ;;
    esac
  done
  echo "nft monitor ended" >&2
  exit 1
  ;;
*) exit 64 ;;
esac

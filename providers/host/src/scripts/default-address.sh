# shellcheck shell=sh
# Prints the address by which other hosts reach this one: the source address of the default route, or 127.0.0.1 without one.
address=
if command -v ip >/dev/null 2>&1; then
  device=$(ip -4 route show default 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')
  [ -z "$device" ] || address=$(ip -4 -o addr show dev "$device" scope global | awk '{ split($4, a, "/"); print a[1]; exit }')
fi
printf '%s\n' "${address:-127.0.0.1}"

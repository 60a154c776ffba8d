# shellcheck shell=sh
# What a unit is and what our files of it hold. Parameters: UNIT, PROBE (a command, or ""). stdin: paths of files, one a line.
# Prints the properties as systemctl does, enabled=STATE, works=no where the probe fails, and "file<tab>path<tab>content in base64" for each file that exists.
systemctl show --no-pager --property=LoadState,ActiveState,SubState,Type,Result,RemainAfterExit,NRestarts,UnitFileState,ExecMainExitTimestampMonotonic -- "$UNIT"
printf 'enabled=%s\n' "$(systemctl is-enabled -- "$UNIT" 2>/dev/null || true)"
[ -z "$PROBE" ] || timeout 20 sh -c "$PROBE" >/dev/null 2>&1 </dev/null || echo works=no
while IFS= read -r path; do
  [ ! -f "$path" ] || printf 'file\t%s\t%s\n' "$path" "$(base64 <"$path" | tr -d '\n')"
done

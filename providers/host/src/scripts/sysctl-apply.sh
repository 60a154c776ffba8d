# shellcheck shell=sh
# Writes kernel settings, all or none. Straight to /proc/sys: the sysctl command is not on every minimal host.
# stdin: one setting a line, "key<tab>path under /proc/sys<tab>must|may<tab>value".
# Prints "skipped<tab>key<tab>why" and "set<tab>key<tab>previous<tab>effective" with runs of blanks as one space.
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cat >"$work/wanted"
tab=$(printf '\t')
value_of() { tr -s '\t ' '  ' <"/proc/sys/$1" | sed 's/^ //; s/ $//'; }

# First look at all of them, so that a refusal names every one and nothing is written.
: >"$work/writable"
: >"$work/wrong"
while IFS=$tab read -r key path need value; do
  why=
  if [ ! -e "/proc/sys/$path" ]; then
    why="does not exist"
  elif [ ! -f "/proc/sys/$path" ]; then
    why="is a folder of settings"
  elif [ ! -w "/proc/sys/$path" ]; then
    why="cannot be written"
  fi
  if [ -z "$why" ]; then
    printf '%s\t%s\t%s\t%s\n' "$key" "$path" "$need" "$value" >>"$work/writable"
  elif [ "$need" = may ]; then
    printf 'skipped\t%s\t%s\n' "$key" "$why"
  else
    printf '%s %s, ' "$key" "$why" >>"$work/wrong"
  fi
done <"$work/wanted"
if [ -s "$work/wrong" ]; then
  wrong=$(cat "$work/wrong")
  refuse "kernel settings that this host does not take: ${wrong%, }" \
    "remove them, load the module they belong to, or name them in 'optional' where a host may go without"
fi

undo() {
  while IFS=$tab read -r written before; do
    printf '%s\n' "$before" >"/proc/sys/$written" 2>/dev/null || true
  done <"$work/done"
}

: >"$work/done"
while IFS=$tab read -r key path need value; do
  previous=$(value_of "$path" 2>/dev/null || true)
  if [ "$previous" != "$value" ] && ! printf '%s\n' "$value" 2>/dev/null >"/proc/sys/$path"; then
    if [ "$need" = may ]; then
      printf 'skipped\t%s\t%s\n' "$key" "the kernel refused $value"
      continue
    fi
    undo
    refuse "the kernel refused $key = $value (it is $previous)" "give a value that this kernel takes; what was set before it was put back"
  fi
  printf '%s\t%s\n' "$path" "$previous" >>"$work/done"
  printf 'set\t%s\t%s\t%s\n' "$key" "$previous" "$(value_of "$path" 2>/dev/null || true)"
done <"$work/writable"

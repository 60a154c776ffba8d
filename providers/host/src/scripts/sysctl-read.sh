# shellcheck shell=sh
# What the kernel and our file say. Parameters: FILE. stdin: "key<tab>path under /proc/sys", one a line.
# Prints file= (base64) where it exists, and "value<tab>key<tab>value" for each setting that can be read.
tab=$(printf '\t')
[ ! -e "$FILE" ] || printf 'file=%s\n' "$(base64 <"$FILE" | tr -d '\n')"
while IFS=$tab read -r key path; do
  [ -f "/proc/sys/$path" ] || continue
  value=$(tr -s '\t ' '  ' <"/proc/sys/$path" 2>/dev/null | sed 's/^ //; s/ $//') || continue
  printf 'value\t%s\t%s\n' "$key" "$value"
done

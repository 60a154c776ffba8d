# shellcheck shell=sh disable=SC2154,SC2034
# Deletes a file, after file-lib.sh: restores the earlier file, and removes folders made for it once they are empty.
# Parameters: TARGET, KEY, ON_DELETE. Something else in its place (a directory, a link) is not ours and stays.
record=/var/lib/oslo-faas/files/$KEY
folder=${TARGET%/*}
folder=${folder:-/}
if [ -f "$record/original" ] && [ -d "$folder" ] && [ ! -d "$TARGET" ]; then
  cp -a -- "$record/original" "$folder/.oslo-faas.original"
  sync -- "$folder/.oslo-faas.original"
  mv -fT -- "$folder/.oslo-faas.original" "$TARGET"
elif [ -f "$TARGET" ] && [ ! -L "$TARGET" ]; then
  rm -f -- "$TARGET"
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' HUP INT TERM PIPE
: >"$work/hooks"
if ! run_hooks "$ON_DELETE" "$work/hooks"; then
  cat "$work/hooks" >&2
  refuse "'$failed' failed with exit code $failed_code after $TARGET was taken away" "correct it on the host, and run the same again"
fi
rm -rf -- "$record"
drop_empty_folders "$folder"
rmdir -- /var/lib/oslo-faas/files /var/lib/oslo-faas/folders /var/lib/oslo-faas 2>/dev/null || true

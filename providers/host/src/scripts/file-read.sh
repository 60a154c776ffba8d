# shellcheck shell=sh disable=SC2154,SC2034
# What is at TARGET. Parameters: TARGET, EXPECT (sha256 of the content that is known; the content travels only when it is another),
# LIMIT (bytes above which it does not travel), SECRET (1: it never travels).
# Prints kind= (missing, file, or what else is there), and for a file size=, mode=, owner=, group=, sha256=, content= (base64).
if [ -L "$TARGET" ]; then
  printf 'kind=a symbolic link to %s\n' "$(readlink -- "$TARGET")"
elif [ ! -e "$TARGET" ]; then
  printf 'kind=missing\n'
elif [ ! -f "$TARGET" ]; then
  printf 'kind=a %s\n' "$(stat -c %F -- "$TARGET")"
else
  printf 'kind=file\n'
  stat -c 'size=%s
mode=%a
owner=%U
group=%G' -- "$TARGET"
  sum=$(sha256sum <"$TARGET")
  sum=${sum%% *}
  printf 'sha256=%s\n' "$sum"
  if [ "$sum" != "$EXPECT" ] && [ -z "$SECRET" ] && [ "$(stat -c %s -- "$TARGET")" -le "$LIMIT" ]; then
    printf 'content='
    base64 -w 0 <"$TARGET"
    printf '\n'
  fi
fi

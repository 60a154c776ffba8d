# shellcheck shell=sh disable=SC2154,SC2034
# Applies a file, after put-file.sh and file-lib.sh: keeps the earlier file, replaces it only if it differs, runs what is to
# be run after a change, and puts the old file back when that fails.
# Parameters, besides those of put-file.sh: KEY (names the record), PLAIN_MODE (octal digits without leading zeros), ON_CHANGE.
# Prints changed=1 or changed=.
#
# The record of a file, /var/lib/oslo-faas/files/KEY:
#   path      which file it is about
#   original  what was there before the first time; absent: nothing was
#   previous  the last version whose commands went well, while a change is under way
#   pending   a change is under way: a run that was killed in the middle has the next one run the commands
record=/var/lib/oslo-faas/files/$KEY
own_record=

make_record() {
  [ ! -d "$record" ] || return 0
  own_record=1
  rm -rf -- "$record.new"
  install -d -m 0700 -- /var/lib/oslo-faas /var/lib/oslo-faas/files
  mkdir -m 0700 -- "$record.new"
  printf '%s\n' "$TARGET" >"$record.new/path"
  [ ! -e "$TARGET" ] || cp -a -- "$TARGET" "$record.new/original"
  [ ! -e "$record.new/original" ] || sync -- "$record.new/original"
  mv -T -- "$record.new" "$record"
}

is_as_wanted() {
  [ -f "$TARGET" ] && cmp -s -- "$temporary" "$TARGET" &&
    [ "$(stat -c '%a %U %G' -- "$TARGET")" = "$PLAIN_MODE $OWNER $GROUP" ]
}

keep_previous() {
  # One that is there with a change under way is the last good version; what is in place was never accepted.
  [ ! -e "$record/pending" ] || return 0
  rm -f -- "$record/previous"
  if [ -e "$TARGET" ]; then
    cp -a -- "$TARGET" "$record/previous.new"
    mv -- "$record/previous.new" "$record/previous"
  fi
  : >"$record/pending"
  sync -- "$record"
}

put_back() {
  if [ -e "$record/previous" ]; then
    cp -a -- "$record/previous" "$folder/.oslo-faas.previous"
    mv -fT -- "$folder/.oslo-faas.previous" "$TARGET"
    done_about_it="the file before it was put back"
  else
    rm -f -- "$TARGET"
    done_about_it="the file was taken away again"
  fi
}

roll_back() {
  what="'$failed' failed with exit code $failed_code after $TARGET was changed"
  cat "$work/hooks" >&2
  put_back
  if run_hooks "$ON_CHANGE" "$work/again"; then
    done_about_it="$done_about_it and the commands were run again"
  else
    printf 'with the old file:\n' >&2
    cat "$work/again" >&2
    done_about_it="$done_about_it, but '$failed' fails with it too (exit code $failed_code)"
  fi
  rm -f -- "$record/pending" "$record/previous"
  if [ -n "$own_record" ]; then
    rm -rf -- "$record"
    drop_empty_folders "$folder"
  fi
  refuse "$what; $done_about_it" "correct the content by what the command printed, and run the same again"
}

work=$(mktemp -d)
: >"$work/hooks"
refuse_odd_target
mark_missing_folders "$folder"
receive_file
validate_file
changed=
is_as_wanted || changed=1
make_record
if [ -n "$changed" ]; then
  keep_previous
  replace_file
fi
if [ -e "$record/pending" ]; then
  run_hooks "$ON_CHANGE" "$work/hooks" || roll_back
  rm -f -- "$record/pending" "$record/previous"
fi
printf 'changed=%s\n' "$changed"

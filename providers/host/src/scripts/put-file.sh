# shellcheck shell=sh disable=SC2154,SC2034
# Functions that put a file in its place in one step. Nothing replaces $TARGET before the whole content has arrived, belongs to whom
# it should, and has been accepted by the check.
# Parameters: TARGET (absolute path), SIZE (bytes that have to arrive on stdin), MODE, OWNER, GROUP, VALIDATE (a command with
# "$temporary" in it, or "").
temporary=
# Each script that needs a folder of its own sets it; removed with the temporary file, however the script ends.
work=
clean_up() {
  [ -z "$temporary" ] || rm -f -- "$temporary"
  [ -z "$work" ] || rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM PIPE

folder=${TARGET%/*}
folder=${folder:-/}

refuse_odd_target() {
  [ ! -L "$TARGET" ] || refuse "$TARGET is a symbolic link to $(readlink -- "$TARGET")" "give the path it points to, or remove the link"
  [ ! -d "$TARGET" ] || refuse "$TARGET is a directory" "remove it from the host, or give another path"
  [ ! -e "$TARGET" ] || [ -f "$TARGET" ] || refuse "$TARGET is not a regular file but a $(stat -c %F -- "$TARGET")" "give another path"
  id -u -- "$OWNER" >/dev/null 2>&1 || refuse "there is no user $OWNER on the host, who should own $TARGET" "make the user first: dependsOn what makes it"
  getent group -- "$GROUP" >/dev/null || refuse "there is no group $GROUP on the host, which $TARGET should belong to" "make the group first: dependsOn what makes it"
}

receive_file() {
  mkdir -p -- "$folder" || refuse "the folder $folder cannot be made" "look at what is in its way"
  temporary=$(mktemp -- "$folder/.oslo-faas.XXXXXXXX") || refuse "nothing can be written to $folder; $TARGET is what it was" "df -h $folder; mount | grep ro"
  cat >"$temporary" || refuse "$TARGET cannot be written; it is what it was" "df -h $folder; df -i $folder"
  arrived=$(stat -c %s -- "$temporary")
  # A connection lost in the middle ends stdin early: half a file must not pass for a whole one.
  [ "$arrived" -eq "$SIZE" ] || refuse "only $arrived of the $SIZE bytes of $TARGET arrived; it is what it was" "run the same command again"
  chown -- "$OWNER:$GROUP" "$temporary"
  chmod -- "$MODE" "$temporary"
}

validate_file() {
  [ -n "$VALIDATE" ] || return 0
  code=0
  # `exit` in the check ends the subshell alone.
  (eval "$VALIDATE") </dev/null 1>&2 || code=$?
  [ "$code" -eq 0 ] || refuse "the new content of $TARGET was refused by its check (exit code $code): $VALIDATE" "correct the content; $TARGET on the host is what it was"
}

replace_file() {
  sync -- "$temporary" || refuse "$TARGET cannot be written to the disk; it is what it was" "dmesg | tail; df -h $folder"
  mv -fT -- "$temporary" "$TARGET"
  temporary=
  sync -- "$folder"
}

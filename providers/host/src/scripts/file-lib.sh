# shellcheck shell=sh disable=SC2154,SC2034
# Functions for a file: its commands (onChange, onDelete), given as `hook 'COMMAND'` joined by && in a parameter, and the
# folders that were made for it.
failed=
failed_code=0

# The output of all commands goes to $hook_output; the first that fails ends the list.
hook() {
  printf '$ %s\n' "$1" >>"$hook_output"
  sh -c "$1" </dev/null >>"$hook_output" 2>&1 || {
    failed_code=$?
    failed=$1
    return 1
  }
}

run_hooks() {
  hook_output=$2
  failed=
  # A list of `hook` lines joined by &&: `set -e` does not end a script inside of a condition.
  [ -z "$1" ] || eval "$1"
}

# Each folder that was made here has a mark, so that it is removed with the last file in it.
mark_of() {
  printf '/var/lib/oslo-faas/folders/%s' "$(printf '%s' "$1" | sha256sum | cut -c 1-32)"
}

mark_missing_folders() {
  above=$1
  while [ ! -e "$above" ]; do
    install -d -m 0700 -- /var/lib/oslo-faas /var/lib/oslo-faas/folders
    printf '%s\n' "$above" >"$(mark_of "$above")"
    above=${above%/*}
    above=${above:-/}
  done
}

drop_empty_folders() {
  above=$1
  while [ -e "$(mark_of "$above")" ]; do
    [ ! -d "$above" ] || rmdir -- "$above" 2>/dev/null || return 0
    rm -f -- "$(mark_of "$above")"
    above=${above%/*}
    above=${above:-/}
  done
}

# shellcheck shell=sh
# Functions that run the commands of a file (onChange, onDelete), given as lines `hook 'COMMAND'` in a parameter.
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

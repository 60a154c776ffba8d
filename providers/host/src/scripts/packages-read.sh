# shellcheck shell=sh disable=SC2154,SC2034
# After packages-lib.sh. Parameter: WANTED (as in packages-apply.sh). Prints for each installed one "NAME=VERSION WITHIN HELD", WITHIN
# and HELD being yes or no; nothing for one that is not installed.
held=$(apt-mark showhold)
printf '%s\n' "$WANTED" | while read -r name operator bound; do
  version=$(version_of "$name")
  [ -n "$version" ] || continue
  within=no
  ! satisfied "$version" "$operator" "$bound" || within=yes
  is=no
  ! is_held "$name" "$held" || is=yes
  printf '%s=%s %s %s\n' "$name" "$version" "$within" "$is"
done

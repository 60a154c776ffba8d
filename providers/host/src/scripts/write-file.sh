# shellcheck shell=sh disable=SC2154,SC2034
# Session.writeFile: after put-file.sh, whose parameters it has.
refuse_odd_target
receive_file
validate_file
replace_file

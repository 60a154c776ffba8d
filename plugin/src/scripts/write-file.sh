# shellcheck shell=sh
# Session.writeFile: after put-file.sh, whose parameters it has.
refuse_odd_target
receive_file
validate_file
replace_file

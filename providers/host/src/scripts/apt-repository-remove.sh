# shellcheck shell=sh
# Removes an apt source, its keyring and its downloaded lists. Parameters: NAME.
keyring=/etc/apt/keyrings/$NAME.gpg
list=/etc/apt/sources.list.d/$NAME.list
if [ -e "$list" ] && command -v apt-get >/dev/null 2>&1; then
  # "deb [options] uri suite component ...": apt names its files SITE_PATH_dists_SUITE_..., with _ for /.
  suite=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}[^ ]* \([^ ]*\).*/\2/p' "$list" | head -n 1 | tr / _)
  # apt itself says how it wrote the first part; the pattern keeps to its own folder.
  # shellcheck disable=SC2016 # apt's own variable
  apt-get indextargets -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- --format '$(FILENAME)' 2>/dev/null |
    while IFS= read -r file; do
      case $file in
      /var/lib/apt/lists/*_dists_"$suite"_*) printf '%s\n' "${file%%_dists_"$suite"_*}_dists_${suite}_" ;;
      esac
    done | sort -u |
    while IFS= read -r prefix; do
      [ -z "$suite" ] || rm -f -- "$prefix"*
    done
fi
rm -f -- "$list" "$keyring"
# Ours where no package has it: apt's own has it from Debian 12 and Ubuntu 22.04 on.
dpkg-query -S /etc/apt/keyrings >/dev/null 2>&1 || rmdir -- /etc/apt/keyrings 2>/dev/null || true

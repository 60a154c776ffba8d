# shellcheck shell=sh
# Which start-up file of the login shell prints: prints its name, or nothing where none of the usual ones does. sshd's variables are
# taken away, or a bash inside would read its files by itself.
shell=${SHELL:-/bin/sh}
case $shell in
*/bash) set -- /etc/bash.bashrc "$HOME/.bashrc" ;;
*/zsh) set -- /etc/zsh/zshenv /etc/zshenv "$HOME/.zshenv" ;;
*/fish) set -- "$HOME/.config/fish/config.fish" ;;
*) set -- ;;
esac
for file in "$@" "$HOME/.ssh/rc" /etc/ssh/sshrc; do
  [ -r "$file" ] || continue
  # shellcheck disable=SC2016 # the inner shell's own word
  said=$(env -u SSH_CLIENT -u SSH2_CLIENT -u SSH_CONNECTION timeout 5 "$shell" -c ". '$file'" </dev/null 2>/dev/null | head -c 1)
  [ -z "$said" ] || {
    printf '%s\n' "$file"
    exit 0
  }
done

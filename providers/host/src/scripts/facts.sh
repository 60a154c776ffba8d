# shellcheck shell=sh
# Everything that preflight and facts want to know of a host, in one round trip. Reads only; with FSYNC_COUNT above 0 it writes one
# temporary file. Runs as the user that logged in: whether sudo works is one of the questions.
# Parameters: FSYNC_COUNT (writes for the measurement, 0: none), FSYNC_SECONDS (its limit).
# Prints key=value lines; "listen=PORT NAME" once per listening TCP socket, "interface=NAME ADDRESS/PREFIX", "route=NETWORK" and "ufw=RULE" likewise. Every probe may fail alone: then its value is "unknown".
say() { printf '%s=%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }

if [ "$(id -u)" = 0 ]; then
  sudo=root
  as_root() { "$@"; }
elif have sudo && says=$(LC_ALL=C sudo -n true 2>&1); then
  sudo=yes
  as_root() { sudo -n -- "$@"; }
else
  sudo=no
  as_root() { "$@"; }
fi
say sudo "$sudo"
[ "$sudo" != no ] || say sudoSays "$(printf '%s' "${says:-}" | head -n 1)"
say user "$(id -un 2>/dev/null || id -u)"

system() {
  (
    # shellcheck source=/dev/null
    . /etc/os-release 2>/dev/null || true
    say osId "${ID:-unknown}"
    say osVersion "${VERSION_ID:-}"
    say codename "${VERSION_CODENAME:-${UBUNTU_CODENAME:-}}"
    say osName "${PRETTY_NAME:-}"
  )
  say hostname "$(uname -n)"
  say kernel "$(uname -r)"
  say arch "$(dpkg --print-architecture 2>/dev/null || uname -m)"
  say cpus "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 0)"
  say memoryKiB "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
  say diskFreeKiB "$(df -Pk /var/lib 2>/dev/null | awk 'NR == 2 { print $4 }')"
  if [ -d /run/systemd/system ]; then say systemd yes; else say systemd no; fi
}

# The innermost layer counts: a container in a virtual machine is a container.
virtualization() {
  found=
  kind=
  if have systemd-detect-virt; then
    found=$(systemd-detect-virt --container 2>/dev/null || true)
    [ "$found" = none ] && found=
    [ -n "$found" ] && kind=container
    if [ -z "$found" ]; then
      found=$(systemd-detect-virt --vm 2>/dev/null || true)
      if [ "$found" = none ]; then kind=none; elif [ -n "$found" ]; then kind=vm; fi
    fi
  fi
  # Without systemd, and for containers that hide from it.
  if [ "$kind" != container ]; then
    if [ -d /proc/vz ] && [ ! -d /proc/bc ]; then
      found=openvz kind=container
    elif [ -e /.dockerenv ]; then
      found=docker kind=container
    elif [ -e /run/.containerenv ]; then
      found=podman kind=container
    elif as_root cat /proc/1/environ 2>/dev/null | tr '\0' '\n' | grep -q '^container=lxc'; then
      found=lxc kind=container
    fi
  fi
  say virtualization "${found:-unknown}"
  say virtualizationKind "${kind:-unknown}"
}

# yes, no or unknown. "no" needs proof, because it can refuse the host.
# Arguments: a module's name, its option in the kernel's configuration.
module() {
  if [ -d "/sys/module/$1" ]; then
    echo yes
  elif have modprobe && modprobe -n -q "$1" 2>/dev/null; then
    echo yes
  elif config=$({ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null) && [ -n "$config" ]; then
    # "=m" without a module that modprobe can find is as good as absent.
    if printf '%s\n' "$config" | grep -q "^$2=y"; then echo yes; else echo no; fi
  elif [ -d "/lib/modules/$(uname -r)" ] && have modprobe; then
    echo no
  else
    echo unknown
  fi
}

kernel_features() {
  if grep -qw overlay /proc/filesystems; then say overlayfs yes; else say overlayfs "$(module overlay CONFIG_OVERLAY_FS)"; fi
  # A network namespace that vanishes with its command: the only proof that does not depend on how the kernel was built.
  if have ip && have unshare && as_root unshare -n ip link add oslo0 type vxlan id 42 dstport 4789 2>/dev/null; then
    say vxlan yes
  else
    say vxlan "$(module vxlan CONFIG_VXLAN)"
  fi
  say nfTables "$(module nf_tables CONFIG_NF_TABLES)"
  say ipTables "$(module ip_tables CONFIG_IP_NF_IPTABLES)"
  if [ -e /proc/net/ip_vs ]; then say ipvs yes; else say ipvs "$(module ip_vs CONFIG_IP_VS)"; fi
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    say cgroup v2
  elif [ -e /sys/fs/cgroup/unified/cgroup.controllers ]; then
    say cgroup hybrid
  elif [ -d /sys/fs/cgroup/memory ]; then
    say cgroup v1
  else
    say cgroup none
  fi
  if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then say apparmor yes; else say apparmor no; fi
  if [ -e /snap/bin/docker ]; then say dockerSnap yes; else say dockerSnap no; fi
  if have apparmor_parser; then say apparmorParser yes; else say apparmorParser no; fi
}

network() {
  if have ip; then
    say defaultInterface "$(ip -4 route show default 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')"
    # docker0, veth and the like come and go with containers; an address of the host stays.
    ip -4 -o addr show scope global 2>/dev/null | awk '$2 !~ /^(veth|lo)/ { print "interface=" $2 " " $4 }'
    ip -4 route show 2>/dev/null | awk '/ dev (docker|br-|veth)/ { next } $1 ~ /^[0-9.]+\/[0-9]+$/ { print "route=" $1 }'
    ip -o addr show scope global 2>/dev/null |
      awk '$2 !~ /^(docker|veth|br-|lo)/ { split($4, a, "/"); print "address=" $2 " " a[1] }'
  else
    say defaultInterface "$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)"
  fi
  if [ -e /proc/net/if_inet6 ]; then say ipv6 yes; else say ipv6 no; fi
  # sshd's words: the client's address and port, the host's address and port.
  say client "$(printf '%s' "${SSH_CONNECTION:-}" | cut -d ' ' -f 1)"
  say sshPort "$(printf '%s' "${SSH_CONNECTION:-}" | cut -d ' ' -f 4)"
  if as_root grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then
    as_root cat /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null | sed -n 's/^### tuple ### /ufw=/p'
  fi
  if have ss; then
    # Only root sees the names of other users' processes.
    { as_root ss -ltnpH 2>/dev/null || ss -ltnH; } | awk '{
      port = $4; sub(/.*:/, "", port); address = $4; sub(/:[^:]*$/, "", address); name = ""
      if (match($0, /\(\("[^"]*"/)) name = substr($0, RSTART + 3, RLENGTH - 4)
      print "listen=" port " " address " " name }' | sort -u
  else
    # 0A is LISTEN; the kernel has no names there.
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { n = split($2, a, ":"); print a[n] }' | sort -u |
      while read -r hex; do printf 'listen=%d * \n' "0x$hex"; done
  fi
}

# A queue with a file store syncs every message: what counts is how many small synchronous writes a disk does in a second.
fsync() {
  [ "$FSYNC_COUNT" -gt 0 ] || return 0
  if [ "$sudo" = no ]; then
    say fsyncPerSecond unknown
    return 0
  fi
  file=/var/lib/.oslo-faas-fsync.$$
  start=$(date +%s%N)
  as_root timeout "$FSYNC_SECONDS" dd if=/dev/zero of="$file" bs=4k count="$FSYNC_COUNT" oflag=dsync 2>/dev/null || true
  end=$(date +%s%N)
  # A disk so slow that the limit ended dd is measured by what it managed.
  size=$(as_root stat -c %s "$file" 2>/dev/null || echo 0)
  as_root rm -f -- "$file"
  say fsyncPerSecond "$(awk -v size="$size" -v ns="$((end - start))" 'BEGIN { printf "%d", (size / 4096) / (ns / 1e9) }')"
}

system
virtualization
kernel_features
network
fsync
say end ok

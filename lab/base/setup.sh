#!/bin/sh
# Turns a bare Debian or Ubuntu root file system (the one it runs in) into a host to provision: what a freshly installed
# virtual machine has, and nothing more. Runs in the chroot of build.sh and in the Dockerfile beside it.
set -eu

# The lab puts its own host key in; keys made here would be the same on every machine that shares the cached image.
rm -f /etc/ssh/ssh_host_*

# Before the packaged settings: sshd keeps the first value it reads. (18.04 knows no sshd_config.d.)
# LogLevel VERBOSE: the tests count connections in sshd's log. Everything that limits connections keeps its default, because
# a real host has those limits too.
cat >/etc/ssh/sshd_config.lab <<'CONF'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
LogLevel VERBOSE
UseDNS no
CONF
cat /etc/ssh/sshd_config.lab /etc/ssh/sshd_config >/etc/ssh/sshd_config.new
mv /etc/ssh/sshd_config.new /etc/ssh/sshd_config
rm /etc/ssh/sshd_config.lab

# The other kind of login that has to work: a user who becomes root with sudo, without a password.
if ! id ops >/dev/null 2>&1; then
  # The number is the one lab/host.ts gives ops' key file; 1000 is taken in some images.
  useradd --uid 2000 --create-home --shell /bin/bash ops
fi
printf 'ops ALL=(ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops
for home in /root /home/ops; do
  mkdir -p "$home/.ssh"
  chmod 0700 "$home/.ssh"
done
chown ops:ops /home/ops/.ssh

# Every host made of this image gets an identity of its own at its first boot.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id

# A console nobody looks at, and devices that belong to the machine.
for unit in getty.target console-getty.service systemd-udevd.service systemd-udevd-control.socket \
  systemd-udevd-kernel.socket systemd-logind.service; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
# The journal lives as long as the host does and cannot fill the machine's disk.
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=64M\n' >/etc/systemd/journald.conf.d/lab.conf

# Images made for containers start no service that a package brings, and leave parts of packages out.
rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/excludes

apt-get clean
rm -rf /var/lib/apt/lists/*

#!/bin/sh
# build.sh RELEASE OUTPUT [MIRROR]
# Makes the root file system of the lab's host as a tar file, with debootstrap (as root, about a minute).
# OUTPUT appears whole or not at all. Without MIRROR debootstrap takes its own default.
set -eu

release=$1
output=$2
mirror=${3:-}

here=$(cd "$(dirname "$0")" && pwd)
work=$output.build.$$
trap 'rm -rf "$work" "$output.partial.$$"' EXIT
trap 'exit 130' INT TERM HUP

packages=systemd,systemd-sysv,dbus,openssh-server,sudo,ca-certificates,curl,gnupg,iproute2
mkdir -p "$work"
# shellcheck disable=SC2086 # an empty mirror is no argument at all
debootstrap --variant=minbase --include="$packages" "$release" "$work" $mirror

cp "$here/setup.sh" "$work/setup.sh"
chroot "$work" /bin/sh /setup.sh
rm "$work/setup.sh"

tar -C "$work" --numeric-owner -cf "$output.partial.$$" .
mv "$output.partial.$$" "$output"

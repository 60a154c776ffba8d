#!/bin/sh
# Compiles probe.c for both architectures and writes src/probeBinaries.ts: bash and Node have no way to make a program for images
# without either. Needed only after a change of probe.c: gcc, and gcc-aarch64-linux-gnu (Debian 12's 12.2 made what is committed).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() {
  "$1" -Os -static -nostdlib -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables \
    -fno-pie -no-pie -Wall -Wextra -Werror -Wl,--build-id=none -Wl,-n -Wl,-z,noexecstack -s -o "$work/$2" "$here/probe.c"
}
build "${X64_CC:-x86_64-linux-gnu-gcc}" x64
build "${ARM64_CC:-aarch64-linux-gnu-gcc}" arm64
{
  echo '/** Made by probe/build.sh of probe/probe.c: do not edit. Base64 of a static program for each of process.arch. */'
  echo 'export const PROBE_BINARIES: Record<string, string> = {'
  for arch in x64 arm64; do printf '  %s:\n    "%s",\n' "$arch" "$(base64 -w0 "$work/$arch")"; done
  echo '};'
} >"$here/../src/probeBinaries.ts"

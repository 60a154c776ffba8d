#!/bin/sh
# Compiles probe.c for both architectures and writes shared/probeBinaries.json: bash and Node have no way to make a program for images
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
  printf '{\n  "x64": "%s",\n' "$(base64 -w0 "$work/x64")"
  printf '  "arm64": "%s"\n}\n' "$(base64 -w0 "$work/arm64")"
} >"$here/../../../shared/probeBinaries.json"

#!/usr/bin/env bash
# Makes a Debian arm64 root with Python under .cache/arm64, run by qemu's user emulation.
#
#     tests/arm64/root.sh SUITE      bookworm or trixie; prints the root's folder
#
# Needs root. Everything that is mounted lives in a mount namespace of its own and ends with it, so
# that `make clean` can never reach the host's /sys through a root.
set -euo pipefail
suite=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)/.cache/arm64/$suite
if [ -e "$folder/.ready" ]; then
  echo "$folder"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "arm64: needs root (debootstrap and chroot)" >&2
  exit 69
fi
wanted=()
for tool in debootstrap:debootstrap update-binfmts:binfmt-support qemu-aarch64-static:qemu-user-static; do
  PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null || wanted+=("${tool##*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
fi
mountpoint -q /proc/sys/fs/binfmt_misc ||
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
update-binfmts --enable qemu-aarch64
grep -q enabled /proc/sys/fs/binfmt_misc/qemu-aarch64

rm -rf "$folder.part"
mkdir -p "$folder.part"
unshare --mount --pid --fork --kill-child debootstrap --variant=minbase --arch=arm64 \
  --include=python3,python3-venv,python3-pip,ca-certificates "$suite" "$folder.part" >&2
# A workplace behind its own certificate authority has it in the host's file.
cp /etc/ssl/certs/ca-certificates.crt "$folder.part/etc/ssl/certs/"
cp /etc/resolv.conf "$folder.part/etc/"
touch "$folder.part/.ready"
rm -rf "$folder"
mv "$folder.part" "$folder"
echo "$folder"

#!/usr/bin/env bash
# Makes a Debian root that boots under systemd-nspawn, in .cache/nspawn; prints its folder.
#
#     tests/nspawn/root.sh SUITE      bookworm or trixie, of this machine's architecture
#
# Needs root. No container ever writes to it: each gets an overlay.
set -euo pipefail
suite=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)/.cache/nspawn/$suite
if [ -e "$folder/.ready" ]; then
  echo "$folder"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "nspawn: needs root (mmdebstrap and systemd-nspawn)" >&2
  exit 69
fi
wanted=()
for tool in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container; do
  command -v "${tool%%:*}" >/dev/null || wanted+=("${tool##*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
fi
rm -rf "$folder.part" "$folder"
mkdir -p "$(dirname "$folder")"
mmdebstrap --quiet --variant=minbase \
  --include=systemd,systemd-sysv,dbus,udev,python3,python3-venv,openssh-server,ca-certificates \
  "$suite" "$folder.part" >&2
# Services of the root itself have no part in what is tested, but for the one that is reached.
ln -sf /dev/null "$folder.part/etc/systemd/system/apt-daily.timer"
touch "$folder.part/.ready"
mv "$folder.part" "$folder"
echo "$folder"

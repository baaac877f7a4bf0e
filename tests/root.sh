#!/usr/bin/env bash
# Makes a Debian root and prints its folder, .cache/KIND/SUITE; one that is there is only named.
#
#     tests/root.sh KIND SUITE      bookworm or trixie
#
# KIND is arm64 (run by qemu's user emulation), nspawn (boots under systemd-nspawn, with what a
# Debian package needs) or systemd (boots likewise; as a board's small system, whose Python has
# neither pip nor python3-venv).
#
# Needs root. Everything that is mounted lives in a mount namespace of its own and ends with it, so
# that `make clean` can never reach the host through a root.
set -euo pipefail
if [ $# -ne 2 ]; then
  echo "root.sh: KIND SUITE" >&2
  exit 2
fi
kind=$1 suite=$2
folder=$(cd "$(dirname "$0")/.." && pwd)/.cache/$kind/$suite
tools=(debootstrap:debootstrap) options=()
boots=systemd,systemd-sysv,dbus,python3,openssh-server,ca-certificates
case $kind in
  arm64)
    tools+=(update-binfmts:binfmt-support qemu-aarch64-static:qemu-user-static)
    options=(--arch=arm64 --include="python3,python3-venv,python3-pip,ca-certificates") ;;
  nspawn)
    tools+=(systemd-nspawn:systemd-container)
    options=(--include="$boots,udev,python3-venv") ;;
  systemd)
    tools+=(systemd-nspawn:systemd-container ssh:openssh-client)
    options=(--include="$boots,sudo") ;;
  *)
    echo "root.sh: $kind: write arm64, nspawn or systemd" >&2
    exit 2 ;;
esac

if [ -e "$folder/.ready" ]; then
  echo "$folder"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "root.sh: a root of $kind needs root (debootstrap)" >&2
  exit 69
fi
wanted=()
for tool in "${tools[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null || wanted+=("${tool##*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
fi
if [ "$kind" = arm64 ]; then
  mountpoint -q /proc/sys/fs/binfmt_misc ||
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  update-binfmts --enable qemu-aarch64
  grep -q enabled /proc/sys/fs/binfmt_misc/qemu-aarch64
fi

part=$folder.part
rm -rf "$part"
mkdir -p "$part"
unshare --mount --pid --fork --kill-child \
  debootstrap --variant=minbase "${options[@]}" "$suite" "$part" >&2
case $kind in
  arm64)
    # A workplace behind its own certificate authority has it in the host's file.
    cp /etc/ssl/certs/ca-certificates.crt "$part/etc/ssl/certs/"
    cp /etc/resolv.conf "$part/etc/" ;;
  nspawn | systemd)
    # No login at a terminal, no waiting for what a container has not, no work of the root's own.
    for unit in getty@tty1.service console-getty.service systemd-networkd-wait-online.service \
      apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
    do
      ln -sf /dev/null "$part/etc/systemd/system/$unit"
    done ;;
esac
if [ "$kind" = systemd ]; then
  rm -f "$part"/etc/ssh/ssh_host_*  # each machine brings its own
fi
touch "$part/.ready"
rm -rf "$folder"
mv "$part" "$folder"
echo "$folder"

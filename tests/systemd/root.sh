#!/usr/bin/env bash
# Makes a Debian root with systemd, Python and sshd under .cache/systemd; prints its folder.
#
#     tests/systemd/root.sh SUITE      bookworm
#
# Needs root. Nothing is mounted from outside: `make clean` can never reach the host through it.
set -euo pipefail
suite=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)/.cache/systemd/$suite
if [ -e "$folder/.ready" ]; then
  echo "$folder"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "systemd: needs root (debootstrap and systemd-nspawn)" >&2
  exit 69
fi
wanted=()
for tool in debootstrap:debootstrap systemd-nspawn:systemd-container ssh:openssh-client; do
  PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null || wanted+=("${tool##*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
fi
rm -rf "$folder.part"
mkdir -p "$folder.part"
# As a board's small system: its Python has neither pip nor python3-venv.
unshare --mount --pid --fork --kill-child debootstrap --variant=minbase \
  --include=systemd,systemd-sysv,dbus,python3,openssh-server,sudo,ca-certificates \
  "$suite" "$folder.part" >&2
rm -f "$folder.part"/etc/ssh/ssh_host_*
# No login but by key, no waiting for networks and terminals that a container has not.
for unit in getty@tty1.service console-getty.service systemd-networkd-wait-online.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "$folder.part/etc/systemd/system/$unit"
done
touch "$folder.part/.ready"
rm -rf "$folder"
mv "$folder.part" "$folder"
echo "$folder"

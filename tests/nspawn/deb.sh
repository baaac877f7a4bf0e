#!/usr/bin/env bash
# Installs, starts, upgrades, removes and purges a package under a real systemd.
#
#     tests/nspawn/deb.sh SUITE PACKAGE.deb      1 where something is not as it should be
#
# Needs root. The upgrade is to the same files under a later version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
suite=$1 package=$(realpath "$2")
root=$("$here/../root.sh" nspawn "$suite")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/next" "$work/out"
dpkg-deb --raw-extract "$package" "$work/next"
sed -i -E 's/^(Version: .*)$/\1.next/' "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/next" "$work/out/next.deb" >/dev/null
rm -rf "$work/next"
cp "$package" "$work/out/first.deb"
cp "$here/inside_deb.sh" "$work/out/"
cat > "$work/trial.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/out/log
StandardError=file:/out/log
ExecStart=/bin/bash /out/inside_deb.sh
ExecStopPost=/bin/systemctl --no-block poweroff
END
# A closed standard input would end the machine at once.
timeout 900 systemd-nspawn --quiet --register=no --keep-unit --volatile=overlay --private-network \
  --machine "deb-$suite-$$" --directory "$root" --boot --bind "$work/out:/out" \
  --bind-ro "$work/trial.service:/etc/systemd/system/trial.service" systemd.wants=trial.service \
  </dev/zero >"$work/console" 2>&1 || true
cat "$work/out/log" || tail -n 20 "$work/console"
if ! grep -q '^all done$' "$work/out/log" || grep -q '^FAILED' "$work/out/log"; then
  exit 1
fi

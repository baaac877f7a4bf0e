# shellcheck shell=bash source=/dev/null
# Runs inside the machine that deb.sh boots: one line for each fact, `ok` or `FAILED`.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
config=/etc/edge-fer/edge-fer.toml
checked() {  # WHAT COMMAND...
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "ok      $what"
  else
    echo "FAILED  $what: $(tail -n 3 <<<"$said" | tr '\n' ' ')"
  fi
}
not() { ! "$@"; }
seconds() { date +%s.%N; }
took() { echo "        $1: $(echo "$(seconds) $2" | awk '{printf "%.1f", $1 - $2}') s"; }
is() { [ "$1" = "$2" ] || { echo "$1 instead of $2"; return 1; }; }
version() { dpkg-query --show --showformat '${Version}' edge-fer; }
pid() { systemctl show --property MainPID --value edge-fer; }
healthy() {  # within a minute
  for _ in $(seq 120); do
    /usr/bin/python3 - <<'END' && return
import json, sys, urllib.request
said = json.load(urllib.request.urlopen("http://127.0.0.1:8787/healthz", timeout=2))
sys.exit(said["status"] != "ok" or said["camera_state"] != "ok")
END
    sleep 0.5
  done 2>/dev/null
  journalctl --no-pager -u edge-fer -n 5
  return 1
}
left() {  # what still bears the name; the trial's own things do not count
  find / -xdev \( -path /proc -o -path /sys -o -path /out \) -prune -o -name '*edge*fer*' -print |
    grep -v '^/tmp/\|^/var/lib/dpkg/\|^/var/log/\|^/run/' || true
}
. /etc/os-release
echo "        $PRETTY_NAME, $(python3 --version), $(systemctl --version | head -n 1)"

began=$(seconds)
checked "installs" dpkg --install /out/first.deb
took "install" "$began"
checked "is not enabled by that" is "$(systemctl is-enabled edge-fer)" disabled
checked "is not started by that" is "$(systemctl is-active edge-fer)" inactive
checked "every file is as packed" is "$(dpkg --verify edge-fer)" ""
checked "the model answers as where it was made" edge-fer selftest /usr/share/edge-fer/bundles/*
# A camera that is always there, and a page that can be asked.
sed -i -e 's|^camera = .*|camera = "synthetic:faces=2,fps=5"|' \
  -e 's|^# purpose = .*|purpose = "trial of a package"|' -e 's|^sink = .*|sink = ["http:"]|' $config
checked "its configuration is accepted" edge-fer run --config $config --check
began=$(seconds)
checked "starts" systemctl enable --now edge-fer
checked "is healthy, its camera too" healthy
took "start to health" "$began"
first=$(pid)
checked "takes its configuration again" systemctl reload edge-fer
checked "is the same process after that" is "$(pid)" "$first"
checked "is healthy after that" healthy
checked "runs as a user of its own" not is "$(stat --format %u "/proc/$(pid)")" 0

mkdir -p /etc/systemd/system/edge-fer.service.d
cp /usr/share/edge-fer/systemd/*.conf /etc/systemd/system/edge-fer.service.d/
(umask 077; echo secret-of-the-broker > /etc/edge-fer/mqtt-password)
cat >> $config <<'END'
[mqtt]
host = "127.0.0.1"
port = 1
tls = false
user = "edge-fer"
password_file = "/run/credentials/edge-fer.service/mqtt-password"
END
systemctl daemon-reload
checked "starts with every drop-in, the password from a credential" systemctl restart edge-fer
checked "is up then" is "$(systemctl is-active edge-fer)" active
echo "        restarts until here: $(systemctl show --property NRestarts --value edge-fer)"
sed -i '/^\[mqtt\]/,$d' $config
rm -r /etc/systemd/system/edge-fer.service.d
systemctl daemon-reload
systemctl reset-failed edge-fer
systemctl restart edge-fer
checked "is healthy without them again" healthy

before=$(pid)
began=$(seconds)
checked "upgrades" dpkg --install /out/next.deb
took "upgrade" "$began"
checked "the new version is there" grep -q 'next$' <<<"$(version)"
checked "another process runs" not is "$(pid)" "$before"
checked "is healthy after the upgrade" healthy
checked "the edited configuration is kept" grep -q 'trial of a package' $config
checked "goes back" dpkg --install /out/first.deb
checked "is healthy after that" healthy
systemctl stop edge-fer
checked "upgrades while stopped" dpkg --install /out/next.deb
checked "stays stopped then" is "$(systemctl is-active edge-fer)" inactive
systemctl start edge-fer

checked "is removed while it runs" dpkg --remove edge-fer
checked "has stopped" not is "$(systemctl is-active edge-fer)" active
checked "keeps its configuration" test -f $config
checked "leaves no program" not test -e /usr/lib/edge-fer
checked "is purged" dpkg --purge edge-fer
checked "leaves nothing" is "$(left)" ""
echo "all done"

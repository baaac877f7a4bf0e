# What this board is, as KEY=VALUE lines. Plain sh: it must run where nothing else does.
# PYTHON is the interpreter that would run edge-fer; EDGE_FER_DEPLOY_ROOT a folder instead of /, for
# tests.
root=${EDGE_FER_DEPLOY_ROOT%/}
say() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | tr -d '\000\r' | tr '\n' ' ')"; }
file() { [ -r "$root$1" ] && head -c 300 "$root$1" | tr -d '\000'; }

say machine "$(uname -m)"
say model "$(file /proc/device-tree/model || file /sys/class/dmi/id/product_name)"
say os "$(. "$root/etc/os-release" 2>/dev/null && printf '%s' "$PRETTY_NAME")"
say tegra "$(file /etc/nv_tegra_release)"
say jetpack "$(dpkg-query --showformat '${Version}' --show nvidia-jetpack 2>/dev/null)"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say systemd "$("${EDGE_FER_DEPLOY_SYSTEMCTL:-systemctl}" --version 2>/dev/null | head -n 1)"
say clock "$(date +%s)"
say uid "$(id -u)"
as_root=
[ "$(id -u)" = 0 ] || as_root='sudo -n'
say root "$($as_root true 2>/dev/null && printf yes || printf no)"
# One start of it, for a small board takes its time; the oldest Python must understand this.
"$PYTHON" 2>/dev/null -c '
import sys, sysconfig
print("python=" + ".".join(map(str, sys.version_info[:3])))
print("platform=" + sysconfig.get_platform())
try:
    print("implementation=" + sys.implementation.name)
    import venv
    print("venv=yes")
except Exception:
    pass
'

place=$root/opt/edge-fer
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
say free_kb "$(df -Pk "$place" | awk 'NR==2 {print $4}')"

stick=no
for one in "$root"/sys/bus/usb/devices/*/idVendor; do
  [ -r "$one" ] && [ "$(cat "$one")" = 03e7 ] && stick=yes
done
say stick "$stick"
# Its runtime, and whether the service could start that: homes are hidden from it.
runtime=
if [ -r "$root/opt/edge-fer/ncs/edge-fer-ncs.json" ]; then
  runtime=broken
  "$root/opt/edge-fer/ncs/bin/python" -c 'import numpy' 2>/dev/null && runtime=whole
  case $(readlink -f "$root/opt/edge-fer/ncs/bin/python") in
    "$root"/home/* | "$root"/root/* | "$root"/run/user/*) runtime=hidden ;;
  esac
fi
say stick_runtime "$runtime"
cameras=
for one in "$root"/dev/video*; do [ -e "$one" ] && cameras="$cameras ${one#"$root"}"; done
say cameras "$cameras"

# What an earlier deploy, or a person, left for the next one to keep.
for one in config:/etc/edge-fer/edge-fer.toml trusted:/opt/edge-fer/current/trusted.pub; do
  name=${one%%:*} path=$root${one#*:}
  say "$name" "$($as_root cat "$path" 2>/dev/null | base64 | tr -d '\n')"
done
say end yes

#!/usr/bin/env bash
# Runs a command inside an arm64 root, with a /proc of its own.
#
#     tests/arm64/inside.sh ROOT PLAIN|SYS COMMAND...
#
# SYS also mounts the host's /sys and shows a Cortex-A76, a Pi 5's: OpenVINO's ARM plugin ends with a
# segmentation fault without /sys, LiteRT with one that belongs to another processor. On a
# Cortex-A72, which has no dot product, openvino 2026.4.1 compiles the fp32 IR but not the INT8 one
# ("object is not initialized"); under qemu's own CPU it takes f16 wherever it may. All mounts end
# with the command.
set -euo pipefail
export ROOT=$1 KIND=$2
shift 2
exec unshare --mount --pid --fork --kill-child bash -c '
  mount -t proc proc "$ROOT/proc"
  if [ "$KIND" = SYS ]; then
    mount --rbind /sys "$ROOT/sys"
    export QEMU_CPU=cortex-a76
  fi
  exec env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DEFAULT_TIMEOUT=180 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 ${QEMU_CPU:+QEMU_CPU=$QEMU_CPU} chroot "$ROOT" "$@"
' inside "$@"

"""Why a device cannot be used, and what to do, in one line."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from edge_fer.cameras.v4l2 import kernel, names
from edge_fer.errors import CameraError

NO_CAPTURE = errno.EMEDIUMTYPE
"""Our own: EINVAL, the kernel's usual answer, has other meanings too."""
ADVICE = {
    errno.ENOENT: "is not there; plug the camera in, or choose one of {others}",
    errno.ENODEV: "has been unplugged; plug the camera in again",
    errno.ENXIO: "has no camera behind it; choose one of {others}",
    errno.EBUSY: "is in use by {holder}; stop that program",
    errno.EACCES: "is forbidden to this user; join the group video: sudo usermod -aG video $USER",
    errno.EPERM: "is forbidden by the service unit; give it DeviceAllow=char-video4linux",
    errno.ENOTTY: "is not a video device; choose one of {others}",
    NO_CAPTURE: "gives no pictures (a metadata node?); choose one of {others}",
}


def told(device: str, error: OSError) -> CameraError:
    """The error that names the device, what is wrong, and what mends it."""
    advice = ADVICE.get(error.errno or 0, f"cannot be used ({error.strerror})")
    text = advice.format(others=_others(device), holder=holder(device))
    return CameraError(f"camera {device} {text}")


def probe(device: str) -> None:
    """Raise CameraError saying why a device cannot be used now."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            free_to_capture(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise told(device, error) from error


def free_to_capture(handle: int) -> kernel.Capability:
    """What the device is; raises OSError where it takes no pictures, or takes them for another."""
    answer = kernel.capability(handle)
    if not kernel.node_capabilities(answer) & kernel.CAPTURE:
        raise OSError(NO_CAPTURE, "no capture")
    # Several programs may open a camera, only one may have buffers: asking for none is harmless.
    none = kernel.BufferRequest(0, kernel.CAPTURE, kernel.MMAP)
    try:
        kernel.ask(handle, kernel.REQBUFS, none)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise
    return answer


def holder(device: str) -> str:
    """Who has the device open, as far as /proc lets us see."""
    target = os.path.realpath(device)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            process = link.parts[2]
            if int(process) != os.getpid() and os.readlink(link) == target:
                return f"{Path('/proc', process, 'comm').read_text().strip()} (pid {process})"
    return "another program (whose pid this user may not see)"


def _others(device: str) -> str:
    found = [node for node in names.nodes() if node != device]
    return ", ".join(found) or "none (no camera is connected)"

"""A USB or virtual camera on Linux, through OpenCV's V4L2 reader."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_fer.errors import CameraError
from edge_fer.options import read_options
from edge_fer.types import Frame, Image

VIDIOC_QUERYCAP = 0x80685600
VIDIOC_REQBUFS = 0xC0145608
CAPTURE = 0x00000001
"""V4L2_CAP_VIDEO_CAPTURE of linux/videodev2.h."""
ADVICE = {
    errno.ENOENT: "is not there; plug the camera in, or choose one of {others}",
    errno.ENODEV: "has been unplugged; plug the camera in again",
    errno.ENXIO: "has no camera behind it; choose one of {others}",
    errno.EBUSY: "is in use by {holder}; stop that program",
    errno.EACCES: "is forbidden to this user; join the group video: sudo usermod -aG video $USER",
    errno.EPERM: "is forbidden by the service unit; give it DeviceAllow=char-video4linux",
    errno.ENOTTY: "is not a video device; choose one of {others}",
    errno.EINVAL: "gives no pictures (a metadata node?); choose one of {others}",
}


@dataclass(frozen=True, slots=True)
class Mode:
    """What is asked of the driver, which may give something near; 0 leaves its own default."""

    size: tuple[int, int] = (0, 0)
    """Width and height in pixels."""
    fps: int = 0
    """Frames per second."""


class V4l2Camera:
    """`0` or `/dev/video0`, with options: `0,size=640x480,fps=15`."""

    live = True

    def __init__(self, argument: str) -> None:
        name, _, options = argument.partition(",")
        self.device = f"/dev/video{name or 0}" if (name or "0").isdigit() else name
        mode = read_options(Mode(), options, f"v4l2:{name}")
        probe(self.device)
        self._closed = False
        self._reading = threading.Lock()
        self._video = cv2.VideoCapture(self.device, cv2.CAP_V4L2)
        if not self._video.isOpened():
            raise CameraError(
                f"camera {self.device}: OpenCV cannot open it; is its format supported?"
            )
        self._set(mode)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while (image := self._read()) is not None:
            yield Frame(image, index, time.monotonic(), time.time())
            index += 1

    def close(self) -> None:
        """Release the device, after a read in progress (2 s at most, unless the driver hangs)."""
        self._closed = True
        with self._reading:
            self._video.release()

    def _set(self, mode: Mode) -> None:
        # One buffer: with four, a slow consumer sees pictures that are four frames old.
        self._video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        wanted = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        for key, value in zip(wanted, (*mode.size, mode.fps), strict=True):
            if value:
                self._video.set(key, value)

    def _read(self) -> Image | None:
        """The next picture, None when closed; raises CameraError when none comes."""
        with self._reading:
            if self._closed:
                return None
            good, image = self._video.read()
        if good and image is not None and image.size:
            return np.asarray(image, np.uint8)
        if self._closed:
            return None
        probe(self.device, reading=True)
        raise CameraError(f"camera {self.device} gives no frames; unplug it and plug it in again")


def probe(device: str, *, reading: bool = False) -> None:
    """Raise CameraError saying why a device cannot be used: OpenCV hides the reason.

    While `reading`, only its presence is looked at: we are the one who holds it.
    """
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            if not reading:
                _ask(handle)
        finally:
            os.close(handle)
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, f"cannot be opened ({error.strerror})")
        raise CameraError(
            f"camera {device} " + advice.format(others=_others(device), holder=_holder(device))
        ) from error


def _ask(handle: int) -> None:
    """Ask the driver whether it takes pictures, and whether it would take them for us."""
    answer = fcntl.ioctl(handle, VIDIOC_QUERYCAP, bytes(104))
    (capabilities,) = struct.unpack_from("I", answer, 88)  # v4l2_capability.device_caps
    if not capabilities & CAPTURE:
        raise OSError(errno.EINVAL, "no capture")
    # Several programs may open a camera, only one may have buffers: asking for none is harmless.
    buffers = struct.pack("5I", 0, 1, 1, 0, 0)  # count, type capture, memory map
    try:
        fcntl.ioctl(handle, VIDIOC_REQBUFS, buffers)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise


def _others(device: str) -> str:
    """The video devices that are there."""
    found = sorted(str(p) for p in Path("/dev").glob("video*") if str(p) != device)
    return ", ".join(found) or "none (no camera is connected)"


def _holder(device: str) -> str:
    """Who has the device open, as far as /proc lets us see."""
    target = os.path.realpath(device)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            process = link.parts[2]
            if int(process) != os.getpid() and os.readlink(link) == target:
                return f"{Path('/proc', process, 'comm').read_text().strip()} (pid {process})"
    return "another program (whose pid this user may not see)"

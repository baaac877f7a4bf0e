"""A USB or built-in camera on Linux, read through V4L2's own buffers.

Not through OpenCV: its reader hides the driver's time stamps, sequence numbers and error flags, may
say that a read has succeeded where it has not (opencv#14044), and blocks for ten seconds.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from edge_fer.cameras.shot import Missed, Shot
from edge_fer.cameras.v4l2 import kernel, names
from edge_fer.cameras.v4l2.device import READABLE, Agreed, Device
from edge_fer.cameras.v4l2.reasons import free_to_capture, probe, told
from edge_fer.errors import CameraError, ConfigError
from edge_fer.options import read_options

__all__ = ["Mode", "V4l2", "probe"]

VIDEO_MAJOR = 81
"""Device number of every video node (admin-guide/devices.txt)."""
LOOK_AGAIN_S = 2.0
"""Without a picture for so long, look whether the node is still there."""
MOST_ERRORS = 10
"""Failed reads in a row before the device is opened anew."""


@dataclass(frozen=True)
class Mode:
    """What is asked of the driver, which may give something near."""

    size: tuple[int, int] = (640, 480)
    """Width and height in pixels."""
    fps: float = 0.0
    """Frames per second; 0 leaves the driver's own."""
    format: str = ""
    """`mjpg`, `yuyv` or another that the camera offers; empty chooses."""

    def __post_init__(self) -> None:
        if not all(16 <= side <= 8192 for side in self.size):
            raise ValueError("size is 16x16 to 8192x8192")
        if not 0 <= self.fps <= 1000:
            raise ValueError("fps is 0 (the driver's own) to 1000")
        if self.format and self.format.upper() not in READABLE:
            raise ValueError(f"format is one of {', '.join(READABLE).lower()}")


class V4l2:
    """`0`, `/dev/video0` or a name in /dev/v4l/by-id, with options: `0,size=640x480,fps=15`."""

    def __init__(self, argument: str) -> None:
        name, _, options = argument.partition(",")
        self._mode = read_options(Mode(), options, f"v4l2:{name}")
        self._path = names.path_of(name)
        self.fps = self._mode.fps
        _refuse_what_is_no_camera(name, self._path)

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        """Open the device and give its pictures; `memory` holds who it is."""
        node = names.find(self._path, memory.get("identity"))
        if node is None:
            raise CameraError(
                f"camera {self._path}: {memory['identity']} is not there; plug it in again"
            )
        try:
            device, agreed = self._open(node)
            try:
                memory.update(self._learnt(node, agreed))
                yield from _pictures(device, agreed, node)
            finally:
                device.close()
        except CameraError as error:
            raise CameraError(f"camera {node}: {error}") from error
        except OSError as error:
            raise told(node, error) from error

    def _open(self, node: str) -> tuple[Device, Agreed]:
        device = Device(os.open(node, os.O_RDWR | os.O_NONBLOCK))
        try:
            free_to_capture(device.handle)
            agreed = device.agree(self._mode.format.upper(), self._mode.size, self._mode.fps)
            device.start()
        except BaseException:
            device.close()
            raise
        return device, agreed

    def _learnt(self, node: str, agreed: Agreed) -> dict[str, str]:
        learnt = {"gives": str(agreed)}
        if known := names.identities(node):
            learnt["identity"] = known[0]
        mode = self._mode
        other_size = (agreed.width, agreed.height) != mode.size
        if other_size or (mode.fps and agreed.fps and abs(agreed.fps - mode.fps) > 0.5):
            rate = f" at {mode.fps:g} fps" if mode.fps else ""
            wanted = f"{mode.size[0]}x{mode.size[1]}{rate}"
            learnt["remark"] = f"gives {agreed}; {wanted} was asked"
        return learnt


def _refuse_what_is_no_camera(name: str, path: str) -> None:
    """What can never become a camera is refused at once, not tried for ever."""
    if not name.isascii():
        raise ConfigError(f"camera {name!r}: a number is written with the digits 0 to 9")
    try:
        found = os.stat(path)
    except OSError:
        return  # not there, or not to be seen: it may come
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) != VIDEO_MAJOR:
        raise ConfigError(f"camera {path} is not a video device; `edge-fer cameras` lists them")


def _pictures(device: Device, agreed: Agreed, node: str) -> Iterator[Shot | Missed]:
    last, errors = None, 0
    while True:
        if not select.select([device.handle], [], [], LOOK_AGAIN_S)[0]:
            os.stat(node)  # ENOENT: unplugged, and the driver has not said so
            continue
        try:
            buffer = device.take()
        except OSError as error:
            errors += 1
            # EIO may pass (a picture lost on the bus); a device that is gone does not come back.
            if errors >= MOST_ERRORS or error.errno != errno.EIO:
                raise
            time.sleep(0.01 * errors)
            continue
        if buffer is None:
            continue
        errors = 0
        stamp = (buffer.sequence, buffer.seconds, buffer.microseconds)
        yield Missed("repeat") if stamp == last else _shot(device, agreed, buffer)
        last = stamp
        device.give_back(buffer)


def _shot(device: Device, agreed: Agreed, buffer: kernel.Buffer) -> Shot | Missed:
    if buffer.flags & kernel.BUFFER_ERROR or not buffer.bytesused:
        return Missed("decode_error")
    pixels = READABLE[agreed.format]
    data = device.content(buffer)
    return Shot(data, pixels, agreed.width, agreed.height, agreed.stride, _captured(buffer))


def _captured(buffer: kernel.Buffer) -> float:
    """The driver's stamp where it is of our clock, else now."""
    if buffer.flags & kernel.STAMP_MASK == kernel.STAMP_MONOTONIC and buffer.seconds >= 0:
        taken = float(buffer.seconds + buffer.microseconds / 1e6)
        if 0 < taken <= time.monotonic():
            return taken
    return time.monotonic()

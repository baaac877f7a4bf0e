"""An open V4L2 device: what it offers, what was agreed on, and its buffers."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from edge_fer.cameras.v4l2 import kernel
from edge_fer.errors import CameraError

READABLE = {
    "YUYV": "YUYV",
    "MJPG": "MJPG",
    "JPEG": "MJPG",
    "UYVY": "UYVY",
    "NV12": "NV12",
    "YU12": "I420",
    "BGR3": "BGR",
    "RGB3": "RGB",
    "GREY": "GREY",
}
"""Formats of the driver, best first for small pictures, and how `pixels` names them."""
BUFFERS = 4
SMALL = 640 * 480
"""Pixels up to which USB 2 carries 30 uncompressed pictures a second."""


@dataclass(frozen=True)
class Agreed:
    """What the driver will give; it may differ from what was asked."""

    format: str
    width: int
    height: int
    stride: int
    fps: float
    """0 where the driver does not say."""

    def __str__(self) -> str:
        rate = f" at {self.fps:g} fps" if self.fps else ""
        return f"{self.width}x{self.height} {self.format}{rate}"


class Device:
    """A streaming device; raises OSError as the driver does."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._maps: list[mmap.mmap] = []

    def formats(self) -> Iterator[str]:
        """The four letters of each format it offers."""
        asked = kernel.FormatDescription(0, kernel.CAPTURE)
        with suppress(OSError):  # EINVAL ends the list
            while True:
                yield kernel.letters(kernel.ask(self.handle, kernel.ENUM_FMT, asked).pixelformat)
                asked.index += 1

    def agree(self, wanted: str, size: tuple[int, int], fps: float) -> Agreed:
        """Negotiate format, size and rate; raises CameraError where there is no common format."""
        chosen = self._choose(wanted, size)
        form = kernel.Format(kernel.CAPTURE)
        kernel.ask(self.handle, kernel.G_FMT, form)
        form.fmt.pix.width, form.fmt.pix.height = size
        form.fmt.pix.pixelformat = kernel.code(chosen)
        form.fmt.pix.bytesperline = form.fmt.pix.sizeimage = 0
        pix = kernel.ask(self.handle, kernel.S_FMT, form).fmt.pix
        given = kernel.letters(pix.pixelformat)
        if given not in READABLE or (wanted and given != chosen):
            raise CameraError(f"the camera was asked for {chosen} and gives {given}")
        return Agreed(given, pix.width, pix.height, pix.bytesperline, self._rate(fps))

    def start(self) -> None:
        """Map the buffers, hand them to the driver, and let it fill them."""
        request = kernel.BufferRequest(BUFFERS, kernel.CAPTURE, kernel.MMAP)
        for index in range(kernel.ask(self.handle, kernel.REQBUFS, request).count):
            buffer = kernel.Buffer(index, kernel.CAPTURE, memory=kernel.MMAP)
            kernel.ask(self.handle, kernel.QUERYBUF, buffer)
            self._maps.append(mmap.mmap(self.handle, buffer.length, offset=buffer.m.offset))
            kernel.ask(self.handle, kernel.QBUF, buffer)
        kernel.ask(self.handle, kernel.STREAMON, kernel.Kind(kernel.CAPTURE))

    def take(self) -> kernel.Buffer | None:
        """A filled buffer, to be given back; None when there is none yet."""
        buffer = kernel.Buffer(0, kernel.CAPTURE, memory=kernel.MMAP)
        try:
            kernel.ask(self.handle, kernel.DQBUF, buffer)
        except BlockingIOError:
            return None
        return buffer

    def content(self, buffer: kernel.Buffer) -> memoryview:
        """The bytes of a taken buffer; they change once it is given back."""
        return memoryview(self._maps[buffer.index])[: buffer.bytesused]

    def give_back(self, buffer: kernel.Buffer) -> None:
        """Let the driver fill a buffer again."""
        kernel.ask(self.handle, kernel.QBUF, buffer)

    def close(self) -> None:
        """Unmap and close, which also ends the stream."""
        for mapped in self._maps:
            with suppress(BufferError):
                mapped.close()
        os.close(self.handle)

    def _choose(self, wanted: str, size: tuple[int, int]) -> str:
        offered = list(self.formats())
        if wanted in offered:
            return wanted
        known = [name for name in READABLE if name in offered]
        if wanted or not known:
            raise CameraError(
                f"the camera offers {', '.join(offered) or 'no format'}; "
                f"wanted is {wanted or ' or '.join(READABLE)}"
            )
        small = size[0] * size[1] <= SMALL
        return known[0] if small or "MJPG" not in known else "MJPG"

    def _rate(self, fps: float) -> float:
        asked = kernel.StreamParameters(kernel.CAPTURE)
        try:
            kernel.ask(self.handle, kernel.G_PARM, asked)
            if fps:
                asked.timeperframe.numerator = 1000
                asked.timeperframe.denominator = round(1000 * fps)
                kernel.ask(self.handle, kernel.S_PARM, asked)
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise
            return 0.0
        period = asked.timeperframe
        return period.denominator / period.numerator if period.numerator else 0.0

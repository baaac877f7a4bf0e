"""Any GStreamer pipeline as a camera: a Jetson's ribbon cable, or whatever gst-launch-1.0 can read.

OpenCV's wheels have no GStreamer, and its Python bindings are out of a virtual environment's
sight, so GStreamer's own launcher runs the pipeline and writes BGR rows into a pipe. Its arguments
are passed as a list: no shell sees them.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from edge_fer.cameras.shot import Missed, Shot
from edge_fer.errors import CameraError, ConfigError, MissingExtra
from edge_fer.options import read_options

LAUNCHER = "gst-launch-1.0"
NAME = "edge_fer_sink"
SINK = re.compile(r"(?P<body>.+)!\s*appsink\b(?P<properties>[^!]*)", re.DOTALL)
CAPS = re.compile(
    NAME + r"\.GstPad:sink: caps = video/x-raw.*?width=\(int\)(\d+), height=\(int\)(\d+)"
)
PIPE_BYTES = 2**20
PR_SET_PDEATHSIG = 1
LOOK_AGAIN_S = 1.0
IN_ORDER_S = 0.3
"""For a pipeline to end by itself; the daemon waits half a second before it kills us both."""


@dataclass(frozen=True)
class Csi:
    """A Jetson's camera: `gstreamer:csi,sensor=0,size=1280x720,fps=30`."""

    sensor: int = 0
    size: tuple[int, int] = (1280, 720)
    fps: int = 30

    def __post_init__(self) -> None:
        if not (0 <= self.sensor <= 15 and 0 < self.fps <= 240):
            raise ValueError("sensor is 0 to 15, fps 1 to 240")

    def pipeline(self) -> str:
        """The string for NVIDIA's nvarguscamerasrc."""
        width, height = self.size
        return (
            f"nvarguscamerasrc sensor-id={self.sensor} ! "
            f"video/x-raw(memory:NVMM),width={width},height={height},"
            f"format=NV12,framerate={self.fps}/1 ! "
            "nvvidconv ! video/x-raw,format=BGRx ! appsink"
        )


class Gstreamer:
    """`gstreamer:v4l2src ! videoconvert ! appsink`, or `gstreamer:csi` on a Jetson."""

    fps = 0.0

    def __init__(self, argument: str) -> None:
        text = argument.strip()
        if text.partition(",")[0] == "csi":
            csi = read_options(Csi(), text.partition(",")[2], "gstreamer:csi")
            text, self.fps = csi.pipeline(), float(csi.fps)
        found = SINK.fullmatch(text)
        if not found:
            raise ConfigError("gstreamer: a pipeline ends in appsink: v4l2src ! appsink, or csi")
        try:
            self._body = shlex.split(found["body"])
        except ValueError as error:
            raise ConfigError(f"gstreamer: {error} in the pipeline") from error
        # Pictures leave as they come; at the pace of their time stamps only on request.
        self._sync = "true" if re.search(r"\bsync=(true|1)\b", found["properties"]) else "false"
        if shutil.which(LAUNCHER) is None:
            raise MissingExtra(
                f"the camera 'gstreamer' needs {LAUNCHER}: sudo apt install gstreamer1.0-tools "
                "gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
            )

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        """Run the pipeline and give its pictures."""
        reading, writing = os.pipe()
        with suppress(OSError):
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        process = subprocess.Popen(
            self.command(writing),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            preexec_fn=_end_with_parent,
        )
        os.close(writing)
        try:
            yield from _Pictures(process, reading)
        finally:
            _end(process)
            os.close(reading)

    def command(self, handle: int) -> list[str]:
        """The launcher's arguments; `handle` takes the rows."""
        queue = "queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0"
        tail = f"! {queue} ! videoconvert ! video/x-raw,format=BGR ! fdsink name={NAME} fd={handle}"
        return [LAUNCHER, "-v", *self._body, *tail.split(), f"sync={self._sync}"]


class _Pictures:
    """What a launcher writes: its remarks, the size among them, and the rows."""

    def __init__(self, process: subprocess.Popen[bytes], rows: int) -> None:
        assert process.stdout is not None
        self._process, self._rows, self._remarks = process, rows, process.stdout.fileno()
        os.set_blocking(rows, False)
        os.set_blocking(self._remarks, False)
        self._size: tuple[int, int] | None = None
        self._text, self._fault = "", ""

    def __iter__(self) -> Iterator[Shot]:
        picture, filled, began = bytearray(), 0, 0.0
        while True:
            # Rows come only once their size is known: the pipe holds them until then.
            sources = [self._remarks, self._rows] if self._size else [self._remarks]
            ready = select.select(sources, [], [], LOOK_AGAIN_S)[0]
            if self._remarks in ready:
                self._listen()
            if self._size is None or self._rows not in ready:
                continue
            width, height = self._size
            stride = (3 * width + 3) & ~3  # GStreamer's rows begin at multiples of four
            if len(picture) != stride * height:
                picture, filled = bytearray(stride * height), 0
            began = began if filled else time.monotonic()
            got = os.readv(self._rows, [memoryview(picture)[filled:]])
            if not got:
                raise CameraError(self._end())
            filled += got
            if filled == len(picture):
                yield Shot(picture, "BGR", width, height, stride, began)
                filled = 0

    def _listen(self) -> None:
        """Read remarks: the size, an error; raises CameraError at the end or for a new size."""
        data = os.read(self._remarks, 65536)
        *lines, self._text = (self._text + data.decode(errors="replace")).split("\n")
        for line in lines:
            if line.startswith(("ERROR", "WARNING: erroneous", "could not")):
                self._fault = self._fault or line
            if found := CAPS.search(line):
                size = int(found[1]), int(found[2])
                if self._size not in (None, size):
                    raise CameraError(f"gstreamer: the picture is now {size[0]}x{size[1]}")
                self._size = size
        if not data:
            raise CameraError(self._end())

    def _end(self) -> str:
        with suppress(OSError):
            while data := os.read(self._remarks, 65536):
                self._text += data.decode(errors="replace")
        told = [line for line in self._text.split("\n") if line.startswith("ERROR")]
        fault = self._fault or (told[0] if told else "the pipeline has ended")
        return f"gstreamer: {fault}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order where it can be: a Jetson's camera service remembers those who just vanish."""
    process.terminate()
    try:
        process.wait(IN_ORDER_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

"""A camera on a Raspberry Pi's ribbon cable, through picamera2 and libcamera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from edge_fer.cameras.shot import Missed, Shot
from edge_fer.errors import CameraError, ConfigError, MissingExtra
from edge_fer.options import read_options

LONGEST_WAIT_S = 5.0
"""For one picture; picamera2 itself waits without end (picamera2#1275)."""
BGR_IN_MEMORY = "RGB888"
"""libcamera names a pixel's bytes from the highest to the lowest, so this is B, G, R in memory."""
INSTALL = (
    "the camera 'picamera' needs picamera2, which pip cannot bring: sudo apt install "
    "python3-picamera2, and make the environment with python3 -m venv --system-site-packages"
)


@dataclass(frozen=True)
class Mode:
    """What is asked of libcamera, which scales to it."""

    size: tuple[int, int] = (640, 480)
    """Width and height in pixels."""
    fps: float = 15.0
    """Frames per second."""

    def __post_init__(self) -> None:
        if not all(64 <= side <= 4096 and side % 2 == 0 for side in self.size):
            raise ValueError("size is even, 64x64 to 4096x4096")
        if not 0 < self.fps <= 240:
            raise ValueError("fps is above 0, at most 240")


class Picamera:
    """`picamera:` or `picamera:1,size=1280x720,fps=30`; the number is libcamera's."""

    def __init__(self, argument: str) -> None:
        number, _, options = argument.partition(",")
        if number and not (number.isascii() and number.isdigit()):
            raise ConfigError(f"picamera:{number}: write picamera:0,size=640x480")
        self._mode = read_options(Mode(), options, "picamera:")
        self._number, self.fps = int(number or 0), self._mode.fps
        if find_spec("picamera2") is None:
            raise MissingExtra(INSTALL)

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        """Start the camera and give its pictures."""
        try:
            from picamera2 import MappedArray, Picamera2
        except ImportError as error:  # libcamera, most often
            raise MissingExtra(f"{INSTALL} ({error})") from error
        if self._number >= len(Picamera2.global_camera_info()):
            raise CameraError(
                f"picamera {self._number} is not there; `edge-fer cameras` lists them"
            )
        camera = self._started(Picamera2)
        try:
            form = camera.stream_configuration("main")
            last = None
            while True:
                request = _next(camera)
                try:
                    stamp = request.get_metadata().get("SensorTimestamp")
                    if stamp is not None and stamp == last:
                        yield Missed("repeat")
                        continue
                    with MappedArray(request, "main", reshape=False) as mapped:
                        width, height = form["size"]
                        data = memoryview(mapped.array)
                        captured = _captured(stamp)
                        yield Shot(data, "BGR", width, height, form["stride"], captured)
                        data.release()
                    last = stamp
                finally:
                    request.release()
        finally:
            camera.close()

    def _started(self, make: Any) -> Any:
        try:
            camera = make(self._number)
            camera.configure(
                camera.create_video_configuration(
                    main={"size": self._mode.size, "format": BGR_IN_MEMORY},
                    controls={"FrameRate": self._mode.fps},
                    queue=False,  # a picture that has waited is an old one
                )
            )
            camera.start()
        except (RuntimeError, IndexError) as error:
            raise CameraError(f"picamera {self._number} cannot be opened: {error}") from error
        return camera


def _next(camera: Any) -> Any:
    """The next completed request."""
    from concurrent.futures import TimeoutError as TimedOut

    try:
        return camera.capture_request(wait=LONGEST_WAIT_S)
    except (TimedOut, TimeoutError) as error:
        raise CameraError(f"picamera gives no picture in {LONGEST_WAIT_S:.0f} s") from error


def _captured(stamp: int | None) -> float:
    """Monotonic seconds of a sensor's stamp, which counts time asleep too (CLOCK_BOOTTIME)."""
    now = time.monotonic()
    if stamp is None:
        return now
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - now
    taken = stamp / 1e9 - asleep
    return taken if 0 < now - taken < LONGEST_WAIT_S else now

"""A camera in the network: RTSP, or MJPEG over HTTP, by the FFmpeg in OpenCV's wheels."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from edge_fer.cameras.shot import Missed, Shot
from edge_fer.errors import CameraError, ConfigError
from edge_fer.options import read_options

ADDRESS = re.compile(r"(?:(?P<options>.*),)?(?P<url>(?:rtsps?|https?)://.+)", re.DOTALL)
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
PASSWORD = "EDGE_FER_STREAM_PASSWORD"
"""Environment variable: for an address that names a user and no password."""


@dataclass(frozen=True)
class Connection:
    """Options before the address: `stream:transport=udp,rtsp://...`."""

    transport: str = "tcp"
    """Of RTSP; over UDP lost packets become torn pictures."""
    timeout: float = 5.0
    """Seconds for connecting, and for each picture."""

    def __post_init__(self) -> None:
        if self.transport not in ("tcp", "udp"):
            raise ValueError(f"transport is tcp or udp, not {self.transport!r}")
        if not 0.1 <= self.timeout <= 60:
            raise ValueError("timeout is 0.1 to 60 seconds")


class Stream:
    """`stream:rtsp://user@host/path` or `stream:http://host/video.mjpg`."""

    fps = 0.0

    def __init__(self, argument: str) -> None:
        found = ADDRESS.fullmatch(argument)
        if not found:
            raise ConfigError("stream: needs an address, such as stream:rtsp://host/path")
        self._how = read_options(Connection(), found["options"] or "", "stream:")
        try:
            parts = urlsplit(found["url"])
            self._place = parts.hostname or "", parts.port or PORTS[parts.scheme]
        except ValueError as error:
            # The reason may quote a part of the password.
            raise ConfigError(
                "stream: the address cannot be read: its port is a number, and / ? # @ in user or "
                "password are written %2F %3F %23 %40"
            ) from error
        if not self._place[0]:
            raise ConfigError("stream: the address names no host")
        secret = os.environ.get(PASSWORD)
        if parts.username and parts.password is None and secret is not None:
            user, _, host = parts.netloc.rpartition("@")
            parts = parts._replace(netloc=f"{user}:{quote(secret, safe='')}@{host}")
        self._url = urlunsplit(parts)
        self._shown = f"{parts.scheme}://{self._place[0]}:{self._place[1]}{parts.path}"

    def shots(self, memory: dict[str, str]) -> Iterator[Shot | Missed]:
        """Connect and give the pictures; raises CameraError when none comes any more."""
        self._reach()
        # FFmpeg reads them when OpenCV opens it; a low delay matters more than a smooth picture.
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = (
            f"rtsp_transport;{self._how.transport}|fflags;nobuffer|flags;low_delay"
        )
        import cv2

        limit = int(1000 * self._how.timeout)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        video = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])
        if not video.isOpened():
            raise CameraError(
                f"stream {self._shown} answers, but gives no video; check path, user and password"
            )
        try:
            while True:
                good, image = video.read()
                if not good:
                    raise CameraError(f"stream {self._shown} has ended or fallen silent")
                height, width = image.shape[:2]
                data = memoryview(image.reshape(-1))
                yield Shot(data, "BGR", width, height, 3 * width, time.monotonic())
        finally:
            video.release()

    def _reach(self) -> None:
        """Say why a host cannot be reached: FFmpeg's reason is lost on its way through OpenCV."""
        try:
            socket.create_connection(self._place, self._how.timeout).close()
        except OSError as error:
            why = error.strerror or str(error)
            raise CameraError(f"stream {self._shown} cannot be reached: {why}") from error

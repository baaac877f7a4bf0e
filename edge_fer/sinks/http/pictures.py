"""Motion JPEG: each client has room for one picture, and a slow one is cut off."""

from __future__ import annotations

from aiohttp import web

from edge_fer.errors import ConfigError
from edge_fer.sinks.http.answers import HEADERS
from edge_fer.sinks.http.feed import Stream, feed
from edge_fer.sinks.http.preview import Preview
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics

BOUNDARY = "picture"


class Pictures:
    """All who watch; used in the server's thread, but `watched` may be asked from any."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open: set[Stream] = set()

    @property
    def watched(self) -> bool:
        """True while somebody looks: only then a picture is made."""
        return bool(self._open)

    def publish(self, data: bytes) -> None:
        """Hand one JPEG to all."""
        for stream in self._open:
            stream.put(data)

    def end(self) -> None:
        """End all streams."""
        for stream in self._open:
            stream.end()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with picture after picture until the client goes, or is too slow."""
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": kind})
        response.force_close()
        await response.prepare(request)

        async def send(data: bytes | None) -> None:
            if data is None:
                await response.write(b"\r\n")  # white space between two parts
                return
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            await response.write(head.encode() + data + b"\r\n")

        stream = Stream(size=1)
        self._open.add(stream)
        self._metrics.clients.add(1, "mjpeg")
        try:
            await feed(request, stream, send)
        finally:
            self._open.discard(stream)
            self._metrics.clients.add(-1, "mjpeg")
        return response


def opened_preview(setting: Setting) -> Preview | None:
    """What makes pictures, if any may be made; raises ConfigError."""
    mode, windows = setting.config.preview, getattr(setting.config, "aggregate_s", None)
    if mode is None:
        return None
    if windows is not None:
        raise ConfigError("preview shows single faces, but only windows may be told: choose one")
    return Preview(mode)

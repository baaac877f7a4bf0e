"""Server-sent events and WebSockets: each client has a short queue, and a slow one is cut off."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic

from aiohttp import WSMsgType, web

from edge_fer.sinks.http.answers import HEADERS
from edge_fer.sinks.http.feed import QUIET_S, WRITE_BUFFER, Send, Stream, feed
from edge_fer.sinks.http.newest import Newest
from edge_fer.telemetry.metrics import Metrics

QUEUE = 8
"""Events that wait for one client; then the oldest is dropped."""
MESSAGE_BYTES, MESSAGES_A_SECOND = 4 << 10, 10
"""What a WebSocket's client may send; nothing that it says is listened to."""

CLOSE_S = 0.5
"""For the other side of a WebSocket to say goodbye too."""


class Streams:
    """All clients that listen; used in the server's thread."""

    def __init__(self, newest: Newest, metrics: Metrics) -> None:
        self.dropped = 0
        self._newest, self._metrics = newest, metrics
        self._open: set[Stream] = set()

    @property
    def listened_to(self) -> bool:
        """True while somebody waits for events; may be asked from any thread."""
        return bool(self._open)

    def publish(self, line: bytes) -> None:
        """Hand one event to all."""
        for stream in self._open:
            self.dropped += not stream.put(line)

    def end(self) -> None:
        """End all streams."""
        for stream in self._open:
            stream.end()

    async def serve_sse(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with server-sent events until the client goes, or is too slow."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        response.force_close()
        await response.prepare(request)

        async def send(line: bytes | None) -> None:
            await response.write(b": quiet\n\n" if line is None else b"data: " + line + b"\n")

        await self._feed(request, "sse", send)
        return response

    async def serve_ws(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with a WebSocket, one event a message."""
        socket = web.WebSocketResponse(
            heartbeat=QUIET_S,
            max_msg_size=MESSAGE_BYTES,
            compress=False,
            timeout=CLOSE_S,
            writer_limit=WRITE_BUFFER,
        )
        socket.headers.update(HEADERS)
        await socket.prepare(request)

        async def send(line: bytes | None) -> None:
            if line is not None:
                await socket.send_str(line.decode().rstrip("\n"))

        listening = asyncio.create_task(self._listen(socket))
        feeding = asyncio.create_task(self._feed(request, "ws", send))
        try:
            await asyncio.wait({listening, feeding}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            feeding.cancel()
            await asyncio.gather(listening, feeding, return_exceptions=True)
        with suppress(ConnectionError):
            await socket.close()
        return socket

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        """Until the client leaves; nothing that it says means anything, but it may not say much."""
        said: deque[float] = deque(maxlen=MESSAGES_A_SECOND + 1)
        async for message in socket:
            said.append(monotonic())
            often = len(said) == said.maxlen and said[-1] - said[0] < 1.0
            if often or message.type == WSMsgType.ERROR:
                await socket.close(code=1008)
                return

    async def _feed(self, request: web.BaseRequest, kind: str, send: Send) -> None:
        """Send what a client that has just come must know, then event after event."""
        stream = Stream(QUEUE)
        for line in self._newest.introduction():
            stream.put(line)
        self._open.add(stream)
        self._metrics.clients.add(1, kind)
        try:
            await feed(request, stream, send)
        finally:
            self._open.discard(stream)
            self._metrics.clients.add(-1, kind)

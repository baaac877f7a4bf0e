"""One client that listens: a short queue, and an end when it does not read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

SLOW_S = 10.0
"""A client that takes nothing for so long is cut off."""
QUIET_S = 15.0
"""After so long without anything new something is sent, to find out who has gone."""
WRITE_BUFFER = 16 << 10
"""Bytes in our own memory for one client, before its queue fills."""

Send = Callable[[bytes | None], Awaitable[None]]
"""Is given what comes next; None when all was quiet."""


class Stream:
    """The queue of one client."""

    def __init__(self, size: int) -> None:
        self._waiting: deque[bytes] = deque(maxlen=size)
        self._changed = asyncio.Event()
        self.ended = False

    def put(self, data: bytes) -> bool:
        """Queue one; False when an older one was dropped for it."""
        full = len(self._waiting) == self._waiting.maxlen
        self._waiting.append(data)
        self._changed.set()
        return not full

    def end(self) -> None:
        """Have the client told that there will be no more."""
        self.ended = True
        self._changed.set()

    async def next(self) -> bytes | None:
        """The oldest that waits; None when all was quiet, or at the end."""
        if not self._waiting and not self.ended:
            self._changed.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), QUIET_S)
        return self._waiting.popleft() if self._waiting else None


async def feed(request: web.BaseRequest, stream: Stream, send: Send) -> None:
    """Send one after another until the end; cuts off a client that does not read."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
    try:
        while not stream.ended:
            await asyncio.wait_for(send(await stream.next()), SLOW_S)
    except (ConnectionError, asyncio.TimeoutError):
        if isinstance(transport, asyncio.Transport):
            transport.abort()

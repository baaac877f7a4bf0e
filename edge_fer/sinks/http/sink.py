"""The sink: a thread with its own event loop, so that no client can hold up the analysis."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import time
from typing import Any

from aiohttp import web

from edge_fer.errors import ConfigError
from edge_fer.notices import Seldom, notice
from edge_fer.sinks.encoding import encode
from edge_fer.sinks.http.access import Access
from edge_fer.sinks.http.door import HEAD_BYTES, Door, Doorkeeper, share
from edge_fer.sinks.http.guard import Guard
from edge_fer.sinks.http.history import History
from edge_fer.sinks.http.newest import Newest
from edge_fer.sinks.http.pictures import Pictures, opened_preview
from edge_fer.sinks.http.preview import jpeg
from edge_fer.sinks.http.routes import Routes, Sources
from edge_fer.sinks.http.settings import Settings, listen, read_settings, token_hash
from edge_fer.sinks.http.streams import Streams
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.thermal import Thermometer
from edge_fer.types import Box, Image, Prediction

QUEUE = 8
"""Events on their way to the server's thread; then the oldest is dropped."""
CLOSE_S = 2.0
"""Longest wait of `close`."""
LINGER_S = 1.0
"""For the rest of a request that has been answered."""
BEAT_S = 1.0
FREE_S = 10.0
"""How often a port that was taken is asked for again."""
BACKLOG = 100
"""Connections that the kernel holds for us."""


class Http:
    """`http:` is loopback, port 8787; `http:ADDRESS:PORT,token=FILE,names=A+B` is elsewhere."""

    backlog = 0
    """Viewers see what is now: nothing ever waits for them, not even the frames of a file."""
    capacity = QUEUE
    last_success = 0.0
    """Unix time at which the server's thread last took an event."""

    def __init__(self, argument: str, setting: Setting | None = None) -> None:
        setting = setting or Setting()
        settings = read_settings(argument, setting.config.http_allow_remote)
        access = Access(token_hash(settings))
        self._preview = opened_preview(setting)
        self._settings = settings
        self._sockets = listened(settings)
        self.port: int = self._sockets[0].getsockname()[1] if self._sockets else settings.port
        hosts = settings.hosts(self.port)
        self._metrics = setting.metrics
        self._keeper = Doorkeeper(hosts, self._metrics)
        self._newest = Newest()
        self._streams = Streams(self._newest, self._metrics)
        self._history, self._pictures = History(), Pictures(self._metrics)
        self._thermometer = setting.thermometer or Thermometer()
        self._borrowed = setting.thermometer is not None
        self._metrics.before_text(self._read_temperature)
        guard = Guard(access, hosts, self._metrics)
        sources = Sources(
            newest=self._newest,
            history=self._history,
            streams=self._streams,
            pictures=self._pictures if self._preview is not None else None,
            thermometer=self._thermometer,
            tickets=access.tickets,
            refresh=self._publish,
        )
        self._routes = Routes(setting, guard, sources)
        self._queue: deque[tuple[Mapping[str, Any], bytes]] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads may be started
            self._loop.close()
            self._release()
            raise
        if self._sockets:
            self._announce()

    @classmethod
    def proven(cls, argument: str, setting: Setting) -> bytes:
        """Check what can be checked without a port; gives a digest of the token."""
        opened_preview(setting)
        return token_hash(read_settings(argument, setting.config.http_allow_remote)) or b""

    @property
    def dropped(self) -> int:
        """Events that a viewer missed, because it or the server was too slow."""
        return self._lost + self._streams.dropped

    @property
    def trouble(self) -> str:
        """`sink` while the port is another's; else empty."""
        return "" if self._sockets else "sink"

    def write(self, event: Mapping[str, Any]) -> None:
        """Hand one event to the server's thread."""
        line = encode(event)
        with self._lock:
            self._queue.append((event, line))
            full = len(self._queue) >= QUEUE
            if len(self._queue) > QUEUE:
                self._queue.popleft()
                self._lost += 1
        # Waking a thread takes a good part of an event's time, and who only asks is told anyway.
        if full or self._streams.listened_to or event["type"] != "update":
            self._call(self._publish)

    def show(
        self,
        image: Image,
        predictions: Sequence[Prediction] | None,
        others: Sequence[Box] | None = (),
    ) -> None:
        """Let viewers see a frame, veiled here and now: it goes nowhere as it is.

        `predictions` is None where detection failed, `others` are all other faces that were found,
        None where there may be such that nobody looked for.
        """
        if self._preview is not None:
            watched = self._pictures.watched
            picture = self._preview.picture(image, predictions, watched, others)
            if picture is not None:
                self._call(lambda: self._pictures.publish(jpeg(picture)))

    def close(self) -> None:
        """End all streams and stop listening, in 2 s at most."""
        self._call(self._stop.set)
        self._thread.join(CLOSE_S)
        self._release()

    def _release(self) -> None:
        self._metrics.not_before_text(self._read_temperature)
        if not self._borrowed:
            self._thermometer.close()
        for one in self._sockets:
            one.close()

    def _announce(self) -> None:
        name = (self._settings.known_as or ("127.0.0.1",))[0]
        notice(f"live page: http://{name}:{self.port}/")

    def _call(self, what: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    def _publish(self) -> None:
        with self._lock:
            events = list(self._queue)
            self._queue.clear()
        for event, line in events:
            self._newest.take(event, line)
            self._history.take(event)
            self._streams.publish(line)
        if events:
            self.last_success = time()

    def _beat(self) -> None:
        """Show that the loop goes round."""
        self._publish()
        self._metrics.loops.set(time(), "http")
        self._loop.call_later(BEAT_S, self._beat)

    def _read_temperature(self) -> None:
        for zone, celsius in self._thermometer.celsius().items():
            self._metrics.temperature.set(celsius, zone)
        for flag, is_set in self._thermometer.flags.items():
            self._metrics.power.set(is_set, flag)
        if (age_s := self._thermometer.age_s()) is not None:
            self._metrics.temperature_age.set(age_s)

    def _run(self) -> None:
        """The thread."""
        asyncio.set_event_loop(self._loop)
        seldom = Seldom()
        self._loop.set_exception_handler(
            lambda _, context: seldom.notice(
                f"http: {context.get('exception', context['message'])}"
            )
        )
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _until_listening(self) -> None:
        """Ask for a port that was taken, again and again until it is free or we end."""
        while not self._sockets and not self._stop.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), FREE_S)
                return
            with suppress(ConfigError):
                self._sockets = listen(self._settings, attempts=1)
                self._announce()

    async def _serve(self) -> None:
        """Until told to stop."""
        silent = logging.Logger("edge_fer.http", logging.CRITICAL + 1)
        server = web.Server(
            self._routes.handle,
            handler_cancellation=True,
            access_log=None,  # it would hold tickets
            logger=silent,
            keepalive_timeout=0,
            lingering_time=LINGER_S,
            max_line_size=HEAD_BYTES,
            max_field_size=HEAD_BYTES,
        )
        self._beat()
        await self._until_listening()
        listening = [
            await self._loop.create_server(
                lambda: Door(self._keeper, server), sock=one, backlog=min(BACKLOG, share())
            )
            for one in self._sockets
        ]
        await self._stop.wait()
        for one in listening:
            one.close()
        self._streams.end()
        self._pictures.end()
        self._keeper.close()
        await server.shutdown(timeout=LINGER_S)


def listened(settings: Settings) -> list[socket.socket]:
    """Sockets that listen; none where the port is taken and the page need not be there."""
    try:
        return listen(settings)
    except ConfigError as error:
        if settings.required:
            raise
        notice(f"{error}; going on without the page until it is free")
        return []

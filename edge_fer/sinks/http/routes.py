"""The one table of routes, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from time import perf_counter
from typing import Any

from aiohttp import web

from edge_fer.notices import Seldom
from edge_fer.sinks.http.access import TICKET_S, Tickets
from edge_fer.sinks.http.answers import answer, refusal
from edge_fer.sinks.http.guard import Guard, Route
from edge_fer.sinks.http.history import History
from edge_fer.sinks.http.newest import Newest
from edge_fer.sinks.http.pictures import Pictures
from edge_fer.sinks.http.redact import redacted
from edge_fer.sinks.http.streams import Streams
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.exposition import CONTENT_TYPE
from edge_fer.telemetry.thermal import Thermometer

HERE = Path(__file__).parent
PAGE = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.svg": ("page.svg", "image/svg+xml"),
}
"""The live page and its icon: the same on every device. They are open: no browser can send a token
when it opens a page. What the page shows comes from routes that ask for it."""
PREVIEW = "/api/v1/preview/{camera}"
"""The only route with a template."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from."""

    newest: Newest
    history: History
    streams: Streams
    pictures: Pictures | None
    """None where no preview was asked for."""
    thermometer: Thermometer
    tickets: Tickets
    refresh: Callable[[], None]
    """Takes in what has been told since the last time."""


class Routes:
    """Answers requests that have passed the door."""

    def __init__(self, setting: Setting, guard: Guard, sources: Sources) -> None:
        self._setting, self._metrics = setting, setting.metrics
        self._guard, self._sources = guard, sources
        self._preview = f"/api/v1/preview/{setting.config.camera_id}"
        self._seldom = Seldom()
        self._files = {
            path: ((HERE / name).read_bytes(), kind) for path, (name, kind) in PAGE.items()
        }
        self._description = (HERE / "openapi.json").read_bytes()
        self.table: Mapping[str, Route] = {
            **{path: Route("none", self._page) for path in PAGE},
            "/healthz": Route("none", self._health),
            "/metrics": Route("read", self._text),
            "/openapi.json": Route("read", self._describe),
            "/api/v1/latest": Route("read", self._latest),
            "/api/v1/config": Route("read", self._config),
            "/api/v1/history": Route("read", self._history),
            "/api/v1/events": Route("read", sources.streams.serve_sse, stream=True),
            "/api/v1/ws": Route("read", sources.streams.serve_ws, stream=True),
            PREVIEW: Route("read", self._pictures, stream=True),
            "/api/v1/ticket": Route("read", self._ticket, method="POST"),
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, and count it."""
        start = perf_counter()
        self._sources.refresh()
        # As it was sent: what only decodes to one of the paths is none of them.
        sent = request.raw_path.partition("?")[0]
        path = PREVIEW if sent == self._preview else "" if sent == PREVIEW else sent
        route = self.table.get(path)
        status = self._guard.judge(request, route)
        if route is None or status != HTTPStatus.OK:
            response: web.StreamResponse = refusal(status)
        else:
            response = await self._answered(route, request)
        name = path if route is not None else "unknown"
        self._metrics.requests.add(1, name, str(response.status))
        if route is not None and not route.stream:
            self._metrics.request_duration.observe(perf_counter() - start, name)
        return response

    async def _answered(self, route: Route, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await route.handler(request)
        except web.HTTPException as refused:  # a WebSocket without its headers
            return answer({"error": refused.reason}, status=refused.status)
        except Exception as error:
            self._seldom.notice(f"http: {type(error).__name__}: {error}")
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _page(self, request: web.BaseRequest) -> web.Response:
        return answer(*self._files[request.path])

    async def _health(self, request: web.BaseRequest) -> web.Response:
        return answer(self._sources.newest.health())

    async def _text(self, request: web.BaseRequest) -> web.Response:
        return answer(self._metrics.text(), CONTENT_TYPE)

    async def _describe(self, request: web.BaseRequest) -> web.Response:
        return answer(self._description)

    async def _latest(self, request: web.BaseRequest) -> web.Response:
        return answer(self._now())

    async def _config(self, request: web.BaseRequest) -> web.Response:
        return answer(redacted(self._setting.config))

    async def _ticket(self, request: web.BaseRequest) -> web.Response:
        return answer({"ticket": self._sources.tickets.issue(), "expires_s": TICKET_S})

    async def _history(self, request: web.BaseRequest) -> web.Response:
        return answer(self._sources.history.told())

    async def _pictures(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._sources.pictures is None:
            why = "there is no preview: it is shown where --preview was given"
            return answer({"error": why}, status=HTTPStatus.NOT_FOUND)
        return await self._sources.pictures.serve(request)

    def _now(self) -> dict[str, Any]:
        config = self._setting.config
        return {
            **self._sources.newest.health(),
            "device": config.device,
            "camera": config.camera_id,
            "temperature_c": self._sources.thermometer.hottest(),
            "event": self._sources.newest.result,
        }

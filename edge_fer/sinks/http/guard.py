"""What is asked of a request before its route answers: a path, a method, an origin, a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from aiohttp import web

from edge_fer.sinks.http.access import Access
from edge_fer.sinks.http.answers import JSON
from edge_fer.telemetry.metrics import Metrics

CUSTOM_HEADER = "X-Edge-Fer"
"""A form of another site cannot send it, and without CORS no script of one can either."""
OWN_SITE = ("same-origin", "none")
"""Values of Sec-Fetch-Site: asked by our own page, or by a person."""
REASONS = {
    HTTPStatus.UNAUTHORIZED: "auth",
    HTTPStatus.FORBIDDEN: "origin",
    HTTPStatus.TOO_MANY_REQUESTS: "rate",
}

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """What one path answers, and to whom; a route without a scope cannot be written."""

    scope: Literal["none", "read"]
    handler: Handler
    method: str = "GET"
    stream: bool = False
    """Answers until one side leaves."""


class Guard:
    """Judges requests."""

    def __init__(self, access: Access, hosts: frozenset[bytes], metrics: Metrics) -> None:
        self._access, self._metrics = access, metrics
        self._origins = {f"http://{host.decode()}" for host in hosts}

    def judge(self, request: web.BaseRequest, route: Route | None) -> HTTPStatus:
        """OK, or the status of the refusal."""
        status = self._judge(request, route)
        if status in REASONS:
            self._metrics.rejected.add(1, REASONS[status])
        return status

    def _judge(self, request: web.BaseRequest, route: Route | None) -> HTTPStatus:
        if route is None:
            return HTTPStatus.NOT_FOUND
        if request.method != route.method:
            return HTTPStatus.METHOD_NOT_ALLOWED
        if route.scope == "none":
            return HTTPStatus.OK
        if not self._own(request) or (route.method == "POST" and not _deliberate(request)):
            return HTTPStatus.FORBIDDEN
        credentials = request.headers.getall("Authorization", ())
        ticket = request.query.get("ticket") if route.stream else None
        return self._access.judge(str(request.remote), credentials, ticket)

    def _own(self, request: web.BaseRequest) -> bool:
        """False for what a page of another origin asks; programs send neither header."""
        origins = request.headers.getall("Origin", ())
        sites = request.headers.getall("Sec-Fetch-Site", ())
        return self._origins.issuperset(origins) and set(OWN_SITE).issuperset(sites)


def _deliberate(request: web.BaseRequest) -> bool:
    return CUSTOM_HEADER in request.headers and request.content_type == JSON

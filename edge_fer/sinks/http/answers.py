"""Answers with the headers that every one of them carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "edge-fer",
}
JSON = "application/json"
WHY = {
    HTTPStatus.UNAUTHORIZED: "send the token: Authorization: Bearer TOKEN",
    HTTPStatus.FORBIDDEN: "a page of another origin may not ask",
    HTTPStatus.NOT_FOUND: "there is nothing here; /openapi.json lists what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "not with this method; /openapi.json lists what there is",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a body has at most 64 KiB",
    HTTPStatus.REQUEST_URI_TOO_LONG: "a URL has at most 2 KiB",
    HTTPStatus.MISDIRECTED_REQUEST: "not served under this name; if it should be, add it to names=",
    HTTPStatus.TOO_MANY_REQUESTS: "too many wrong tokens; wait a minute",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the headers have at most 8 KiB",
    HTTPStatus.INTERNAL_SERVER_ERROR: "an error of edge-fer; its journal says more",
    HTTPStatus.SERVICE_UNAVAILABLE: "too many connections; close one",
}


def answer(
    body: bytes | str | Mapping[str, Any], kind: str = JSON, status: int = HTTPStatus.OK
) -> web.Response:
    """A whole answer; afterwards the connection is closed."""
    content = json.dumps(body, allow_nan=False) if isinstance(body, Mapping) else body
    data = content.encode() if isinstance(content, str) else content
    response = web.Response(body=data, status=status, headers={**HEADERS, "Content-Type": kind})
    response.force_close()
    return response


def refusal(status: HTTPStatus) -> web.Response:
    """An error, and what to do."""
    response = answer({"error": WHY[status]}, status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def raw_answer(status: HTTPStatus) -> bytes:
    """An error as bytes, for a request that never reaches the server."""
    body = json.dumps({"error": WHY[status]})
    headers = {**HEADERS, "Content-Type": JSON, "Content-Length": len(body), "Connection": "close"}
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        *map("{0[0]}: {0[1]}".format, headers.items()),
    ]
    return "\r\n".join([*lines, "", body]).encode()

"""Requests that the http sink must not take for what they seem: hosts, origins, paths, bytes."""

import asyncio
import json
import random
import socket
from pathlib import Path

import aiohttp
import pytest
from served import (
    HANG_GUARD_S,
    READ,
    Served,
    eventually,
    read_all,
    served,
    status_of,
)

# Host


def wrong_hosts(port: int) -> dict[str, list[str]]:
    return {
        "another": [f"evil.test:{port}"],
        "absent": [],
        "two": [f"127.0.0.1:{port}", f"127.0.0.1:{port}"],
        "two different": [f"127.0.0.1:{port}", "evil.test"],
        "longer": [f"127.0.0.1.evil.test:{port}"],
        "decimal": [f"2130706433:{port}"],
        "hexadecimal": [f"0x7f000001:{port}"],
        "short": [f"127.1:{port}"],
        "trailing dot": [f"localhost.:{port}"],
        "no port": ["127.0.0.1"],
        "another port": [f"127.0.0.1:{port - 1}"],
        "port with zeros": [f"127.0.0.1:0{port}"],
        "port twice": [f"127.0.0.1:{port}:{port}"],
        "user": [f"x@127.0.0.1:{port}"],
        "without brackets": [f"::1:{port}"],
        "long loopback": [f"[0:0:0:0:0:0:0:1]:{port}"],
        "empty": [""],
    }


@pytest.mark.parametrize("path", ["/healthz", "/", "/metrics", "/api/v1/ws"])
@pytest.mark.parametrize("case", wrong_hosts(2))
def test_host_that_is_not_exactly_ours_gets_421(server: Served, case: str, path: str) -> None:
    hosts = wrong_hosts(server.port)[case]
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    assert server.raw(f"GET {path} HTTP/1.1", *upgrade, host=hosts) == 421


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_host_loopback_with_the_right_port_passes(server: Served, name: str) -> None:
    assert server.raw("GET /healthz HTTP/1.1", host=[f"{name}:{server.port}"]) == 200


def test_host_in_the_target_does_not_replace_the_header(server: Served) -> None:
    assert server.raw("GET http://evil.test/healthz HTTP/1.1") == 421
    assert server.raw(f"GET http://{server.host}/healthz HTTP/1.1") == 421


def test_host_hidden_behind_a_bare_line_feed_is_refused(server: Served) -> None:
    assert server.raw("GET /healthz HTTP/1.1", "X: a\nHost: evil.test") in (0, 400, 421)


# Origin, CSRF, CORS


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1", "file://", ""])
@pytest.mark.parametrize("path", [*READ, "/api/v1/ws"])
def test_csrf_another_origin_gets_403(server: Served, path: str, origin: str) -> None:
    assert server.ask(path, Origin=origin).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_csrf_a_page_of_another_site_gets_403(server: Served, site: str) -> None:
    assert server.ask("/api/v1/latest", Sec_Fetch_Site=site).status == 403


def test_csrf_our_own_page_passes(server: Served) -> None:
    own = {"Origin": f"http://{server.host}", "Sec-Fetch-Site": "same-origin"}
    assert server.ask("/api/v1/latest", **own).status == 200


def test_csrf_a_websocket_of_another_origin_gets_403(server: Served) -> None:
    async def open_one(origin: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{server.host}/api/v1/ws", origin=origin),
        ):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(open_one("http://evil.test"))
    asyncio.run(open_one(f"http://{server.host}"))


def test_cors_is_not_spoken(server: Served) -> None:
    for origin in ("http://evil.test", f"http://{server.host}"):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = server.ask("/api/v1/ticket", "OPTIONS", **preflight)
        assert answer.status == 405
        assert "access-control" not in json.dumps(answer.headers).lower()


# Traversal and hostile bytes


def traversals() -> list[str]:
    steps = [
        "..",
        "%2e%2e",
        "..%2f..",
        "%252e%252e",
        "..%5c..",
        "..\\..",
        ".%2e",
        "....//",
        "%c0%ae",
    ]
    ends = ["etc/passwd", "page.css", "routes.py", "page.css%00.html", "settings.py"]
    starts = ["/", "//", "/page.css/", "/static/", "/%2f", "/./", "/\\\\host\\"]
    return [f"{start}{step}/{end}" for start in starts for step in steps for end in ends][:250]


def test_traversal_finds_nothing(server: Served) -> None:
    for path in traversals():
        assert server.raw(f"GET {path} HTTP/1.1") in (400, 404), path


@pytest.mark.parametrize("path", ["//", "/page.css/", "/./page.css", "/%70age.css", "/PAGE.css"])
def test_only_the_exact_path_is_a_route(server: Served, path: str) -> None:
    assert server.raw(f"GET {path} HTTP/1.1") == 404


SMUGGLED = {
    "both lengths": "Content-Length: 4\r\nTransfer-Encoding: chunked",
    "two lengths": "Content-Length: 4\r\nContent-Length: 5",
    "length with a sign": "Content-Length: +4",
    "negative length": "Content-Length: -4",
    "length is a word": "Content-Length: four",
    "odd coding": "Transfer-Encoding: xchunked",
    "space before colon": "Transfer-Encoding : chunked",
    "folded": "X: a\r\n b",
    "no name": ": x",
    "NUL": "X: \0",
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_ambiguous_requests_get_one_answer_at_most_and_the_server_lives(
    server: Served, case: str
) -> None:
    head = f"POST /api/v1/ticket HTTP/1.1\r\nHost: {server.host}\r\n{SMUGGLED[case]}\r\n\r\n"
    hidden = f"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: {server.host}\r\n\r\n"
    with server.connect() as client:
        client.sendall((head + hidden).encode())
        client.settimeout(HANG_GUARD_S)
        try:
            got = read_all(client)
        except ConnectionError:
            got = b""
    assert got.count(b"HTTP/1.1 ") <= 1
    assert b"edge_fer_" not in got
    assert server.ask("/healthz").status == 200


def test_random_bytes_leave_the_server_alive(server: Served) -> None:
    rng = random.Random(7)
    base = f"GET /healthz HTTP/1.1\r\nHost: {server.host}\r\nX: y\r\n\r\n".encode()
    for _ in range(150):
        hurt = bytearray(base)
        for _ in range(rng.randint(1, 6)):
            hurt[rng.randrange(len(hurt))] = rng.randrange(256)
        with server.connect() as client:
            client.sendall(bytes(hurt))
            client.shutdown(socket.SHUT_WR)
            try:
                got = read_all(client)
            except ConnectionError:
                continue
        assert status_of(got) in (0, 200, 400, 404, 405, 413, 414, 421, 505), bytes(hurt)
    assert server.ask("/healthz").status == 200


def test_http_1_0_and_2_are_no_way_around(server: Served) -> None:
    assert server.raw("GET /metrics HTTP/1.0", host=[]) == 421
    assert server.raw("PRI * HTTP/2.0") in (400, 405, 421, 505)


def test_a_purpose_is_shown_by_the_api_as_it_was_written(tmp_path: Path) -> None:
    purpose = '<img src=x onerror=alert(1)> "{{7*7}}" \u202eart'
    with served(tmp_path, purpose=purpose) as one:
        answer = one.ask("/api/v1/config")
        assert answer.json["purpose"] == purpose
        assert answer.headers["Content-Type"] == "application/json"
        one.hello()
        eventually(lambda: one.sink._newest._lines)
        assert b"img src" not in one.ask("/metrics").body

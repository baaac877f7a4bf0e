"""What clients of the http sink may cost: rows S12 and H1 to H5 of the fault table."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import aiohttp
import pytest
from served import HANG_GUARD_S, Served, eventually, read_all, served, status_of

from edge_fer.emotions import Emotion
from edge_fer.sinks.http import door, feed, streams
from edge_fer.telemetry.metrics import resident_bytes

EVERYBODY = (*Emotion, None, None, None)
"""Ten faces: the largest event there is."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        one.hello()
        one.state("ok")
        eventually(lambda: one.ask("/healthz").json["camera_state"] == "ok")
        yield one


def closed(client: socket.socket) -> bool:
    """True once the other side has ended the connection."""
    try:
        return read_all(client) is not None
    except ConnectionError:
        return True


def rejected(server: Served, reason: str) -> float:
    return server.metric(f'edge_fer_http_rejected_total{{reason="{reason}"}}')


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x", b"G"])
def test_h1_half_a_head_is_closed_after_its_time(
    server: Served, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEAD_S", 0.2)
    with server.connect() as client:
        client.sendall(sent)
        assert closed(client)
    assert rejected(server, "timeout") == 1


def test_h1_a_trickle_is_closed_after_the_same_time(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEAD_S", 0.3)
    deadline = time.monotonic() + HANG_GUARD_S
    with server.connect() as client, suppress(ConnectionError):
        while time.monotonic() < deadline:
            client.sendall(b"x")
            time.sleep(0.02)
    assert time.monotonic() < deadline


def test_h1_the_deadlines_are_those_that_are_promised() -> None:
    assert (door.HEAD_S, feed.SLOW_S) == (5.0, 10.0)
    assert (door.HEAD_BYTES, door.BODY_BYTES) == (8 << 10, 64 << 10)
    assert (door.CONNECTIONS, door.PER_ADDRESS, streams.QUEUE) == (32, 8, 8)


def test_h2_one_address_gets_8_connections_and_health_still_answers(server: Served) -> None:
    with ExitStack() as stack:
        for _ in range(door.PER_ADDRESS):
            stack.enter_context(server.stream())
        assert server.raw("GET /api/v1/events HTTP/1.1") == 503
        assert server.raw("GET /metrics HTTP/1.1") == 503
        assert server.raw("GET /healthz HTTP/1.1") == 200
        stack.enter_context(server.stream("127.0.0.9"))
    eventually(lambda: server.raw("GET /metrics HTTP/1.1") == 200)


def test_h2_500_connections_leave_32_inside_and_health_answers(server: Served) -> None:
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    with ExitStack() as stack:
        for n in range(250):  # from many addresses, all of which want to listen
            client = stack.enter_context(server.connect(f"127.0.0.{2 + n % 50}"))
            with suppress(ConnectionError):
                client.sendall(request)
        for n in range(250):  # and as many that say nothing
            stack.enter_context(server.connect(f"127.0.1.{2 + n % 50}"))
        for _ in range(50):
            assert server.ask("/healthz").json["camera_state"] == "ok"
        eventually(lambda: server.metric('edge_fer_http_clients{kind="sse"}') == door.CONNECTIONS)
        assert len(server.sink._keeper._inside) == door.CONNECTIONS
        assert len(server.sink._keeper._waiting) <= door.WAITING
        for _ in range(20):
            server.update(Emotion.HAPPY)
    assert rejected(server, "connections") >= 250 - door.CONNECTIONS
    eventually(lambda: not server.sink._keeper._inside)
    assert server.ask("/metrics").status == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /healthz HTTP/1.1", "X: " + "y" * 7000], 200),
        (["GET /healthz HTTP/1.1", "X: " + "y" * 9000], 431),
        (["GET /healthz HTTP/1.1", *["X: y"] * 2000], 431),
        ([f"GET /{'x' * 1500} HTTP/1.1"], 404),
        ([f"GET /{'x' * 3000} HTTP/1.1"], 414),
        ([f"GET /{'x' * 9000} HTTP/1.1"], 414),
        (["GET /healthz HTTP/1.1", f"Content-Length: {65537}"], 413),
        (["POST /api/v1/ticket HTTP/1.1", f"Content-Length: {1 << 30}"], 413),
        (["POST /api/v1/ticket HTTP/1.1", f"Content-Length: {'9' * 4000}"], 413),
    ],
)
def test_h3_what_is_too_large_gets_its_status(
    server: Served, lines: list[str], status: int
) -> None:
    assert server.raw(*lines) == status


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /api/v1/ticket HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /api/v1/ticket HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999\r\n\r\n",
        "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /{long}",
    ],
)
def test_h3_a_body_without_end_is_cut_off_and_kept_nowhere(server: Served, head: str) -> None:
    before, sent = resident_bytes(), 0
    chunk = b"2000\r\n" + b"x" * 8192 + b"\r\n"
    with server.connect() as client, suppress(ConnectionError):
        client.sendall(head.format(host=server.host, long="x" * 9000).encode())
        while sent < 64 << 20:
            sent += client.send(chunk)
    assert sent < 64 << 20
    assert resident_bytes() - before < 8 << 20
    assert server.ask("/healthz").status == 200


def test_s12_a_client_that_never_reads_is_cut_off_and_others_go_on(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SLOW_S", 1.0)
    slow, got = server.stream("127.0.0.2"), bytearray()
    with slow, server.stream("127.0.0.3") as quick:
        reader = threading.Thread(target=lambda: read_until(quick, got, b'"seq":602,'))
        reader.start()
        for n in range(600):
            server.update(*EVERYBODY)
            if n % 2:  # as frames do, events come one by one
                server.ask("/healthz")
        reader.join(HANG_GUARD_S)
        eventually(lambda: server.metric('edge_fer_http_clients{kind="sse"}') == 1)
    assert got.count(b'"type":"update"') >= 0.9 * 600
    assert server.sink.dropped > 0


def read_until(client: socket.socket, got: bytearray, wanted: bytes) -> None:
    while wanted not in got[-20_000:]:
        more = client.recv(1 << 16)
        if not more:
            return
        got += more


def test_s12_slow_clients_of_both_kinds_cost_less_than_a_megabyte_each(server: Served) -> None:
    upgrade = (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: {server.host}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        for n in range(8):
            stack.enter_context(server.stream(f"127.0.0.{2 + n}"))
            client = stack.enter_context(server.connect(f"127.0.0.{2 + n}"))
            client.sendall(upgrade)
            assert status_of(client.recv(16)) == 101
        before = resident_bytes()
        for n in range(1500):
            server.update(*EVERYBODY)
            if n % 4 == 0:
                server.ask("/healthz")  # the server's thread has had its turn
        assert resident_bytes() - before < 16 << 20
        assert server.sink.dropped > 1000


def test_h5_disconnects_in_the_middle_of_a_stream_leave_nothing_behind(server: Served) -> None:
    def turn(n: int) -> None:
        client = server.stream(f"127.0.0.{2 + n % 40}")
        if n % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()  # every second time with a reset
        server.update(Emotion.SAD)

    def drift() -> tuple[int, int, int]:
        tasks = len(asyncio.all_tasks(server.sink._loop))
        return len(os.listdir("/proc/self/fd")), threading.active_count(), tasks

    for n in range(20):
        turn(n)
    eventually(lambda: not server.sink._keeper._inside)
    before = drift()
    for n in range(400):
        turn(n)
    eventually(lambda: not server.sink._keeper._inside)
    eventually(lambda: drift() == before)
    assert server.metric('edge_fer_http_clients{kind="sse"}') == 0


def test_h5_websockets_that_vanish_leave_nothing_behind(server: Served) -> None:
    async def come_and_go() -> None:
        async with aiohttp.ClientSession() as session:
            for n in range(60):
                ws = await session.ws_connect(f"http://{server.host}/api/v1/ws")
                if n % 2:
                    await ws.close()
                else:
                    assert ws._writer is not None
                    ws._writer.transport.abort()

    asyncio.run(come_and_go())
    eventually(lambda: server.metric('edge_fer_http_clients{kind="ws"}') == 0)
    eventually(lambda: not server.sink._keeper._inside)


def test_r2_without_file_descriptors_the_sink_lives_and_recovers(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd"))
    with socket.socket() as client:
        client.settimeout(HANG_GUARD_S)
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
        try:
            client.connect(("127.0.0.1", server.port))  # the kernel accepts, the sink cannot
            server.update(Emotion.HAPPY)
            time.sleep(0.3)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert server.ask("/healthz").status == 200


def test_a_flood_of_events_is_bounded_before_the_servers_thread(server: Served) -> None:
    for _ in range(500):
        server.update(Emotion.HAPPY)
        assert len(server.sink._queue) <= 8
    eventually(lambda: not server.sink._queue)
    assert server.sink.backlog == 0


@pytest.mark.parametrize(("most", "each"), [(64, 8), (1024, 328), (10, 2)])
def test_r2_clients_get_a_part_of_the_descriptors_and_the_rest_is_the_cameras(
    monkeypatch: pytest.MonkeyPatch, most: int, each: int
) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, most))
    assert door.share() == each

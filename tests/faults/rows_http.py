"""S12 and H1 to H5: what clients of the http sink may cost."""

from __future__ import annotations

import os
import random
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from children import MB, Child, child
from table import Figure, row

PACE = 'edge_fer_camera_frames_total{camera="front"}'
GUARD_S = 120


def connect(server: Child, source: str = "127.0.0.1") -> socket.socket:
    """A connection from one of loopback's many addresses."""
    return socket.create_connection(
        ("127.0.0.1", server.port), timeout=GUARD_S, source_address=(source, 0)
    )


def head(server: Child, path: str = "/api/v1/events", method: str = "GET", more: str = "") -> bytes:
    """The head of a request."""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{more}\r\n".encode()


@row("H1", "idle, half a head, trickle: closed within 6 s")
def slow_heads(folder: Path) -> Figure:
    def lasted(server: Child, sent: bytes, trickle: bool) -> float:
        start = time.monotonic()
        with connect(server) as client, suppress(ConnectionError):
            client.sendall(sent)
            client.settimeout(0.5)
            while time.monotonic() - start < 30:
                if trickle:
                    client.sendall(b"x")
                with suppress(TimeoutError):
                    if not client.recv(1):
                        break
        return time.monotonic() - start

    half = b"GET / HTTP/1.1\r\nHost: x"
    with child(folder) as server:
        times = [
            lasted(server, sent, trickle) for sent, trickle in ((b"", 0), (half, 0), (b"G", 1))
        ]
    text = ", ".join(f"{one:.1f}" for one in times)
    return Figure(f"{text} s", max(times) <= 6)


@row("H2", "500 connections: /healthz p99 <= 200 ms, fps +-5 %", 0.8)
def many_connections(folder: Path) -> Figure:
    with child(folder) as server, ExitStack() as stack:
        quiet, before = health_times(server), server.rate(5)
        start, written = time.monotonic(), server.metric(PACE)
        for n in range(250):
            client = stack.enter_context(connect(server, f"127.0.0.{2 + n % 50}"))
            with suppress(ConnectionError):
                client.sendall(head(server))
            stack.enter_context(connect(server, f"127.0.1.{2 + n % 50}"))
        times = health_times(server)
        stack.close()
        # While 32 are inside, /metrics is refused too: the pace is that from before to after.
        time.sleep(0.5)
        beside = (server.metric(PACE) - written) / (time.monotonic() - start)
    p99, change = percentile(times, 99), beside / before - 1
    text = (
        f"p50 {percentile(times, 50):.0f}, p99 {p99:.0f} ms "
        f"(without them {percentile(quiet, 50):.0f} and {percentile(quiet, 99):.0f}); "
        f"{change:+.1%} events/s"
    )
    return Figure(text, p99 <= 200 and abs(change) <= 0.05)


def health_times(server: Child, count: int = 300) -> list[float]:
    """Milliseconds of so many requests, each on a connection of its own."""
    times = []
    for _ in range(count):
        start = time.monotonic()
        status, _ = server.ask("/healthz")
        times.append(1000 * (time.monotonic() - start))
        assert status == 200
        time.sleep(0.02)
    return times


def percentile(values: list[float], share: int) -> float:
    """Of a list of at least two."""
    return statistics.quantiles(values, n=100)[share - 1]


@row("H3", "1 KiB to 1 GiB of body, head, URL: 413, 431, 414; RSS <= +2 MB", 0.5)
def large_requests(folder: Path) -> Figure:
    def flood(server: Child, start: bytes, size: int) -> int:
        """Send until the other side has had enough; the status it answered with."""
        chunk, sent, got = b"x" * 65536, 0, b""
        with connect(server) as client:
            with suppress(ConnectionError, TimeoutError):
                client.sendall(start)
                while sent < size:
                    sent += client.send(chunk[: size - sent])
                client.sendall(b"\r\n\r\n")
            client.settimeout(5)
            with suppress(ConnectionError, TimeoutError):
                while more := client.recv(65536):
                    got += more
        return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/1.1 ") else 0

    sizes = [1 << n for n in (10, 13, 14, 16, 17, 20, 24, 30)]
    with child(folder, rate=5) as server:
        server.ask("/healthz")
        statuses: dict[str, set[int]] = {"body": set(), "head": set(), "url": set()}
        before = server.cost.rss_bytes
        for size in sizes:
            length = (
                f"Content-Length: {size}\r\nX-Edge-Fer: 1\r\nContent-Type: application/json\r\n"
            )
            post = head(server, "/api/v1/ticket", "POST", length)
            statuses["body"].add(flood(server, post, size))
            statuses["head"].add(flood(server, head(server, "/healthz")[:-2] + b"X: ", size))
            statuses["url"].add(flood(server, b"GET /", size))
        grown = (server.cost.rss_bytes - before) / MB
        alive = server.ask("/healthz")[0] == 200
    wanted = {"body": {413}, "head": {431}, "url": {414}}
    right = all(statuses[name] <= one | {0, 200, 404, 421} for name, one in wanted.items())
    told = all(wanted[name] & statuses[name] for name in wanted)
    text = "; ".join(f"{name} {sorted(one)}" for name, one in statuses.items())
    return Figure(f"{text}; RSS {grown:+.1f} MB", right and told and alive and grown <= 2)


@row("H5", "10,000 disconnects mid-stream: descriptors, threads, tasks drift 0", 2)
def disconnects(folder: Path) -> Figure:
    with child(folder) as server:

        def come_and_go(times: int) -> None:
            for n in range(times):
                with connect(server, f"127.0.0.{2 + n % 40}") as client:
                    client.sendall(head(server))
                    client.recv(64)
                    if n % 2:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        come_and_go(200)
        time.sleep(3)
        before = server.cost
        come_and_go(10_000)
        time.sleep(12)
        after, open_ones = server.cost, server.metric('edge_fer_http_clients{kind="sse"}')
    fds, threads = after.descriptors - before.descriptors, after.threads - before.threads
    grown = (after.rss_bytes - before.rss_bytes) / MB
    text = (
        f"descriptors {fds:+d}, threads {threads:+d}, streams {open_ones:.0f}, RSS {grown:+.1f} MB"
    )
    return Figure(text, (fds, threads, open_ones) == (0, 0, 0) and grown <= 1)


@contextmanager
def reader(server: Child, counts: list[int], source: str) -> Iterator[None]:
    """A client that reads all events and counts them."""
    client = connect(server, source)
    client.sendall(head(server))

    def read() -> None:
        with suppress(OSError):
            while more := client.recv(1 << 16):
                counts[0] += more.count(b'"type":"update"')

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        client.shutdown(socket.SHUT_RDWR)
        client.close()
        thread.join(GUARD_S)


@row("S12", "a client that never reads: cut at 10 s, RSS <= +1 MB each, others +-10 %", 1.2)
def slow_clients(folder: Path) -> Figure:
    seconds, slow = 20, 12
    with child(folder, rate=60, faces=10) as server:
        counts = [0]
        with reader(server, counts, "127.0.0.2"), ExitStack() as stack:
            time.sleep(2)
            counts[0], start = 0, server.metric(PACE)
            time.sleep(seconds / 2)
            alone = counts[0] / (server.metric(PACE) - start)
            before = server.cost.rss_bytes
            for n in range(slow):
                client = stack.enter_context(connect(server, f"127.0.0.{3 + n}"))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(head(server))
            counts[0], start, peak = 0, server.metric(PACE), 0
            for _ in range(seconds * 2):
                time.sleep(0.5)
                peak = max(peak, server.cost.rss_bytes - before)
            beside = counts[0] / (server.metric(PACE) - start)
            left = server.metric('edge_fer_http_clients{kind="sse"}') - 1
    each, change = peak / MB / slow, beside / alone - 1
    text = f"{slow - left:.0f} of {slow} cut, {each:+.2f} MB each, the reader {change:+.1%}"
    return Figure(text, left == 0 and each <= 1 and abs(change) <= 0.1)


@row("H (fuzz)", "100,000 random requests: always alive, 0 series added", 4)
def random_requests(folder: Path) -> Figure:
    rng = random.Random(int(os.environ.get("EDGE_FER_FUZZ_SEED", "1")))
    words = [
        "/",
        "/metrics",
        "/healthz",
        "/api/v1/",
        "..",
        "%2f",
        "?ticket=",
        "ws",
        "\x7f",
        "é",
        "{}",
    ]
    methods = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "X", ""]
    headers = [
        "Host: evil",
        "Transfer-Encoding: chunked",
        "Content-Length: -1",
        "Upgrade: websocket",
    ]
    answered = 0
    with child(folder, rate=5) as server:
        for path in ("/", "/metrics", "/healthz", "/nowhere"):
            for method in ("GET", "PUT"):
                with connect(server) as client:
                    client.sendall(head(server, path, method))
                    client.recv(64)
        server.metric("x")
        names = series(server)
        for n in range(int(os.environ.get("EDGE_FER_FUZZ_COUNT", "100000"))):
            path = "".join(rng.choices(words, k=rng.randint(1, 4))) + hex(n)
            more = "".join(f"{one}\r\n" for one in rng.choices(headers, k=rng.randint(0, 2)))
            data = head(server, path, rng.choice(methods), more) + rng.randbytes(rng.randint(0, 40))
            with suppress(OSError), connect(server, f"127.0.0.{2 + n % 200}") as client:
                client.sendall(data if n % 10 else rng.randbytes(200) + b"\r\n\r\n")
                client.settimeout(6)
                answered += client.recv(16).startswith(b"HTTP/1.1 ")
        alive, after = server.ask("/healthz")[0] == 200, series(server)
    new = {name for name in after - names if "http_re" not in name}
    routes = {one for one in after if "http_requests_total" in one}
    text = f"{answered:,} answered, {len(new)} new series, {len(routes)} of routes and codes"
    return Figure(text, alive and not new and len(routes) <= 60)


def series(server: Child) -> set[str]:
    """The names and labels of all series, but those of histograms' buckets."""
    lines = server.ask("/metrics")[1].decode().splitlines()
    return {line.rpartition(" ")[0] for line in lines if line[:1] != "#" and "_bucket" not in line}

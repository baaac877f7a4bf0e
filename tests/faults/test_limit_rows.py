"""Rows R2, R3 and T1: a daemon that is held short, and clocks that are wrong."""

import resource
import signal
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from daemons import Daemon, daemon
from groups import NoGroups, group

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
SLEEPING = "import select, time; time.sleep = lambda s: select.select([], [], [], s)"
"""libfaketime 0.9.10 takes the absolute times of Python's sleep for those of its own clock."""
HTTP = ("--purpose", "test", "--sink", "jsonl:-", "--sink", "http:127.0.0.1:0")


def few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def status(one: Daemon, path: str = "/healthz") -> int:
    """The daemon's answer; 0 where it took no connection."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", one.port), 5) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{one.port}\r\n\r\n".encode())
        return int(client.recv(64).split()[1])
    return 0


def crowd(one: Daemon, stack: ExitStack, count: int = 100) -> None:
    """Clients of many addresses that listen to every event."""
    for n in range(count):
        client = stack.enter_context(
            socket.create_connection(
                ("127.0.0.1", one.port), 5, source_address=(f"127.0.1.{1 + n // 4}", 0)
            )
        )
        with suppress(OSError):
            request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{one.port}\r\n\r\n"
            client.sendall(request.encode())


def test_r2_with_64_descriptors_a_crowd_is_refused_and_the_camera_goes_on(tmp_path: Path) -> None:
    with daemon(tmp_path, "--camera", "fake:then=more", *HTTP, enter=few_descriptors) as one:
        one.until(lambda: one.port and status(one) == 200)
        with ExitStack() as stack:
            crowd(one, stack)
            told = len(one.of("update"))
            one.until(lambda: len(one.of("update")) > told + 100)
        one.until(lambda: status(one) == 200)
        assert {event["camera_state"] for event in one.of("state")} == {"ok"}
        one.send(signal.SIGTERM)
        assert one.ended() == 0


def within(folder: Path, tasks: int) -> str:
    """What becomes of a daemon that may have so many threads: `runs`, or its status and words."""
    with group(tasks=tasks) as held, daemon(
        folder, "--camera", "fake:then=more", enter=held.enter, OPENBLAS_NUM_THREADS="1"
    ) as one:  # fmt: skip
        try:
            one.runs()
            return "runs"
        except RuntimeError:
            return f"{one.ended()} {one.said()}"


def test_r3_with_too_few_threads_the_daemon_ends_with_the_remedy_and_never_hangs(
    tmp_path: Path,
) -> None:
    try:
        few, more = within(tmp_path, 3), within(tmp_path, 64)
    except NoGroups as error:
        pytest.skip(f"{error}: the limit on threads is not tried")
    assert few.startswith("70 ")
    assert "raise TasksMax=" in few
    assert more == "runs"


@pytest.mark.skipif(not FAKETIME, reason="no libfaketime: the clock is not moved under a daemon")
def test_t1_hours_and_decades_of_another_clock_change_nothing(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_text("+0\n")
    clock = {
        "LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "FAULTS_FIRST": SLEEPING,
    }  # fmt: skip
    with daemon(tmp_path, "--camera", "fake:then=more", **clock) as one:
        one.runs()
        for seconds in (3600, -3600, 315_360_000, -int(time.time()) + 86_400):
            stamp.write_text(f"{seconds:+d}\n")
            jumps = len(one.lines)
            one.until(lambda jumps=jumps: len(one.lines) > jumps)
            assert "the clock was set" in one.lines[-1]
            told = len(one.of("update"))
            one.until(lambda told=told: len(one.of("update")) > told + 50)
        assert one.events[-1]["time"].startswith("1970-01-0")
        assert [event["camera_state"] for event in one.of("state")] == ["ok"]
        assert [event["seq"] for event in one.events] == list(range(1, len(one.events) + 1))
        uptimes = [event["uptime_s"] for event in one.events]
        assert uptimes == sorted(uptimes)
        assert uptimes[-1] < 600


def test_the_watchers_of_this_file_see_a_daemon_that_ends(tmp_path: Path) -> None:
    with (
        daemon(tmp_path, "--camera", "carrier-pigeon:") as one,
        pytest.raises(RuntimeError, match="ended with 78"),
    ):
        one.runs()

"""Brokers that are away, hang, die or send nonsense, and devices that die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from brokers import (
    HANG_GUARD_S,
    Mosquitto,
    ScriptedBroker,
    accept,
    until,
    watching,
)
from mqtt_daemons import (
    AVAILABLE,
    CAMERA,
    DISCOVERY,
    HEALTH,
    STATE,
    SWITCH,
    Start,
    connected,
)

from edge_fer.sinks.mqtt import connection, failures, report
from edge_fer.sinks.mqtt.sink import FLUSH_S


def test_g1_a_broker_that_hangs_holds_the_end_up_for_two_seconds_at_most(
    broker: Mosquitto, start: Start
) -> None:
    daemon = connected(start(broker.port))
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    daemon.update()
    began = time.monotonic()
    daemon.sink.close()
    assert time.monotonic() - began < FLUSH_S + 1
    broker.process.send_signal(signal.SIGCONT)


def test_s1_a_broker_that_is_down_at_the_start_stops_nobody(
    mosquitto: Callable[..., Mosquitto], start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = mosquitto()
    daemon = start(broker.port)
    until(lambda: daemon.sink.state == "lost")
    for _ in range(300):
        daemon.update()
    assert (daemon.sink.backlog, daemon.sink.dropped) == (256, 302 - 256)
    broker.start()
    connected(daemon)
    until(lambda: daemon.sink.sent == 256 and not daemon.sink.backlog)
    assert daemon.sink.failed == 0
    with watching(broker.port) as watcher:
        watcher.wait(AVAILABLE, b"online")
        watcher.wait(DISCOVERY)
    lines = capsys.readouterr().err.splitlines()
    assert ["refused" in lines[0], lines[1].endswith("connected"), len(lines)] == [True, True, 2]


def test_s2_a_broker_that_lost_its_memory_is_told_everything_again(
    broker: Mosquitto, start: Start
) -> None:
    daemon = connected(start(broker.port))
    broker.stop()
    until(lambda: daemon.sink.state == "lost")
    broker.start()
    connected(daemon)
    with watching(broker.port) as late:
        for topic in (DISCOVERY, STATE, HEALTH):
            late.wait(topic)
        late.wait(AVAILABLE, b"online")
        late.wait(CAMERA, b"online")
    assert daemon.sink.connections == 2


BLACK_HOLE = """
import sys, time
from pathlib import Path
from edge_fer.telemetry.metrics import resident_bytes
sys.path.insert(0, sys.argv[2])
from mqtt_daemons import Daemon
from edge_fer.sinks.mqtt.sink import Mqtt

sink = Mqtt(f"host=127.0.0.1,port={sys.argv[1]}")
daemon = Daemon(sink, Path(sys.argv[3]))
time.sleep(1)
event = {"type": "x", "rest": "x" * 380, "uptime_s": 1.0}
for _ in range(1_000):
    sink.write(event)
before = resident_bytes()
for _ in range(100_000):
    sink.write(event)
print(resident_bytes() - before, sink.dropped, sink.backlog)
"""


def test_s3_a_broker_that_never_reads_costs_no_memory(tmp_path: Path) -> None:
    done = threading.Event()

    def hole(one: socket.socket, level: int) -> None:
        """Experiment E1: welcome, and never another byte is read."""
        accept(one, level)
        done.wait(HANG_GUARD_S)

    tests = str(Path(__file__).resolve().parent.parent)
    with closing(ScriptedBroker(hole, buffer=4096)) as fake:
        child = subprocess.run(
            [sys.executable, "-c", BLACK_HOLE, str(fake.port), tests, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])},
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )
        done.set()
    assert child.returncode == 0, child.stderr
    growth, dropped, waiting = map(int, child.stdout.split())
    assert growth <= 10e6
    assert dropped > 50_000
    assert waiting <= 256


def test_s4_a_connection_that_is_dead_but_open_is_noticed_by_the_keepalive(
    broker: Mosquitto, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.KEEPALIVE_S * 2 + failures.RETRY_S[0] <= 60
    monkeypatch.setattr(connection, "KEEPALIVE_S", 1)
    daemon = connected(start(broker.port))
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    until(lambda: daemon.sink.state == "lost", "the loss")
    broker.process.send_signal(signal.SIGCONT)
    connected(daemon)
    with watching(broker.port, AVAILABLE) as late:
        late.wait(AVAILABLE, b"online")


def test_a_killed_device_is_offline_by_its_will(broker: Mosquitto, child: Any) -> None:
    one = child(broker.port)
    with watching(broker.port, AVAILABLE) as watcher:
        watcher.wait(AVAILABLE, b"online")
        one.kill()
        watcher.wait(AVAILABLE, b"offline")
    with watching(broker.port, AVAILABLE) as late:
        assert late.wait(AVAILABLE) == b"offline"


def test_s5_the_will_of_a_hanging_predecessor_does_not_follow_its_successor(
    broker: Mosquitto, child: Any
) -> None:
    first = child(broker.port)
    with watching(broker.port, AVAILABLE) as watcher:
        watcher.wait(AVAILABLE, b"online")
        first.send_signal(signal.SIGSTOP)
        child(broker.port)
        until(lambda: watcher.payloads(AVAILABLE)[-2:] == [b"offline", b"online"], "the change")
        time.sleep(3)  # twice the 1.5 s after which a broker declares a silent client dead
        assert watcher.payloads(AVAILABLE)[-1] == b"online"


# Experiment E2: the second column is said to MQTT 5 in the same words.
BAD_PACKETS = {
    "publish of length 1": "3001 00",
    "topic beyond the packet": "3004 00ff 6161",
    "short suback": "9001 00",
    "short puback": "4001 00",
    "short pubrel": "6201 00",
    "short connack": "2001 00",
    "five-byte length": "30ffffffff7f",
    "huge length": "30ffffff7f 0001 61",
    "topic that is no text": "3005 0002 fffe 61",
    "type 0": "0000",
    "type 15 with content": "f002 0000",
}


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("packet", BAD_PACKETS.values(), ids=BAD_PACKETS)
def test_s8_after_a_bad_packet_the_sink_connects_again(
    start: Start, packet: str, level: int
) -> None:
    welcomed: list[int] = []

    def spoil(one: socket.socket, spoken: int) -> None:
        if spoken != level:
            return
        welcomed.append(spoken)
        accept(one, spoken)
        one.sendall(bytes.fromhex(packet))
        time.sleep(0.1)

    with closing(ScriptedBroker(spoil)) as fake:
        daemon = start(fake.port)
        until(lambda: len(welcomed) >= 2, "the second connection")
        assert daemon.sink._thread.is_alive()


def test_s8_an_error_in_our_own_callback_does_not_end_the_thread(
    broker: Mosquitto, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, now: float) -> None:
        raise RuntimeError("our mistake")

    monkeypatch.setattr(report.Report, "greeted", broken)
    daemon = connected(start(broker.port))
    with watching(broker.port) as watcher:
        watcher.say("homeassistant/status", b"online")
        watcher.say(SWITCH, b"OFF")
        until(lambda: not daemon.sink.enabled)


def test_an_old_broker_is_spoken_to_in_3_1_1(start: Start) -> None:
    def old(one: socket.socket, level: int) -> None:
        if level == 5:
            one.sendall(bytes.fromhex("20020001"))
        else:
            accept(one, level)
            while one.recv(4096):
                pass

    with closing(ScriptedBroker(old)) as fake:
        daemon = start(fake.port)
        until(lambda: daemon.sink.sent == 2)
        assert fake.levels == [5, 4]

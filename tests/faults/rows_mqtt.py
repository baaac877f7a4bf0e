"""S1 to S9: what a broker may do to the mqtt sink."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import accumulate, takewhile
from pathlib import Path
from xml.etree import ElementTree

from brokers import Mosquitto, ScriptedBroker, Watcher, accept, watching
from children import MB, Child, child
from table import Figure, row

from edge_fer.sinks.mqtt.failures import DENIED_S, RETRY_S, waits

TESTS = Path(__file__).resolve().parent.parent
ROOT = "edge_fer/pi-hall"
AVAILABLE, EVENT = f"{ROOT}/availability", f"{ROOT}/front/event"
DISCOVERY = "homeassistant/device/edge_fer_pi-hall/config"
RETAINED = (DISCOVERY, AVAILABLE, f"{ROOT}/front/availability", f"{ROOT}/front/state")
GUARD_S = 180


def spec(port: int, more: str = "") -> str:
    """The sink's."""
    return f"mqtt:host=127.0.0.1,port={port}{more}"


def since(began: float, condition: Callable[[], object]) -> float:
    """Seconds until it is true; a hang is an error."""
    while not condition():
        if time.monotonic() - began > GUARD_S:
            raise TimeoutError(f"not within {GUARD_S} s")
        time.sleep(0.02)
    return time.monotonic() - began


def told(folder: Path) -> list[str]:
    """What a child has said on stderr."""
    return (folder / "stderr").read_text().splitlines()


@row("S1", "broker down: 1 to 12 attempts in 10 min", 0.1)
def attempts(folder: Path) -> Figure:
    counts = []
    for _ in range(1000):
        times = takewhile(lambda second: second < 600, accumulate(waits(*RETRY_S)))
        counts.append(1 + sum(1 for _ in times))
    text = f"{min(counts)} to {max(counts)} over 1,000 draws of the waits"
    return Figure(text, min(counts) >= 1 and max(counts) <= 12)


@row("S2", "broker restarts without its memory: all told again <= 10 s", 2)
def restarts(folder: Path) -> Figure:
    times = []
    broker = Mosquitto(folder).start()
    try:
        with child(folder / "child", spec(broker.port), rate=15):
            with watching(broker.port) as watcher:
                since(time.monotonic(), lambda: all(watcher.payloads(t) for t in RETAINED))
            for down_s in (0.2, 1.0, 3.0, 5.0, 20.0, 45.0):
                broker.stop()
                time.sleep(down_s)
                times.append(_back(broker.start()))
    finally:
        broker.stop()
    text = ", ".join(f"{one:.1f}" for one in times)
    return Figure(f"{text} s after 0.2, 1, 3, 5, 20 and 45 s down", max(times) <= 10)


def _back(broker: Mosquitto) -> float:
    """Seconds until a broker that has just started knows everything."""
    began, wanted = time.monotonic(), (*RETAINED, EVENT)
    with watching(broker.port) as watcher:
        return since(began, lambda: all(watcher.payloads(topic) for topic in wanted))


@row("S3", "broker never reads: RSS <= +10 MB at 100,000 events", 1.5)
def black_hole(folder: Path) -> Figure:
    done = threading.Event()

    def hole(one: socket.socket, level: int) -> None:
        accept(one, level)
        done.wait(600)

    with closing(ScriptedBroker(hole, buffer=4096)) as broker:
        with child(folder / "child", spec(broker.port), rate=1e9, faces=1, count=100_000) as sink:
            time.sleep(2)
            before, peak = sink.cost.rss_bytes, 0
            fed = threading.Event()
            threading.Thread(target=lambda: _awaited(sink, fed), daemon=True).start()
            while not fed.wait(0.5):
                peak = max(peak, sink.cost.rss_bytes - before)
            after = sink.cost.rss_bytes - before
        done.set()
    text = f"{max(peak, after) / MB:+.1f} MB at most, {after / MB:+.1f} MB at the end"
    return Figure(text, max(peak, after) <= 10 * MB)


def _awaited(sink: Child, fed: threading.Event) -> None:
    assert sink.process.stdout is not None
    sink.process.stdout.readline()
    fed.set()


@row("S4", "half-open TCP: noticed and `online` again <= 60 s", 1.5)
def half_open(folder: Path) -> Figure:
    broker = Mosquitto(folder).start()
    try:
        with child(folder / "child", spec(broker.port), rate=15):
            since(time.monotonic(), lambda: "connected" in "".join(told(folder / "child")))
            assert broker.process is not None
            broker.process.send_signal(signal.SIGSTOP)
            noticed = since(time.monotonic(), lambda: "lost" in "".join(told(folder / "child")))
            broker.process.send_signal(signal.SIGCONT)
            back = since(
                time.monotonic(), lambda: "connected" in "".join(told(folder / "child")[-1:])
            )
            with watching(broker.port, AVAILABLE) as late:
                online = late.wait(AVAILABLE) == b"online"
    finally:
        broker.stop()
    text = f"noticed after {noticed:.0f} s, connected {back:.1f} s after the broker's return"
    return Figure(text, online and noticed + back <= 60)


@row("S5", "a predecessor that hangs: `online` 50/50", 4)
def last_will(folder: Path) -> Figure:
    broker, good, rounds = Mosquitto(folder).start(), 0, 50
    try:
        for n in range(rounds):
            with child(folder / f"a{n}", spec(broker.port), rate=5) as first:
                since(time.monotonic(), lambda n=n: "connected" in "".join(told(folder / f"a{n}")))
                first.process.send_signal(signal.SIGSTOP)
                with child(folder / f"b{n}", spec(broker.port), rate=5):
                    where = folder / f"b{n}"
                    since(time.monotonic(), lambda where=where: "connected" in "".join(told(where)))
                    time.sleep(0.5)
                    with watching(broker.port, AVAILABLE) as late:
                        good += late.wait(AVAILABLE) == b"online"
    finally:
        broker.stop()
    return Figure(f"{good}/{rounds}", good == rounds)


@row("S6", "wrong password: <= 20 log lines an hour", 0.1)
def refused(folder: Path) -> Figure:
    users = folder / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "pi", "geheim"], check=True)
    broker = Mosquitto(folder, "allow_anonymous false", f"password_file {users}").start()
    try:
        named = spec(broker.port, ",user=pi")
        with child(folder / "child", named, rate=15, EDGE_FER_MQTT_PASSWORD="falsch"):
            time.sleep(5)
            lines = [line for line in told(folder / "child") if "mqtt" in line]
    finally:
        broker.stop()
    times = takewhile(lambda second: second < 3600, accumulate(waits(*DENIED_S)))
    asked = 1 + sum(1 for _ in times)
    text = f"{len(lines)} line, `{lines[0].split(': ', 2)[2][:11]}`; {asked} attempts an hour"
    return Figure(text, len(lines) == 1 and "auth_failed" in lines[0] and asked <= 20)


@row("S9", "Home Assistant restarts: told once per birth, within 1 to 6 s", 1.2)
def births(folder: Path) -> Figure:
    broker, times = Mosquitto(folder).start(), list[float]()
    try:
        with child(folder / "child", spec(broker.port), rate=5), watching(broker.port) as watcher:
            watcher.wait(DISCOVERY)
            counts = [_birth(watcher, times) for _ in range(10)]
    finally:
        broker.stop()
    text = f"{min(times):.1f} to {max(times):.1f} s, {sum(counts)} announcements for 10 births"
    return Figure(text, counts == [1] * 10 and min(times) >= 1 and max(times) <= 6)


def _birth(watcher: Watcher, times: list[float]) -> int:
    """One restart; gives how often the device was announced within six seconds."""
    watcher.heard.clear()
    began = time.monotonic()
    watcher.say("homeassistant/status", b"online")
    times.append(since(began, lambda: watcher.payloads(DISCOVERY)))
    time.sleep(max(began + 6 - time.monotonic(), 0))
    return len(watcher.payloads(DISCOVERY))


def passed(folder: Path, words: str, files: str) -> tuple[int, int]:
    """Of the tests that such words choose, how many passed, and how many there are."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-k", words, "--junitxml", str(report)]
    subprocess.run(
        [*command, str(TESTS / files)], capture_output=True, check=False, cwd=TESTS.parent
    )
    suite = ElementTree.parse(report).getroot()[0]
    count = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    return 2 * count["tests"] - sum(count.values()), count["tests"]


@row("S7", "TLS expired, wrong host, unknown CA, 1.0: refused, never plain", 0.3)
def bad_tls(folder: Path) -> Figure:
    good, count = passed(folder, "s7", "sinks/test_mqtt_trust.py")
    return Figure(f"{good}/{count}", good == count >= 4)


@row("S8", "11 bad packets in 3.1.1 and 5: connected again, 22/22, and after our own error", 0.5)
def bad_packets(folder: Path) -> Figure:
    began = time.monotonic()
    good, count = passed(folder, "s8", "sinks/test_mqtt_lost.py")
    mean = (time.monotonic() - began) / max(count, 1)
    return Figure(f"{good}/{count}, {mean:.1f} s each", good == count == 23)


def publishes_a_second(sink: Child, port: int, seconds: float) -> float:
    """Events that reach a subscriber."""
    with watching(port, EVENT) as watcher:
        time.sleep(seconds)
        return len(watcher.heard) / seconds


@row("S (rate)", "for information: events a second through the broker, drops begin above", 0.5)
def rates(folder: Path) -> Figure:
    broker, got = Mosquitto(folder).start(), {}
    try:
        for rate in (30, 300, 1000, 3000):
            with child(folder / f"r{rate}", spec(broker.port), rate=rate) as sink:
                since(
                    time.monotonic(), lambda r=rate: "connected" in "".join(told(folder / f"r{r}"))
                )
                got[rate] = round(publishes_a_second(sink, broker.port, 4))
    finally:
        broker.stop()
    return Figure(json.dumps(got), got[30] >= 28)

"""B1, C3, G3, P3, P4, S10, T1 and T2: accelerator, plug, supervisor, heat, readers and clocks."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from children import Child, child
from daemons import Daemon, daemon
from fakes import fake_bundle
from table import Figure, row
from test_engine_rows import HANGING
from test_limit_rows import FAKETIME, SLEEPING

LIVE = ("--camera", "fake:then=more")
PLUGGED = """
import os
from pathlib import Path
from edge_fer.cameras import CAMERAS
from edge_fer.daemon import retries
from edge_fer.cameras.v4l2 import names
root = Path(os.environ["FAULTS_ROOT"])
names.ROOT = root
retries.present = lambda: names.present(root)
CAMERAS["plug"] = "sources:Plug"
"""


@row("B1", "accelerator lost: events on the fallback <= 15 s, cause in the label", 0.2)
def fallback(folder: Path) -> Figure:
    spare = fake_bundle(folder / "spare", name="spare").path
    with daemon(folder, *LIVE, "--fallback", str(spare), FAULTS_ENGINE="models:Lost") as one:
        one.until(lambda: any("failed" in line for line in one.lines))
        took = one.until(lambda: one.of("update"))
        label = one.degraded
    text = f"an event {took:.1f} s after the failure was told, degraded {', '.join(label)}"
    return Figure(text, took <= 15 and label == ["cpu_fallback"])


@row("B1 (hang)", "an engine that hangs: events on the fallback <= 15 s", 0.4)
def hanging_engine(folder: Path) -> Figure:
    spare = str(fake_bundle(folder / "spare", name="spare").path)
    first = HANGING.replace("= 1.0", "= pulse.LIMITS_S['infer']")
    with daemon(folder, *LIVE, "--fallback", spare, FAULTS_FIRST=first) as one:
        one.runs()
        one.until(lambda: len(one.of("update")) >= 9)
        took = one.until(lambda: one.of("update")[-1]["model"]["id"] == "spare")
        label, alive = one.degraded, one.process.poll() is None
    text = f"{took:.1f} s after the last event of the other, degraded {', '.join(label)}"
    return Figure(text, took <= 15 and label == ["cpu_fallback"] and alive)


@row("C3", "back as another /dev/videoN: event <= 10 s, 100 of 100, descriptors and threads 0", 7)
def plugged(folder: Path) -> Figure:
    root = folder / "root"
    (root / "dev").mkdir(parents=True)
    times, rounds = [], 100
    more = {"FAULTS_FIRST": PLUGGED, "FAULTS_ROOT": str(root)}
    (root / "dev/video0").touch()
    with daemon(folder, "--camera", "plug:", **more) as one:
        one.runs()
        before = _held(one)
        for n in range(1, rounds + 1):
            (root / f"dev/video{n - 1}").unlink()
            one.until(lambda: one.of("state")[-1]["camera_state"] == "lost")
            time.sleep(0.5 + n % 5)  # the back-off grows meanwhile
            told = len(one.of("update"))
            (root / f"dev/video{n}").touch()
            times.append(one.until(lambda told=told: len(one.of("update")) > told))
        time.sleep(1)
        after = _held(one)
    good = sum(took <= 10 for took in times)
    drift = [a - b for a, b in zip(after, before, strict=True)]
    text = f"{good} of {rounds}, at most {max(times):.1f} s; descriptors {drift[0]:+d}, "
    return Figure(f"{text}threads {drift[1]:+d}", good == rounds and drift == [0, 0])


def _held(one: Daemon) -> tuple[int, int]:
    place = Path(f"/proc/{one.process.pid}")
    return len(os.listdir(place / "fd")), len(os.listdir(place / "task"))


@row("G3", "a stall that nothing handles: pings stop within one interval (15 s of 30)", 0.5)
def stall(folder: Path) -> Figure:
    hang = "import fakes, time; i = fakes.FakeEngine.infer\n"
    hang += (
        "fakes.FakeEngine.infer = lambda s, f: i(s, f) if len(s.batches) < 9 else time.sleep(99)"
    )
    address, pings = folder / "notify", list[float]()
    service = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "30000000"}
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(30)
        with daemon(folder, *LIVE, FAULTS_FIRST=hang, **service) as one:
            one.runs()
            last = time.monotonic()
            while one.process.poll() is None:
                supervisor.settimeout(1)
                try:
                    pings += [time.monotonic()] if b"WATCHDOG" in supervisor.recv(4096) else []
                except TimeoutError:
                    continue
            status = one.ended()
    text = f"the last ping {pings[-1] - last:.1f} s after the last event, then exit {status}"
    return Figure(text, pings[-1] - last <= 15 and status == 70)


@row("P3", "weak supply and heat: `degraded`, on and off <= 10 s", 0.7)
def strained(folder: Path) -> Figure:
    word = folder / "get_throttled"
    word.write_text("0")
    first = "from pathlib import Path\nfrom edge_fer.telemetry import power\n"
    first += f"power.FIRMWARE = Path('{word}')"
    times = []
    with daemon(folder, *LIVE, FAULTS_FIRST=first) as one:
        one.runs()
        for text, wanted in (("1", ["power"]), ("50000", []), ("8", ["thermal"]), ("0", [])):
            word.write_text(text)
            times.append(one.until(lambda wanted=wanted: one.degraded == wanted))
    told = ", ".join(f"{took:.1f}" for took in times)
    return Figure(f"{told} s for power on, off, heat on, off", max(times) <= 10)


@row("P4", "a thermal zone that hangs: /metrics p99 <= 100 ms", 0.5)
def hanging_zone(folder: Path) -> Figure:
    zone = folder / "zones" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu\n")
    os.mkfifo(zone / "temp")
    with child(folder / "child", FAULTS_ZONES=str(folder / "zones")) as server:
        times = []
        for _ in range(300):
            began = time.monotonic()
            server.metric("x")
            times.append(1000 * (time.monotonic() - began))
    p99 = float(np.percentile(times, 99))
    return Figure(f"p50 {np.median(times):.0f}, p99 {p99:.0f} ms", p99 <= 100)


@row("S10", "a stdout that nobody reads: frames a second +-5 %", 0.8)
def unread(folder: Path) -> Figure:
    rates = {}
    arguments = (*LIVE, "--purpose", "test", "--sink", "jsonl:-", "--sink", "http:127.0.0.1:0")
    for name in ("read", "unread", "read again", "unread again"):
        with daemon(folder, *arguments, unread=name.startswith("unread")) as one:
            one.until(lambda: one.port)
            time.sleep(2)
            rates[name] = _rate(one, 8)
    read, not_read = rates["read"] + rates["read again"], rates["unread"] + rates["unread again"]
    change = not_read / read - 1
    text = f"{not_read / 2:.1f} frames/s against {read / 2:.1f}, {change:+.1%}"
    return Figure(text, abs(change) <= 0.05)


def _rate(one: Daemon, seconds: float) -> float:
    server = Child(one.process, one.port)
    name = 'edge_fer_camera_frames_total{camera="camera"}'
    first, began = server.metric(name), time.monotonic()
    time.sleep(seconds)
    return (server.metric(name) - first) / (time.monotonic() - began)


@row("T1", "+1 h, -1 h, +10 y, 1970: 0 changes of state, `seq` in order", 0.3)
def moved_clock(folder: Path) -> Figure:
    if not FAKETIME:
        raise FileNotFoundError("libfaketime: apt-get install libfaketime")
    stamp = folder / "stamp"
    stamp.write_text("+0\n")
    clock = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(stamp)}
    clock |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    with daemon(folder, *LIVE, FAULTS_FIRST=SLEEPING, **clock) as one:
        one.runs()
        for seconds in (3600, -3600, 315_360_000, -int(time.time()) + 86_400):
            stamp.write_text(f"{seconds:+d}\n")
            time.sleep(3)
        states = [event["camera_state"] for event in one.of("state")]
        jumps = sum("the clock was set" in line for line in one.lines)
        numbers = [event["seq"] for event in one.events]
    text = f"states {', '.join(states)}; {jumps} jumps told, {len(numbers)} events"
    in_order = numbers == list(range(1, len(numbers) + 1))
    return Figure(f"{text} in order" if in_order else text, states == ["ok"] and in_order)


@row("T2", "asleep for a minute: <= 1 reopening, then as before", 1.5)
def asleep(folder: Path) -> Figure:
    with daemon(folder, "--camera", "scripted:then=more,noise=yes,fps=15") as one:
        one.runs()
        one.send(signal.SIGSTOP)
        time.sleep(60)
        one.send(signal.SIGCONT)
        told = len(one.of("update"))
        back = one.until(lambda: len(one.of("update")) > told + 15)
        states = [event["camera_state"] for event in one.of("state")]
    reopened = sum(state in ("lost", "stalled") for state in states)
    text = f"{reopened} reopenings, 15 more events {back:.1f} s after it woke"
    return Figure(text, reopened <= 1)

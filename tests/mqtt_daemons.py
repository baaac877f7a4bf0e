"""A daemon's side of MQTT for tests: events by hand, one in its own process, a whole one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brokers import until
from fakes import SIDE, FakeDetector, FakeEngine, face_at, fake_bundle, frame_of

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.pipeline import Recognizer

ROOT = "edge_fer/pi-hall"
AVAILABLE, CAMERA = f"{ROOT}/availability", f"{ROOT}/front/availability"
STATE, EVENT, HEALTH = f"{ROOT}/front/state", f"{ROOT}/front/event", f"{ROOT}/diagnostics"
SWITCH = f"{ROOT}/front/enabled/set"
DISCOVERY = "homeassistant/device/edge_fer_pi-hall/config"


class Daemon:
    """Hands a sink the events of a daemon."""

    def __init__(self, sink: Any, folder: Path) -> None:
        self.sink = sink
        config = RunConfig(device="pi-hall", camera_id="front", purpose="art")
        self._events = Events(config, fake_bundle(folder / "bundle"))
        self._recognizer = Recognizer(FakeDetector([face_at(0, 0, 32)]), FakeEngine(), SIDE)
        sink.write(self._events.hello("int8", "fake 1.0", "haar"))
        sink.write(self._events.state("ok"))

    def update(self) -> None:
        self.sink.write(self._events.update(self._recognizer.recognize(frame_of())))


Start = Callable[..., Daemon]
"""Opens a sink on a port, with options, and hands it the first events."""


def connected(daemon: Daemon) -> Daemon:
    until(lambda: daemon.sink.state == "connected", "the connection")
    return daemon


CHILD = """
import sys, time
from pathlib import Path
from edge_fer.sinks.mqtt import connection
connection.KEEPALIVE_S = 1
from mqtt_daemons import Daemon
from edge_fer.sinks.mqtt.sink import Mqtt
Daemon(Mqtt(f"host=127.0.0.1,port={sys.argv[1]}"), Path(sys.argv[2]))
print("open", flush=True)
time.sleep(600)
"""
DAEMON = """
import sys
from collections.abc import Callable
from pathlib import Path
from edge_fer.config import RunConfig
from edge_fer.daemon.main import run
from fakes import ENTRIES, fake_bundle

for table, name, member in ENTRIES:
    table[name] = member
bundle = fake_bundle(Path(sys.argv[2]) / "bundle").path
sinks = (f"mqtt:host=127.0.0.1,port={sys.argv[1]}",)
config = RunConfig(
    "fake:then=more", bundle, sinks=sinks, detector="fake", purpose="art",
    device="pi-hall", camera_id="front",
)
sys.exit(run(config))
"""


def in_its_own_process(program: str, *words: str, **more: Any) -> subprocess.Popen[bytes]:
    """One of these programs, with the tests' folder on its path."""
    tests = str(Path(__file__).resolve().parent)
    around = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])}
    return subprocess.Popen([sys.executable, "-c", program, *words], env=around, **more)

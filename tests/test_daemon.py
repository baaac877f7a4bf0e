import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import ENTRIES, MemorySink, ScriptedCamera, fake_bundle

from edge_fer.config import RunConfig
from edge_fer.daemon import main as daemon
from edge_fer.daemon import model, retries, signals, watch
from edge_fer.engines import ENGINES
from edge_fer.errors import (
    BadData,
    BundleError,
    CameraError,
    ConfigError,
    EdgeFerError,
    NotFound,
)
from edge_fer.sinks.jsonl import FLUSH_S

HANG_GUARD_S = 60
TFLITE = ENGINES["tflite"]
TESTS = Path(__file__).parent
CHILD = """
import sys
from pathlib import Path
from edge_fer.config import RunConfig
from edge_fer.daemon.main import run
from fakes import ENTRIES

for table, name, member in ENTRIES:
    table[name] = member
camera, sinks, bundle = sys.argv[1], tuple(sys.argv[2].split("+")), Path(sys.argv[3])
sys.exit(run(RunConfig(camera=camera, sinks=sinks, bundle=bundle, detector="fake", purpose="test")))
"""


@pytest.fixture(autouse=True)
def fakes_in_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes, for one test; and no waiting between attempts to open a camera."""
    for table, name, member in ENTRIES:
        monkeypatch.setitem(table, name, member)
    monkeypatch.setattr(ScriptedCamera, "openings", 0)
    monkeypatch.setattr(model, "prove", lambda *_: None)  # tests/faults has it in full
    monkeypatch.setattr(retries, "RETRY_S", ())
    monkeypatch.setattr(retries, "SLOWEST_RETRY_S", 0.01)


def told(tmp_path: Path, camera: str, **options: Any) -> list[dict[str, Any]]:
    """The events of one run that ends with 0."""
    usual = {"bundle": fake_bundle(tmp_path / "bundle").path, "detector": "fake"}
    sinks = {"sinks": ("memory:",), "purpose": "test"}
    assert daemon.run(RunConfig(camera=camera, **{**usual, **sinks, **options})) == 0
    return MemorySink.events


def states(events: list[dict[str, Any]]) -> list[str]:
    return [e["camera_state"] for e in events if e["type"] == "state"]


def updates(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [e for e in events if e["type"] == "update"]


def test_a_file_gives_hello_ok_and_an_update_for_every_frame(tmp_path: Path) -> None:
    events = told(tmp_path, "fake:live=no,frames=5")
    assert [e["type"] for e in events] == ["hello", "state", "new"] + ["update"] * 5 + ["end"]
    assert [e["frame"]["seq"] for e in updates(events)] == [0, 1, 2, 3, 4]


def test_events_are_numbered_without_a_gap(tmp_path: Path) -> None:
    events = told(tmp_path, "fake:live=no,frames=5")
    assert [e["seq"] for e in events] == list(range(1, 10))


def test_the_run_stops_after_the_wanted_number_of_updates(tmp_path: Path) -> None:
    assert len(updates(told(tmp_path, "fake:then=more", events=2))) == 2


def test_one_line_says_which_parts_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(tmp_path, "fake:live=no")
    (line,) = capsys.readouterr().err.splitlines()
    for part in (str(tmp_path / "bundle"), "tflite", "fake 1.0", "int8", "detector fake", "fake:"):
        assert part in line


def test_the_detector_is_chosen_and_the_reason_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, "fake:live=no", detector=None)
    assert "installed)" in capsys.readouterr().err


def test_a_file_that_breaks_ends_with_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="broken file"):
        told(tmp_path, "fake:live=no,then=broken")
    with pytest.raises(CameraError, match="unplugged"):
        told(tmp_path, "fake:live=no,then=error")


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"camera": "carrier-pigeon:1"}, ConfigError, 78),
        ({"camera": "fake:color=red"}, ConfigError, 78),
        ({"camera": "video:no-such-file.mp4"}, NotFound, 66),
        ({"bundle": Path("no-such-bundle")}, BundleError, 78),
        ({"detector": "x-ray"}, ConfigError, 78),
        ({"sinks": ("carrier-pigeon:1",)}, ConfigError, 78),
    ],
)
def test_what_cannot_be_opened_stops_the_run_before_the_first_frame(
    tmp_path: Path, options: dict[str, Any], error: type[EdgeFerError], code: int
) -> None:
    MemorySink.events = []
    bundle = fake_bundle(tmp_path / "bundle").path
    usual = {"camera": "fake:", "bundle": bundle, "detector": "fake", "sinks": ("memory:",)}
    with pytest.raises(error) as caught:
        daemon.run(RunConfig(**{**usual, "purpose": "test", **options}))
    assert caught.value.exit_code == code
    assert updates(MemorySink.events) == []


class Child:
    """A daemon with fake parts in its own process."""

    def __init__(self, tmp_path: Path, camera: str, sink: str = "jsonl:-", **pipes: Any) -> None:
        bundle = fake_bundle(tmp_path / "bundle").path
        command = [sys.executable, "-c", CHILD, camera, sink, str(bundle)]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def read_until(self, text: bytes, stream: str = "stdout") -> bytes:
        """What came up to and with `text`."""
        pipe, got = getattr(self.process, stream), b""
        deadline = time.monotonic() + HANG_GUARD_S
        while text not in got and time.monotonic() < deadline:
            if select.select([pipe], [], [], 1)[0]:
                got += os.read(pipe.fileno(), 65536)
        assert text in got
        return got

    def ended(self) -> int:
        return self.process.wait(HANG_GUARD_S)


@pytest.fixture
def child(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    started: list[Child] = []

    def start(*arguments: str, **pipes: Any) -> Child:
        started.append(Child(tmp_path, *arguments, **pipes))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


SITUATIONS = {
    "running": "fake:then=more",
    "waiting for a camera": "fake:absent=1000000",
    "camera hanging in read": "fake:frames=1,then=hang",
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("camera", SITUATIONS.values(), ids=SITUATIONS)
def test_g1_a_signal_ends_with_0_in_every_state(child: Any, camera: str, number: int) -> None:
    one = child(camera)
    one.read_until(b"state")
    one.process.send_signal(number)
    assert one.ended() == 0


def test_g1_a_driver_that_hangs_in_the_main_thread_does_not_keep_the_daemon_alive(
    child: Any,
) -> None:
    one = child("fake:then=stuck")
    one.read_until(b"hello")
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0


def test_the_promised_five_seconds_leave_time_after_the_limit() -> None:
    assert signals.LIMIT_S + 0.5 <= 5
    assert watch.RELEASE_S + FLUSH_S < signals.LIMIT_S


def test_g1_a_signal_while_starting_ends_with_0(child: Any) -> None:
    one = child("fake:then=more")
    one.read_until(b"bundle", "stderr")
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0


def test_g1_a_stuck_stdout_does_not_keep_the_daemon_alive(child: Any) -> None:
    one = child("fake:frames=2000,live=no,then=more")
    one.read_until(b"bundle", "stderr")
    time.sleep(0.5)
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0


def test_a_file_waits_for_a_slow_reader_and_loses_no_event(child: Any) -> None:
    one = child("fake:frames=2000,live=no")
    time.sleep(1)  # nobody reads: far more frames than the queue holds could have passed
    assert one.read_until(b'"frame":{"seq":1999,').count(b'"type":"update"') == 2000
    assert one.ended() == 0


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3])
def test_g1_a_second_signal_changes_nothing_while_the_process_ends(
    child: Any, delay: float
) -> None:
    one = child("fake:absent=1000000")
    one.read_until(b"state")
    one.process.send_signal(signal.SIGINT)
    time.sleep(delay)
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0


def test_g1_a_second_signal_ends_at_once_whatever_hangs(child: Any) -> None:
    one = child("fake:frames=1,then=hang")
    one.read_until(b"update")
    one.process.send_signal(signal.SIGTERM)
    one.process.send_signal(signal.SIGINT)
    assert one.ended() == 0


def test_s10_a_closed_stdout_ends_with_0_and_without_a_traceback(child: Any) -> None:
    one = child("fake:then=more")
    one.read_until(b"\n")
    one.process.stdout.close()
    one.process.stdout = None
    assert one.ended() == 0
    assert b"Traceback" not in one.process.stderr.read()


def test_s10_with_a_second_sink_a_closed_stdout_does_not_end_the_run(
    child: Any, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    one = child("fake:then=more", f"jsonl:-+jsonl:{path}")
    one.read_until(b"\n")
    one.process.stdout.close()
    one.process.stdout = None
    size, deadline = path.stat().st_size, time.monotonic() + HANG_GUARD_S
    while path.stat().st_size < size + 20_000 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert one.process.poll() is None
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_g4_sigusr1_shows_the_stacks_and_sigpipe_is_ignored(child: Any) -> None:
    one = child("fake:frames=1,then=hang")
    one.read_until(b"update")
    one.process.send_signal(signal.SIGUSR1)
    one.process.send_signal(signal.SIGPIPE)
    assert b"most recent call first" in one.read_until(b"watch.py", "stderr")
    assert one.process.poll() is None


def test_g2_a_sighup_without_a_file_is_a_closed_terminal_and_ends_it(child: Any) -> None:
    one = child("fake:then=more")
    one.read_until(b"update")
    one.process.send_signal(signal.SIGHUP)
    assert one.ended() == 0


def test_the_last_sink_that_loses_its_reader_and_is_no_stdout_ends_with_74(
    child: Any, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    one = child("fake:then=more", f"jsonl:{fifo}")
    one.read_until(b"bundle", "stderr")
    os.close(reader)
    one.read_until(b"StorageError", "stderr")
    assert one.ended() == 1  # the command line makes 74 of it


def test_a_closed_stderr_stops_nothing(child: Any) -> None:
    one = child("fake:absent=1,frames=3,then=more")
    one.process.stderr.close()
    one.process.stderr = None
    one.read_until(b"update")
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0


WITHOUT_WORKSHOP = """
import sys
for name in ("tensorflow", "keras", "nncf", "ai_edge_quantizer", "matplotlib", "rich"):
    sys.modules[name] = None
import importlib
import edge_fer.daemon.main
from edge_fer.cameras import CAMERAS
from edge_fer.detectors import DETECTORS
from edge_fer.sinks import SINKS
for table in (CAMERAS, DETECTORS, SINKS):
    for entry in table.values():
        importlib.import_module(entry.partition(":")[0])
import edge_fer.engines.tflite
assert "openvino" not in sys.modules
"""


def test_the_device_needs_nothing_of_the_workshop() -> None:
    child = subprocess.run(
        [sys.executable, "-c", WITHOUT_WORKSHOP],
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, "")


def test_a_converted_bundle_runs(
    tmp_path: Path, tflite_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", TFLITE)
    for update in updates(told(tmp_path, "fake:live=no,frames=2", bundle=tflite_bundle)):
        assert sum(update["faces"][0]["probs"].values()) == pytest.approx(1, abs=0.01)

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError, StorageError
from edge_fer.sinks import Sinks, open_sink
from edge_fer.sinks.jsonl import QUEUE, JsonLines
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics

HANG_GUARD_S = 60


def lines_of(path: Path) -> list[int]:
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


def written(path: Path, *numbers: int) -> None:
    sink = JsonLines(str(path))
    for n in numbers:
        sink.write({"n": n})
    sink.close()


def test_close_writes_what_is_queued(tmp_path: Path) -> None:
    written(tmp_path / "e", *range(100))
    assert lines_of(tmp_path / "e") == list(range(100))


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    written(tmp_path / "e", 1)
    written(tmp_path / "e", 2)
    assert lines_of(tmp_path / "e") == [1, 2]


def test_a_file_is_private(tmp_path: Path) -> None:
    written(tmp_path / "e", 1)
    assert (tmp_path / "e").stat().st_mode & 0o777 == 0o600


def test_after_a_torn_line_a_new_one_is_started(tmp_path: Path) -> None:
    (tmp_path / "e").write_text('{"n":1}\n{"n":')
    written(tmp_path / "e", 2)
    assert (tmp_path / "e").read_text() == '{"n":1}\n{"n":\n{"n":2}\n'


@pytest.mark.parametrize("argument", ["", "missing/e", "."])
def test_a_file_that_cannot_be_opened_is_refused(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, StorageError)):
        open_sink(f"jsonl:{argument}")


def test_a_fifo_without_a_reader_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StorageError, match="fifo"):
        open_sink(f"jsonl:{tmp_path / 'fifo'}")


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="jsonl"):
        open_sink("carrier-pigeon:-")


FULL_DISK = """
import os, resource, signal, sys, time
from edge_fer.sinks.jsonl import JsonLines

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = JsonLines(sys.argv[1])

def settled():
    while sink._queue: time.sleep(0.01)
    time.sleep(0.05)

resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for n in range(30):
    sink.write({"n": n})
settled()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sink.write({"n": 99})
sink.close()
print(sink.dropped)
"""


def test_s11_a_full_disk_drops_counts_and_recovers_on_a_new_line(tmp_path: Path) -> None:
    # A limit on the file's size stands for the disk: both cut a line in two and fail with OSError.
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "e")],
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=True,
    )
    lines = (tmp_path / "e").read_text().splitlines()
    whole = [json.loads(line)["n"] for line in lines if line.endswith("}")]
    assert whole == [*range(len(whole) - 1), 99]
    assert len(lines) - len(whole) == 1
    assert int(child.stdout) == 30 - (len(whole) - 1)
    assert child.stderr.count("\n") == 2


def test_s10_a_reader_that_never_reads_stops_nobody_and_the_oldest_events_go(
    tmp_path: Path,
) -> None:
    reading, writing = os.pipe()
    sink = JsonLines(f"/dev/fd/{writing}")
    for n in range(2_000):
        sink.write({"n": n, "rest": "x" * 4000})  # a pipe holds 64 KiB
    assert len(sink._queue) == QUEUE
    assert json.loads(sink._queue[-1])["n"] == 1_999
    assert sink.dropped > 1_000
    sink.close()
    assert sink._thread.is_alive()
    os.close(reading)
    os.close(writing)


def test_a_reader_that_has_gone_closes_the_sink() -> None:
    reading, writing = os.pipe()
    sinks = Sinks([f"jsonl:/dev/fd/{writing}"])
    os.close(reading)
    limit = time.monotonic() + HANG_GUARD_S
    while sinks.open and time.monotonic() < limit:
        sinks.write({"n": 1})
        time.sleep(0.01)
    assert not sinks.open
    os.close(writing)


def test_a_closed_stdout_is_refused_at_the_door() -> None:
    script = "from edge_fer.sinks import open_sink; open_sink('jsonl:-')"
    child = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "{script}" >&-'],
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=False,
    )
    assert "ConfigError: jsonl:- needs a stdout" in child.stderr


def test_a_full_file_becomes_an_older_one_and_the_oldest_goes(tmp_path: Path) -> None:
    sink = JsonLines(f"{tmp_path / 'e'},max_mb=0.001,keep=2")
    for n in range(200):
        sink.write({"n": n, "rest": "x" * 80})
        while sink.backlog:
            time.sleep(0.001)
    sink.close()
    kept = [tmp_path / "e.2", tmp_path / "e.1", tmp_path / "e"]
    numbers = [n for path in kept for n in lines_of(path)]
    assert numbers == list(range(numbers[0], 200))
    assert all(path.stat().st_size <= 1000 for path in kept)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)


def test_without_older_files_a_full_one_is_begun_anew(tmp_path: Path) -> None:
    sink = JsonLines(f"{tmp_path / 'e'},max_mb=0.0005,keep=0")
    for n in range(50):
        sink.write({"n": n, "rest": "x" * 80})
    sink.close()
    assert lines_of(tmp_path / "e")[-1] == 49
    assert (tmp_path / "e").stat().st_size <= 500
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


@pytest.mark.parametrize("options", ["max_mb=-1", "keep=100", "max_mb=nan", "size=1", "keep=x"])
def test_a_wrong_option_is_refused(tmp_path: Path, options: str) -> None:
    with pytest.raises(ConfigError, match="jsonl"):
        open_sink(f"jsonl:{tmp_path / 'e'},{options}")


def test_two_sinks_cannot_have_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "e").touch()
    (tmp_path / "link").symlink_to("e")
    first = JsonLines(str(tmp_path / "e"))
    with pytest.raises(ConfigError, match="another sink writes there"):
        JsonLines(str(tmp_path / "link"))
    first.close()
    JsonLines(str(tmp_path / "e")).close()


def test_a_file_is_up_while_its_disk_takes_lines_and_their_bytes_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, write, broken = Metrics(), os.write, [False]

    def failing(descriptor: int, data: bytes) -> int:
        if broken[0]:
            raise OSError(errno.EIO, "Input/output error")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", failing)
    setting = Setting(RunConfig(purpose="test"), metrics)
    sinks = Sinks([f"jsonl:{tmp_path / 'e'}"], setting)
    for fails, up in ((False, 1), (True, 0), (False, 1)):
        broken[0] = fails
        sinks.write({"type": "x"})
        while sinks.backlog:
            time.sleep(0.001)
        eventually(lambda up=up: f'sink_up{{sink="jsonl"}} {up}' in metrics.text())
    sinks.close()
    metrics.text()
    assert metrics.written.value() == (tmp_path / "e").stat().st_size


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

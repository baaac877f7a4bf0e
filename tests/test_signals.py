"""What a closed terminal means to a daemon."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_fer.sinks.jsonl import JsonLines
from edge_fer.sinks.lines import LineFile

HANG_GUARD_S = 60
CHILD = """
import sys
from edge_fer.daemon.signals import listening
with listening(reloads=sys.argv[1] == "file") as asked:
    print("on", flush=True)
    while not asked.stop.is_set():
        if asked.reload.wait(0.01):
            asked.reload.clear()
            print("reload", flush=True)
print("stopped", flush=True)
"""


def child(told: str, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    one = subprocess.Popen(
        [sys.executable, "-c", CHILD, told], stdout=subprocess.PIPE, text=True, preexec_fn=before
    )
    assert one.stdout is not None
    assert one.stdout.readline() == "on\n"
    return one


def ignore() -> object:
    return signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("told", "before", "first", "said"),
    [
        ("no file", None, signal.SIGHUP, "stopped\n"),
        ("file", None, signal.SIGHUP, "reload\nstopped\n"),
        ("file", ignore, signal.SIGHUP, "reload\nstopped\n"),
    ],
)
def test_sighup_reads_the_file_again_and_stops_where_there_is_none(
    told: str, before: Callable[[], object] | None, first: signal.Signals, said: str
) -> None:
    one = child(told, before)
    one.send_signal(first)
    assert one.stdout is not None
    heard = one.stdout.readline()
    if heard == "reload\n":
        one.send_signal(signal.SIGTERM)
    assert heard + one.communicate(timeout=HANG_GUARD_S)[0] == said
    assert one.returncode == 0


def test_what_nohup_started_outlives_the_terminal() -> None:
    one = child("no file", ignore)
    ignored = Path(f"/proc/{one.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
    assert int(ignored, 16) & 1 << (signal.SIGHUP - 1)
    one.send_signal(signal.SIGTERM)
    assert one.communicate(timeout=HANG_GUARD_S)[0] == "stopped\n"


def test_a_closed_terminal_is_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, stdout = pty.openpty()
    monkeypatch.setattr("edge_fer.sinks.lines.STDOUT", stdout)
    with closing(JsonLines("-")) as sink:
        os.close(terminal)
        sink.write({"n": 1})
        sink._thread.join(HANG_GUARD_S)  # it ends with its reader
        with pytest.raises(BrokenPipeError):
            sink.write({"n": 2})
        assert (sink.trouble, sink.backlog) == ("sink", 0)
    os.close(stdout)


def test_a_disk_with_errors_is_no_reader_that_has_gone(tmp_path: Path) -> None:
    with closing(LineFile(str(tmp_path / "events"))) as file:
        assert not file.abandoned(OSError(5, "Input/output error"))
        assert file.abandoned(BrokenPipeError(32, "Broken pipe"))

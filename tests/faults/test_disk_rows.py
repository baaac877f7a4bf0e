"""Rows D1 to D4 and S11: disks that are full, broken or cut off, and what is written at all."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cuts import cuts
from daemons import TESTS, daemon
from running import fake_config, fake_parts, running

from edge_fer.storage import new_folder, write_file


def killed(folder: Path, times: int, longest_s: float) -> tuple[int, int]:
    """Starts that found everything in order, and torn lines, after so many kills."""
    chance, path, good = random.Random(11), folder / "events.jsonl", 0
    arguments = ("--camera", "fake:then=more", "--purpose", "test", "--sink", f"jsonl:{path}")
    for _ in range(times):
        with daemon(folder, *arguments) as one:
            time.sleep(chance.uniform(0, longest_s))
            good += one.process.poll() is None
            one.send(signal.SIGKILL)
    with daemon(folder, *arguments) as one:
        one.until(lambda: any("camera fake" in line for line in one.lines))
        size = path.stat().st_size
        one.until(lambda: path.stat().st_size > size)
    lines = [line for old in folder.glob("events.jsonl*") for line in old.read_text().split("\n")]
    return good, sum(not whole(line) for line in lines[:-1])


def whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_d1_a_daemon_that_is_killed_at_random_starts_again_and_its_file_is_whole_but_for_the_cut(
    tmp_path: Path,
) -> None:
    good, torn = killed(tmp_path, 8, 1.5)
    assert good == 8
    assert torn <= 8


def replaced(folder: Path, chance: random.Random) -> tuple[int, int]:
    """Of a file and of a folder: outcomes of power cuts that are neither old nor new, and all."""
    old, new = (chance.randbytes(chance.randint(1, 9000)) for _ in range(2))
    wrong = seen = 0
    for target in (folder / "file", folder / "bundle"):
        states = []
        for data in (old, new):

            def write(target: Path = target, data: bytes = data) -> None:
                if target.name == "file":
                    write_file(target, data)
                    return
                with new_folder(target) as scratch:
                    (scratch / "model").write_bytes(data)
                    (scratch / "manifest").write_bytes(data[::-1])

            parts = frozenset({("model", data), ("manifest", data[::-1])})
            states.append(data if target.name == "file" else parts)
            left = cuts(folder, target, write)
        seen += len(left)
        wrong += sum(one not in states for one in left)
    return wrong, seen


def test_d2_a_power_cut_leaves_the_old_or_the_new_never_an_empty_one(tmp_path: Path) -> None:
    wrong, seen = replaced(tmp_path, random.Random(1))
    assert seen > 20
    assert wrong == 0


def test_d2_the_model_of_a_disk_sees_what_is_not_synced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def careless() -> None:
        (tmp_path / "scratch").write_bytes(b"new")
        os.replace(tmp_path / "scratch", target)

    assert set(cuts(tmp_path, target, careless)) == {b"old", b""}


def test_d3_a_disk_that_fails_is_told_and_the_daemon_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch)
    path, write, broken = tmp_path / "events.jsonl", os.write, [True]

    def failing(descriptor: int, data: Any) -> int:
        if broken[0] and os.readlink(f"/proc/self/fd/{descriptor}") == str(path):
            raise OSError(errno.EIO, "Input/output error")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", failing)
    with running(fake_config(tmp_path, sinks=("memory:", f"jsonl:{path}"))) as one:
        one.until(lambda: one.of("state") and one.of("state")[-1]["degraded"] == ["storage"])
        told = len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 20)
        broken[0] = False
        one.until(lambda: one.of("state")[-1]["degraded"] == [])
        one.until(lambda: path.stat().st_size)


AS_THE_UNIT = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Or the first start would write what Python has compiled."""


def written(pid: int) -> int:
    """Bytes that a process has sent to a disk."""
    words = Path(f"/proc/{pid}/io").read_text().split()
    return int(words[words.index("write_bytes:") + 1])


def test_d4_by_default_nothing_is_written_to_a_disk(tmp_path: Path) -> None:
    with daemon(tmp_path, "--camera", "fake:then=more", **AS_THE_UNIT) as one:
        one.runs()
        before, told = written(one.process.pid), len(one.of("update"))
        one.until(lambda: len(one.of("update")) > told + 200)
        assert written(one.process.pid) == before


SMALL_DISK = """
import json, os, sys, time
from pathlib import Path
from edge_fer.sinks.jsonl import JsonLines
place = Path(sys.argv[1])
(place / "ballast").write_bytes(bytes(16 << 10))
sink = JsonLines(f"{place}/e,max_mb=0")
line = "x" * 300
def more(count, first):
    for n in range(first, first + count):
        sink.write({"n": n, "rest": line})
        while sink.backlog:
            time.sleep(0.001)
more(300, 0)
full = sink.trouble
os.unlink(place / "ballast")
more(20, 300)
sink.close()
torn = 0
numbers = []
for text in (place / "e").read_text().splitlines():
    try:
        numbers.append(json.loads(text)["n"])
    except ValueError:
        torn += 1
print(json.dumps([full, sink.trouble, sink.dropped, torn, numbers]))
"""


def small_disk(folder: Path) -> Any:
    """Trouble when full and after it, events dropped, torn lines, numbers of the whole ones."""
    place = folder / "disk"
    place.mkdir()
    script = f'mount -t tmpfs -o size=64k none "{place}" && exec "$0" -c "$1" "{place}"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, sys.executable, SMALL_DISK],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
    )  # fmt: skip
    if done.returncode:
        raise OSError(f"no small disk could be mounted here: {done.stderr.strip()[-200:]}")
    return json.loads(done.stdout)


def test_s11_a_real_disk_that_fills_up_loses_events_and_no_more(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here: the full disk is not tried")
    full, after, dropped, torn, numbers = small_disk(tmp_path)
    assert (full, after) == ("storage", "")
    assert numbers == [*range(len(numbers) - 20), *range(300, 320)]
    assert dropped == 320 - len(numbers) > 100
    assert torn <= 1

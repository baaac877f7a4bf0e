"""The Ansible role against two boards: Debian with a real systemd, reached by a real ssh.

    python tests/nspawn/fleet.py BUNDLE WHEELS [--ansible FOLDER]

WHEELS were made by `deploy/wheels.sh bookworm x86_64 WHEELS http`; FOLDER holds ansible-playbook.
Needs root. Each board has a network namespace of its own. Exits with 1 where a fact does not hold.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from board import Board

HERE = Path(__file__).resolve().parent
PLAYBOOK = HERE.parents[1] / "deploy" / "ansible" / "playbook.yml"
CONFIG = """version = 1
camera = "{camera}"
purpose = "trial of a fleet"
sink = ["http:"]
device-id = "{name}"
"""
GOOD, OTHER, BROKEN = "synthetic:faces=1,fps=5", "synthetic:faces=2,fps=5", "video:/no/such.mp4"
RECAP = re.compile(r"(?m)^(\w+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


class Fleet:
    """The boards, and one way to run the playbook on them."""

    def __init__(self, folder: Path, boards: list[Board], given: argparse.Namespace) -> None:
        self.folder, self.boards = folder, boards
        self.inventory = folder / "boards.ini"
        hosts = "\n".join(f"{board.name} {board.reached_by}" for board in boards)
        self.inventory.write_text(
            f"[edge_fer]\n{hosts}\n[edge_fer:vars]\nedge_fer_wheels={given.wheels.resolve()}\n"
            f"edge_fer_bundle={given.bundle.resolve()}\nedge_fer_patience=20\n"
            f"edge_fer_config={folder}/{{{{ inventory_hostname }}}}.toml\n"
            "ansible_python_interpreter=/usr/bin/python3\n"
        )
        self.command = [given.ansible / "ansible-playbook", "-i", self.inventory, PLAYBOOK]

    def configure(self, camera: str) -> None:
        for board in self.boards:
            text = CONFIG.format(camera=camera, name=board.name)
            (self.folder / f"{board.name}.toml").write_text(text)

    def play(self, until: str | None = None, *more: str) -> dict[str, dict[str, int]]:
        """The recap by board; with `until`, killed when a task's name with that text is printed."""
        began = time.monotonic()
        run = subprocess.Popen(
            [*self.command, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True, env=around(self.folder),
        )  # fmt: skip
        assert run.stdout is not None
        said = []
        for line in run.stdout:
            said.append(line)
            if until and line.startswith("TASK") and f": {until}]" in line:
                time.sleep(0.5)
                subprocess.run(["kill", "-KILL", "--", f"-{run.pid}"], check=True)
        run.wait()
        text = "".join(said)
        (self.folder / "last.log").write_text(text)
        found = {
            name: dict(zip(("ok", "changed", "unreachable", "failed"), map(int, rest), strict=True))
            for name, *rest in RECAP.findall(text)
        }
        for name, row in found.items():
            told = " ".join(f"{key}={value}" for key, value in row.items())
            print(f"        {name}: {told} ({time.monotonic() - began:.0f} s in all)", flush=True)
        if until:
            assert run.returncode == -signal.SIGKILL, f"was not killed at {until!r}: {text[-2000:]}"
        elif run.returncode and not any(row["failed"] for row in found.values()):
            raise RuntimeError(text[-3000:])
        return found


def around(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }


def trial(fleet: Fleet, holds: Callable[[str, bool], None]) -> None:
    first, second = fleet.boards
    fleet.configure(GOOD)
    fleet.play(until="Make the environment, and install the wheels and nothing else")
    holds("killed while it installs, nothing runs", first.state() == "inactive")
    rows = fleet.play()
    holds("the next run brings both boards up", all(row["failed"] == 0 for row in rows.values()))
    holds("both are healthy", all(board.health() == "ok ok" for board in fleet.boards))
    before = [board.current() for board in fleet.boards]

    rows = fleet.play()
    holds("again: nothing changes", [row["changed"] for row in rows.values()] == [0, 0])

    fleet.configure(OTHER)
    fleet.play(until="Have it start now and after every boot")
    print(f"        killed at the switch: {first.current()} leads, {first.running()} runs")
    holds("a program of one generation runs after that", first.health() == "ok ok")
    holds("the second board was not begun", second.current() == before[1])
    rows = fleet.play()
    holds("the next run ends it", all(row["failed"] == 0 for row in rows.values()))
    holds("what leads is what runs", all(b.current() == b.running() for b in fleet.boards))
    now = [board.current() for board in fleet.boards]
    holds("it is another generation", not set(now) & set(before))
    holds("the old one is kept for a way back", first.previous() == before[0])

    rows = fleet.play(None, "-e", "edge_fer_health=http://127.0.0.1:9/healthz")
    holds("ill where nothing is switched: it is said", rows[first.name]["failed"] == 1)
    holds("and nothing is taken back", first.current() == first.running() == now[0])
    holds("the way back is as it was", first.previous() == before[0])

    fleet.configure(BROKEN)
    rows = fleet.play()
    holds("a release that sees nothing fails on the first board", rows[first.name]["failed"] == 1)
    holds("and goes to no other", second.name not in rows)
    holds("the old one leads again", first.current() == now[0])
    time.sleep(3)
    holds("and runs", first.running() == now[0] and first.health() == "ok ok")
    holds("what runs on the second is as before", second.running() == now[1])

    fleet.configure(OTHER)
    rows = fleet.play()
    holds("back to what was good: no board is switched", [b.current() for b in fleet.boards] == now)
    rows = fleet.play()
    holds("again: nothing changes", [row["changed"] for row in rows.values()] == [0, 0])
    one = [first.count(folder) for folder in ("releases", "bundles", "generations")]
    holds(f"nothing piles up: {one} releases, bundles, generations", one[:2] == [1, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--ansible", type=Path, default=Path(sys.executable).parent)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the boards are taken down on the way
    asked = subprocess.run(
        [HERE.parent / "root.sh", "nspawn", "bookworm"], stdout=subprocess.PIPE, text=True
    )
    if asked.returncode:
        sys.exit(asked.returncode)
    failed: list[str] = []

    def holds(what: str, it_does: bool) -> None:
        print(f"{'ok     ' if it_does else 'FAILED '} {what}", flush=True)
        if not it_does:
            failed.append(what)

    folder = Path(tempfile.mkdtemp(prefix="edge-fer-fleet-"))
    with ExitStack() as boards:
        fleet = [
            boards.enter_context(Board(Path(asked.stdout.strip()), folder, name, number))
            for number, name in enumerate(("hall", "door"))
        ]
        trial(Fleet(folder, fleet, given), holds)
    shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

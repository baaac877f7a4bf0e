"""Which of the 73 rows is tested where: read from the names of tests and rows, never typed.

A test is of a row when its name begins with it (`test_c4_...`, `test_c2_c3_...`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table of python tests/faults --coverage -->", "<!-- end -->"
NAME = re.compile(r"^ *def test_((?:[bcdfghmprstu]\d+_)+)", re.MULTILINE)
PLACES = {"v4l2": "`make test-v4l2`", "systemd": "`make test-systemd`"}
"""Folders of tests that the suite leaves out; all others are the suite's."""
TITLES = {
    "C1": "camera absent at start", "C2": "unplugged while running",
    "C3": "back as another /dev/videoN", "C4": "read() blocks for ever",
    "C5": "capture process unkillable", "C6": "the old frame again", "C7": "frozen picture",
    "C8": "black, covered, defocused", "C9": "garbage JPEG, empty frame",
    "C10": "size or format changes", "C11": "frames lost, rate falls", "C12": "flood",
    "C13": "busy", "C14": "forbidden", "C15": "file or stream ends",
    "B1": "accelerator lost", "B2": "inference hangs", "B3": "NaN, infinity, wrong sums",
    "B4": "0 or 200 faces",
    "M1": "model missing", "M2": "one bit off", "M3": "truncated, zero-filled",
    "M4": "crashes on load", "M5": "shape bomb", "M6": "labels, order, size differ",
    "M7": "FIFO, device, link, too large",
    "F1": "syntax, unknown key, type, duplicate", "F2": "old version",
    "F3": "misspelt security key", "F4": "token file missing, empty, open",
    "F5": "read-only configuration",
    "S1": "broker down at start", "S2": "broker restarts, memory lost",
    "S3": "broker never reads", "S4": "half-open TCP", "S5": "race of the last will",
    "S6": "wrong password, publishing refused", "S7": "TLS expired, wrong host, unknown CA, 1.0",
    "S8": "bad packets, callback raises", "S9": "Home Assistant restarts",
    "S10": "stdout stuck or closed", "S11": "disk full", "S12": "slow WebSocket, SSE, MJPEG client",
    "H1": "idle, half a header, trickle", "H2": "500 connections", "H3": "huge body, header, URL",
    "H4": "port in use", "H5": "10,000 disconnects mid-stream",
    "D1": "SIGKILL at random", "D2": "unsynced writes lost", "D3": "EIO, read-only remount",
    "D4": "disk writes, SD wear",
    "R1": "512 MiB", "R2": "64 descriptors", "R3": "limit of threads",
    "P1": "CPU at 25 %", "P2": "4 busy neighbours", "P3": "thermal, under-voltage",
    "P4": "thermal read hangs",
    "G1": "SIGTERM, SIGINT", "G2": "SIGHUP", "G3": "SIGSTOP, blocked loop",
    "G4": "SIGPIPE, SIGUSR1", "G5": "crash loop",
    "T1": "clock steps", "T2": "suspend", "T3": "TLS in 1970",
    "U1": "killed in each step of deploy, convert", "U2": "new version unhealthy",
    "U3": "downgrade", "U4": "disk full in upgrade", "U5": "bundle not what was signed",
    "U6": "two daemons",
}  # fmt: skip
NOTES = {
    "C3": "the plug is a file in `make faults`; with `vivid` emulation takes most of the time",
    "C5": "no process in `D` state can be made here: the kill is taken away",
    "C7": "three hours of noise in place of 24",
    "B1": "an abort of a GPU's runtime ends the daemon, which is started anew with the same bundle",
    "F2": "there has been one form: another version is refused by name, nothing to migrate from",
    "F5": "a start, not 24 h",
    "S4": "SIGSTOP in place of `tc netem`",
    "U1": "each step of `edge-fer deploy`; `convert` is stopped by signals in its own tests",
    "U3": "release and configuration of before; no state of a newer daemon was put before it",
    "U4": "a disk that is too small from the start; one that fills, in `make test-systemd`",
    "D2": "a model of a disk in place of LazyFS",
    "D3": "os.write fails; no disk is remounted",
    "D4": "a minute in place of an hour",
    "R1": "two minutes in place of 24 h",
    "P2": "two minutes in place of an hour",
    "P3": "files in place of a board's; fewer frames are not asked for",
    "G5": "statuses; that no start limit is reached, the unit says",
    "T2": "the process is stopped, the machine is not put to sleep",
    "T3": "a certificate of another date; no token has a date",
}
"""What the tests of a row leave out, or do in another way."""


def of_tests() -> dict[str, set[str]]:
    """Row to the places of its tests."""
    found: dict[str, set[str]] = {name: set() for name in TITLES}
    for path in sorted(TESTS.rglob("test_*.py")):
        place = PLACES.get(path.relative_to(TESTS).parts[0], "suite")
        for names in NAME.findall(path.read_text()):
            for name in TITLES.keys() & names.upper().split("_"):
                found[name].add(place)
    return found


def table(measured: Iterable[str]) -> Iterator[str]:
    """The lines of the page; `measured` names the rows of `make faults`."""
    rows = {name.split()[0] for name in measured}
    yield "| row | fault | tested in | note |"
    yield "|---|---|---|---|"
    for name, places in of_tests().items():
        where = sorted(places, key=lambda place: (place != "suite", place))
        where += ["`make faults`"] * (name in rows)
        cells = (name, TITLES[name], ", ".join(where) or "**nowhere**", NOTES.get(name, ""))
        yield f"| {' | '.join(cells)} |"


def write(measured: Iterable[str]) -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, "", *table(measured), "", END + after]))


def shown() -> list[str]:
    """The table that stands in the page."""
    _, _, rest = PAGE.read_text().partition(BEGIN)
    return [line for line in rest.partition(END)[0].splitlines() if line]

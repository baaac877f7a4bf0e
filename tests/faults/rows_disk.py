"""D1, D2, D4 and S11: kills, power cuts and full disks."""

from __future__ import annotations

import random
import time
from pathlib import Path

from daemons import daemon
from table import Figure, row
from test_disk_rows import AS_THE_UNIT, killed, replaced, small_disk, written

KILLS = 1000


@row("D1", "SIGKILL at random, 1,000 times: configuration, lock and events valid", 16)
def kills(folder: Path) -> Figure:
    good, torn = killed(folder, KILLS, 1.2)
    text = f"{good} of {KILLS} started and were killed, the last one runs; {torn} torn lines"
    return Figure(text, good == KILLS and torn <= KILLS)


@row("D2", "unsynced writes lost: old or new, never empty, 500 of 500", 1)
def power_cuts(folder: Path) -> Figure:
    wrong = cases = 0
    for n in range(500):
        place = folder / str(n)
        place.mkdir()
        bad, seen = replaced(place, random.Random(n))
        wrong, cases = wrong + bool(bad), cases + seen
    return Figure(f"{500 - wrong} of 500 replacements, {cases:,} cuts", wrong == 0)


@row("D4", "by default nothing but the journal is written: <= 1 MB/h", 1.2)
def wear(folder: Path) -> Figure:
    with daemon(folder, "--camera", "fake:then=more", **AS_THE_UNIT) as one:
        one.runs()
        before, seconds = written(one.process.pid), 60
        time.sleep(seconds)
        grown = written(one.process.pid) - before
    hourly = grown * 3600 / seconds / 1e6
    return Figure(f"{grown} bytes in {seconds} s, {hourly:.2f} MB/h", hourly <= 1)


@row("S11", "a full disk of 64 KiB: whole lines parse, <= 1 torn, a new line after it", 0.1)
def full(folder: Path) -> Figure:
    trouble, after, dropped, torn, numbers = small_disk(folder)
    text = f"{len(numbers)} whole lines, {torn} torn, {dropped} dropped and counted"
    good = (trouble, after) == ("storage", "") and torn <= 1 and numbers[-20:] == [*range(300, 320)]
    return Figure(f"{text}; the last 20 arrived" if good else text, good)

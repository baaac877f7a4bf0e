"""C1 to C15: what a camera may do to the daemon.

Where a figure is of the daemon's decisions, the clock is a fake one and the figure exact; where it
is of processes and memory, they are real.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_bundle
from sources import SOURCES
from table import Figure, row
from taking import one, opener
from timeline import Follow, Log, Shown, Timeline, noise, steady

from edge_fer.cameras import CAMERAS
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.errors import CameraError

TESTS = Path(__file__).resolve().parent.parent
GONE = CameraError("camera /dev/video0 is not there")
DAEMON = """
import sys
from pathlib import Path
from fakes import ENTRIES
from edge_fer.config import RunConfig
from edge_fer.daemon.main import run
for table, name, member in ENTRIES:
    table[name] = member
run(RunConfig(camera=sys.argv[1], bundle=Path(sys.argv[2]), detector="fake"))
"""
CAMERAS.update(SOURCES)
os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(TESTS.parent)])


def followed(folder: Path, openings: list[Timeline | Exception], seconds: float) -> Log:
    with pytest.MonkeyPatch.context() as patch:
        return Follow(folder, patch)(openings, seconds)


@row("C1", "camera absent: state `lost` told <= 5 s after the start of the process")
def absent(folder: Path) -> Figure:
    command = [sys.executable, "-c", DAEMON, "v4l2:99", str(fake_bundle(folder / "b").path)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        assert daemon.stdout is not None
        while b'"camera_state":"lost"' not in daemon.stdout.readline():
            pass
        took = time.monotonic() - began
        daemon.send_signal(signal.SIGTERM)
    return Figure(f"{took:.2f} s", took <= 5)


@row("C2", "unplugged: `lost` <= 5 s, no event from frames over 1 s old")
def unplugged(folder: Path) -> Figure:
    log = followed(folder, [Timeline(steady(10, 20), error=GONE), GONE], 60)
    late = log.entered("lost") - 20
    after = sum(at > 20 for at in log.updates)
    return Figure(f"{late:.2f} s, {after} events after it", late <= 5 and not after)


@row("C4", "read() blocks: `stalled` <= 10 s, restart <= 15 s")
def blocked(folder: Path) -> Figure:
    log = followed(folder, [Timeline(steady(10, 20)), Timeline(steady(10, 9))], 29)
    stalled = log.entered("stalled") - 20
    with opener() as opened:
        camera = opened("deaf:frames=1")
        one(camera)
        began = time.monotonic()
        camera.close()
        one(opened("scripted:frames=1"))
        again = stalled + time.monotonic() - began
    text = f"stalled after {stalled:.2f} s; a frame of the next process after {again:.2f} s"
    return Figure(text, stalled <= 10 and again <= 15)


@row("C5", "capture process unkillable: loop interval p99 < 100 ms, no second one opened")
def unkillable(folder: Path) -> Figure:
    stuck = Timeline(steady(10, 2))
    stuck.gone = False
    from edge_fer.daemon import watch

    ticks: list[float] = []
    tick = watch.Watch._tick

    def timed(self: watch.Watch) -> None:
        ticks.append(self._clock.now())
        tick(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch.Watch, "_tick", timed)
        log = Follow(folder, patch)([stuck], 60)
    longest = float(np.percentile(np.diff(ticks), 99)) * 1000
    text = f"{longest:.0f} ms over {len(ticks)} rounds, {len(log.opened)} opening"
    return Figure(text, longest < 100 and len(log.opened) == 1)


@row("C6", "the same stamp again: 0 events from repeats")
def repeats(folder: Path) -> Figure:
    twice = [Shown(n / 10, noise(n), captured=n // 2 / 5) for n in range(1, 41)]
    log = followed(folder, [Timeline(twice)], 6)
    text = f"40 frames, {log.dropped('repeat')} repeats, {len(log.updates)} events"
    return Figure(text, len(log.updates) + log.dropped("repeat") == 40)


@row("C7", "frozen: told after 5-7 s, reopened once", 0.1)
def frozen(folder: Path) -> Figure:
    still = [*steady(10, 10), *steady(10, 20, lambda _: noise(0), begin=10)]
    again = Timeline(steady(10, 60, lambda _: noise(0)))
    log = followed(folder, [Timeline(still), again], 80)
    after, times = log.entered("frozen") - 10, log.reopened("frozen")
    return Figure(f"{after:.2f} s, {times} reopening in 60 s", 5 <= after <= 7 and times == 1)


@row("C8", "black or covered: told after 10-12 s, 0 reopenings", 0.1)
def covered(folder: Path) -> Figure:
    told, good = [], True
    for state, value in (("dark", 0), ("obstructed", 120)):
        picture = np.full((48, 64, 3), value, np.uint8)
        shown = [*steady(10, 40), *steady(10, 60, lambda _, p=picture: p, begin=40)]
        log = followed(folder / state, [Timeline(shown)], 95)
        after, times = log.entered(state) - 40, len(log.opened) - 1
        told.append(f"{state} {after:.2f} s, {times} reopenings")
        good = good and 10 <= after <= 12 and not times
    return Figure("; ".join(told), good)


@row("C9", "30 % of pictures damaged: 0 exceptions, frame rate >= 65 %")
def damaged(_: Path) -> Figure:
    with opener() as opened:
        camera = opened("scripted:frames=300,fps=60,bad=3,then=hang")
        frames = [one(camera)]
        while frame := camera.next(3.0):
            frames.append(frame)
        dropped = camera.left_out()["decode_error"]
    share = (300 - dropped) / 300
    text = f"{dropped} of 300 dropped, {share:.0%} usable, {len(frames)} taken here"
    return Figure(text, share >= 0.65)


@row("C11", "frame rate falls from 15 to 0.2: no reopening")
def slow(folder: Path) -> Figure:
    falls = Timeline([*steady(15, 10), *steady(0.2, 600, begin=10)])
    log = followed(folder, [falls], 500)
    return Figure(f"{len(log.opened) - 1} reopenings in 490 s", len(log.opened) == 1)


@row("C12", "300 fps: memory +0, age p99 <= 2 periods + 50 ms with a consumer of 15 fps", 0.3)
def flood(_: Path) -> Figure:
    with opener() as opened:
        camera = opened("scripted:then=more,fps=300,size=640x480")
        one(camera)
        for _ in range(10):
            with camera._slot.newest():  # meanwhile the other two of the three places are filled
                time.sleep(0.05)
            one(camera)
        before, ages = memory(camera), []
        first = one(camera).index
        for _ in range(150):
            time.sleep(1 / 15)
            frame = one(camera)
            ages.append(1000 * (time.monotonic() - frame.captured))
        last = frame.index
        del frame  # a picture of ours, not of the camera
        grown = memory(camera) - before
    p99, came = float(np.percentile(ages, 99)), last - first
    text = f"{grown / 1e6:+.1f} MB, age p99 {p99:.0f} ms, 150 of {came} frames taken"
    return Figure(text, grown <= 1e5 and p99 <= 2000 / 300 + 50)


def memory(camera: IsolatedCamera) -> int:
    """Proportional set size of both processes, in bytes."""
    total = 0
    for pid in (os.getpid(), camera.pid):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += 1024 * int(text[text.index("\nPss:") :].split()[1])
    return total


@row(
    "capture", "cost of the capture process: start, memory, and a frame beside one copied in place"
)
def cost(_: Path) -> Figure:
    from edge_fer.cameras.pixels import to_bgr
    from edge_fer.cameras.shot import Shot
    from edge_fer.cameras.slot import Slot, create

    with opener() as opened:
        began = time.monotonic()
        camera = opened("scripted:then=more,fps=30,size=640x480")
        one(camera)
        start = 1000 * (time.monotonic() - began)
        text = Path(f"/proc/{camera.pid}/status").read_text()
        resident = int(text[text.index("VmRSS:") :].split()[1]) / 1000
    slot, data = Slot(create()), np.random.default_rng(0).integers(0, 256, 921_600, np.uint8)
    shot = Shot(memoryview(data), "BGR", 640, 480, 1920, 0.0)
    through, direct = [], []
    for _ in range(300):  # interleaved, so that other load meets both
        began = time.perf_counter()
        slot.put(shot)
        with slot.newest() as taken:
            assert taken is not None
            to_bgr(taken.shot)
        between = time.perf_counter()
        to_bgr(shot)
        through.append(between - began)
        direct.append(time.perf_counter() - between)
    slot.close()
    shared, alone = 1000 * np.median(through), 1000 * np.median(direct)
    told = f"first frame {start:.0f} ms, {resident:.1f} MB resident, "
    return Figure(told + f"640x480 BGR {shared:.2f} ms against {alone:.2f} ms", resident < 25)


@row("C15", "a stream that ends: connected anew")
def ends(folder: Path) -> Figure:
    over = Timeline(steady(10, 5), error=CameraError("stream rtsp://host:554/ has ended"))
    log = followed(folder, [over, Timeline(steady(10, 60))], 30)
    back = min(at for at in log.updates if at > 5.01) - 5
    return Figure(f"states {', '.join(log.states)}; events again after {back:.1f} s", back <= 10)

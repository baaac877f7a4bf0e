"""A live camera in a process of its own, with real processes that hang, crash and flood."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sources import SOURCES
from taking import HANG_GUARD_S, Open, drain, one

from edge_fer.cameras import CAMERAS, isolated, open_camera
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.errors import CameraError
from edge_fer.types import Frame

TESTS = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def sources_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this process, and for those that it starts."""
    for name, member in SOURCES.items():
        monkeypatch.setitem(CAMERAS, name, member)
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def all_of(camera: IsolatedCamera) -> list[Frame]:
    """Its frames until it ends with an error."""
    frames: list[Frame] = []
    with pytest.raises(CameraError):
        drain(camera, frames)
    return frames


def test_frames_come_whole_with_number_and_stamp(opened: Open) -> None:
    frames = all_of(opened("scripted:frames=3,fps=5,size=320x240"))
    assert frames[-1].index == 2
    for frame in frames:
        assert frame.image.shape == (240, 320, 3)
        assert frame.image[0, 0, 0] == frame.index
        assert 0 <= time.monotonic() - frame.captured < HANG_GUARD_S
        assert abs(time.time() - frame.time) < HANG_GUARD_S


def test_c12_only_the_newest_frame_of_a_flood_is_given(opened: Open) -> None:
    camera = opened("scripted:then=more,fps=1000,size=640x480")
    before = one(camera)
    time.sleep(0.3)  # a consumer that is busy
    after = one(camera)
    assert after.index - before.index > 10
    assert time.monotonic() - after.captured < 0.3


def test_c12_a_flood_takes_no_more_memory(opened: Open) -> None:
    camera = opened("scripted:then=more,fps=1000,size=640x480")
    for _ in range(100):
        one(camera)
    assert shared_bytes(camera.pid) <= 3 * (640 * 480 * 3 + 8192) + 4096


def shared_bytes(pid: int) -> int:
    """Bytes of the picture memory that a process really has."""
    text, at = Path(f"/proc/{pid}/smaps").read_text(), 0
    at = text.index("edge-fer-frames")
    return 1024 * int(text[text.index("Rss:", at) :].split()[1])


def test_a_frame_is_not_given_twice(opened: Open) -> None:
    camera = opened("scripted:frames=1,then=hang")
    one(camera)
    assert camera.next(0.2) is None


def test_c4_a_driver_that_hangs_is_killed(opened: Open) -> None:
    camera = opened("scripted:frames=1,then=hang")
    one(camera)
    camera.close()
    assert camera.gone
    assert camera.ended
    assert camera.next(0) is None


def test_c4_a_driver_that_ignores_sigterm_is_killed_too(opened: Open) -> None:
    camera = opened("deaf:frames=1")
    one(camera)
    camera.close()
    assert camera._process.returncode == -signal.SIGKILL


def test_c4_a_stopped_process_is_killed_too(opened: Open) -> None:
    camera = opened("scripted:frames=1,then=hang")
    one(camera)
    os.kill(camera.pid, signal.SIGSTOP)
    camera.close()
    assert camera.gone


def test_c5_what_cannot_be_killed_is_given_up_in_time(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = opened("scripted:frames=1,then=hang")
    one(camera)
    waits: list[float] = []

    def wait(seconds: float) -> int:
        waits.append(seconds)
        raise subprocess.TimeoutExpired("capture", seconds)

    with monkeypatch.context() as patch:
        patch.setattr(camera._process, "wait", wait)
        patch.setattr(os, "killpg", lambda *_: None)
        patch.setattr(camera._lifeline, "close", lambda: None)
        camera.close()
        assert not camera.gone
    assert sum(waits) <= 5.0
    camera._lifeline.close()
    camera._process.wait(HANG_GUARD_S)
    assert camera.gone


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("error", "scripted: unplugged"),
        ("crash", "died of SIGSEGV"),
        ("exit", "has ended"),
        ("end", "has ended"),
    ],
)
def test_the_end_of_the_process_is_told_after_its_last_frame(
    opened: Open, end: str, told: str
) -> None:
    camera = opened(f"scripted:frames=1,then={end}")
    one(camera)
    with pytest.raises(CameraError, match=told):
        one(camera)


def use_up(opened: Open) -> None:
    """Every camera that is open holds a few descriptors."""
    while True:
        opened("scripted:frames=1")


def test_r2_without_a_descriptor_for_its_process_a_camera_is_lost_and_opens_later(
    opened: Open,
) -> None:
    one(opened("scripted:frames=1"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = set(os.listdir("/proc/self/fd"))
    for spare in (1, 3, 5):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, before)) + spare, hard))
        try:
            with pytest.raises(CameraError, match="no process could be started"):
                use_up(opened)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    one(opened("scripted:frames=1"))


def test_c9_damaged_pictures_are_dropped_and_counted(opened: Open) -> None:
    camera = opened("scripted:frames=30,fps=20,bad=3")
    frames = all_of(camera)
    dropped = camera.left_out()["decode_error"]
    superseded = 30 - len(frames) - dropped
    assert all(frame.index % 3 != 2 for frame in frames)
    assert 0 < dropped <= 10
    assert len(frames) + superseded >= 0.65 * 30


def test_c10_another_size_and_grey_come_as_they_are(opened: Open) -> None:
    camera = opened("scripted:frames=2,fps=5,size=640x480,then=grey")
    shapes = {one(camera).image.shape for _ in range(2)} | {one(camera).image.shape}
    assert shapes == {(480, 640, 3), (24, 32, 3)}


def test_c10_a_picture_that_is_too_large_ends_with_a_clear_error(opened: Open) -> None:
    with pytest.raises(CameraError, match="too large"):
        one(opened("scripted:frames=1,size=8000x8000"))


def test_rotation_and_mirror_are_applied(opened: Open) -> None:
    plain = one(opened("scripted:frames=9,size=64x48,then=more"))
    turned = one(opened("scripted:frames=9,size=64x48,then=more,rotate=90,mirror=yes"))
    assert turned.image.shape == (64, 48, 3)
    value = turned.index % 256
    assert plain.image[0, 0, 0] == plain.index % 256
    assert turned.image[0, 0, 0] == value  # right upper corner after the turn, then mirrored


def test_what_one_opening_learns_the_next_one_knows(opened: Open) -> None:
    memory: dict[str, str] = {}
    for wanted in ("1", "2"):
        camera = opened("scripted:frames=1", memory)
        one(camera)
        camera.close()
        assert memory["opened"] == wanted


def test_a_hundred_openings_leave_no_descriptor_and_no_thread(opened: Open) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    opened("scripted:frames=1").close()
    before = held()
    for _ in range(100):
        open_camera("scripted:frames=1,then=hang").close()
    assert held() == before


def test_a_capture_process_imports_neither_numpy_nor_opencv() -> None:
    script = (
        "import sys; import edge_fer.cameras.capture, edge_fer.cameras.v4l2, edge_fer.cameras; "
        "import edge_fer.cameras.gstreamer, edge_fer.cameras.stream, edge_fer.cameras.picamera; "
        "print([m for m in ('numpy', 'cv2', 'typer') if m in sys.modules])"
    )
    child = [sys.executable, "-c", script]
    assert subprocess.run(child, capture_output=True, text=True, check=True).stdout == "[]\n"


PARENT = """
import sys, time
from edge_fer.cameras import CAMERAS, open_camera
from sources import SOURCES
from taking import HANG_GUARD_S, Open, drain, one
CAMERAS.update(SOURCES)
camera = open_camera("deaf:frames=1")
assert camera.next(30)
print(camera.pid, flush=True)
time.sleep(3600)
"""


def test_the_death_of_the_daemon_ends_a_capture_process_whose_driver_hangs() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    deadline = time.monotonic() + HANG_GUARD_S
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_the_limits_of_closing_are_those_promised() -> None:
    assert isolated.GIVE_UP_S <= 5.0
    assert isolated.TERM_S < 1.0


def test_frames_are_copies_that_later_ones_do_not_change(opened: Open) -> None:
    camera = opened("scripted:then=more,fps=500")
    frame = one(camera)
    kept = frame.image.copy()
    for _ in range(10):
        one(camera)
    assert np.array_equal(frame.image, kept)

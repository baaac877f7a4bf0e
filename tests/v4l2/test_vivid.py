"""A real V4L2 device, its formats and its faults; rows of the fault table by their number."""

import os
import signal
import subprocess
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.cameras.v4l2 import names, probe
from edge_fer.errors import CameraError
from edge_fer.types import Frame

from .conftest import DEVICE, Control, Open

HANG_GUARD_S = 120.0
FORMATS = ("yuyv", "uyvy", "nv12", "yu12", "bgr3", "rgb3", "grey")


def some(camera: IsolatedCamera, count: int = 3) -> list[Frame]:
    return list(islice(camera, count))


def one(camera: IsolatedCamera) -> Frame:
    frame = camera.next(HANG_GUARD_S)
    assert frame is not None
    return frame


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    return {}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_test_picture_in_the_size_asked_for(
    name: str, opened: Open, reference: dict[str, np.ndarray]
) -> None:
    image = some(opened(f"{DEVICE},size=640x360,format={name}"))[-1].image
    assert image.shape == (360, 640, 3)
    bars = image[300:].mean(0)  # below the text, which changes
    if name == "grey":
        bars = np.repeat(bars.mean(1, keepdims=True), 3, 1)
    wanted = reference.setdefault("bars", bars)
    if name != "grey":
        # Chroma of half the width blurs the edges of the bars.
        assert np.median(np.abs(bars - wanted)) < 12
    assert bars.std() > 20


@pytest.mark.parametrize("size", ["320x180", "640x360", "1280x720"])
def test_sizes_are_given_as_asked(size: str, opened: Open) -> None:
    width, height = map(int, size.split("x"))
    memory: dict[str, str] = {}
    frame = one(opened(f"{DEVICE},size={size}", memory))
    assert frame.image.shape == (height, width, 3)
    assert size in memory["gives"]


def test_a_size_that_the_camera_has_not_is_told(
    opened: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    one(opened(f"{DEVICE},size=600x400"))
    assert "600x400 was asked" in capfd.readouterr().err


def test_numbers_and_stamps_rise_and_frames_are_new(opened: Open) -> None:
    frames = some(opened("0,size=320x180"), 5)
    assert [f.index for f in frames] == sorted({f.index for f in frames})
    stamps = [f.captured for f in frames]
    assert stamps == sorted(set(stamps))
    assert all(not np.array_equal(a.image, b.image) for a, b in zip(frames, frames[1:]))


def test_rotation_turns_the_real_picture(opened: Open) -> None:
    assert one(opened("0,size=320x180,rotate=90")).image.shape == (320, 180, 3)


def test_c2_c3_a_disconnected_camera_says_so_and_comes_back(opened: Open, control: Control) -> None:
    camera = opened("0,size=320x180")
    one(camera)
    control("disconnect")
    began = time.monotonic()
    with pytest.raises(CameraError, match="unplugged|is not there"):
        while True:
            one(camera)
    print(f"C2: unplugged, told after {time.monotonic() - began:.2f} s (asked: 5)")
    camera.close()
    began = time.monotonic()
    one(opened("0,size=320x180"))
    print(f"C2: a frame {time.monotonic() - began:.2f} s after opening again")


def test_c3_back_under_another_number(opened: Open) -> None:
    memory: dict[str, str] = {}
    camera = opened("0,size=320x180", memory)
    one(camera)
    camera.close()
    assert "vivid" in memory["identity"]
    load("vid_cap_nr=7")
    try:
        assert names.nodes() == ["/dev/video7"]
        began = time.monotonic()
        one(opened("0,size=320x180", memory))
        print(f"C3: a frame from /dev/video7 after {time.monotonic() - began:.2f} s (asked: 10)")
    finally:
        for left in Path("/proc").glob("[0-9]*/cmdline"):
            if b"edge_fer.cameras.capture" in left.read_bytes():
                os.kill(int(left.parts[2]), signal.SIGKILL)
        time.sleep(1)
        load("vid_cap_nr=0")


def load(*options: str) -> None:
    """Load the driver anew."""
    subprocess.run(["rmmod", "vivid"], check=True)
    usual = ("n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0")
    subprocess.run(["insmod", "/mod/vivid.ko", *usual, *options], check=True)


def test_c4_a_stopped_capture_process_is_replaced(opened: Open) -> None:
    camera = opened("0,size=320x180")
    one(camera)
    os.kill(camera.pid, signal.SIGSTOP)
    began = time.monotonic()
    camera.close()
    assert camera.gone
    one(opened("0,size=320x180"))
    print(f"C4: killed, opened again, frame after {time.monotonic() - began:.2f} s")


def test_c9_buffers_marked_as_damaged_are_dropped(opened: Open, control: Control) -> None:
    camera = opened("0,size=320x180")
    one(camera)
    dropped = 0
    began = time.monotonic()
    while not dropped and time.monotonic() - began < HANG_GUARD_S:
        control("inject_v4l2_buf_flag_error")
        one(camera)
        dropped += camera.left_out().get("decode_error", 0)
    assert dropped
    assert len(some(camera)) == 3


def test_c11_half_of_the_buffers_dropped(opened: Open, control: Control) -> None:
    camera = opened("0,size=320x180")
    control("percentage_of_dropped_buffers", 50)
    try:
        frames = some(camera, 10)
    finally:
        control("percentage_of_dropped_buffers", 0)
    assert len(frames) == 10


@pytest.mark.parametrize("fault", ["reqbufs", "qbuf", "streamon"])
def test_an_opening_that_the_driver_refuses_is_told_and_the_next_one_works(
    fault: str, opened: Open, control: Control
) -> None:
    with Path(DEVICE).open("rb+", buffering=0):  # an open handle keeps the injected fault
        control(f"inject_vidioc_{fault}_error")
        refused = opened("0,size=320x180")
        with pytest.raises(CameraError, match=DEVICE):
            one(refused)
        refused.close()
    one(opened("0,size=320x180"))


def test_a_fatal_streaming_error_is_told_and_the_next_opening_works(
    opened: Open, control: Control
) -> None:
    camera = opened("0,size=320x180")
    one(camera)
    control("inject_fatal_streaming_error")
    with pytest.raises(CameraError, match=DEVICE):
        while True:
            one(camera)
    camera.close()
    one(opened("0,size=320x180"))


def test_c13_a_busy_camera_names_its_holder(opened: Open) -> None:
    first = opened("0,size=320x180")
    one(first)
    with pytest.raises(CameraError, match=rf"in use by \S+ \(pid {first.pid}\)"):
        one(opened("0,size=320x180"))
    with pytest.raises(CameraError, match="in use by"):
        probe(DEVICE)
    assert len(some(first)) == 3


def test_c14_a_forbidden_camera_names_the_group(opened: Open) -> None:
    script = f"import os; os.setuid(65534); from edge_fer.cameras.v4l2 import probe; probe('{DEVICE}')"
    Path(DEVICE).chmod(0o600)
    command = [os.sys.executable, "-c", script]  # type: ignore[attr-defined]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "join the group video" in told


def test_openings_leave_no_descriptor_and_no_process(opened: Open) -> None:
    opened("0,size=320x180").close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        camera = opened("0,size=320x180")
        one(camera)
        camera.close()
        assert camera.gone
    assert len(os.listdir("/proc/self/fd")) == before

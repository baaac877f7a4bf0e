"""Pipelines, run by the real launcher; a Jetson's is checked by its structure alone."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_fer.cameras import open_camera
from edge_fer.cameras.gstreamer import LAUNCHER, Csi, Gstreamer
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.errors import CameraError, ConfigError, MissingExtra
from edge_fer.types import Frame

HANG_GUARD_S = 60.0
SOURCE = "videotestsrc is-live=true pattern=ball"


@pytest.fixture
def launcher() -> None:
    if shutil.which(LAUNCHER) is None:
        pytest.skip(f"needs {LAUNCHER}: apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base")


@pytest.fixture
def opened() -> Iterator[object]:
    cameras: list[IsolatedCamera] = []

    def one(pipeline: str) -> IsolatedCamera:
        camera = open_camera(f"gstreamer:{pipeline}")
        assert isinstance(camera, IsolatedCamera)
        cameras.append(camera)
        return camera

    yield one
    for camera in cameras:
        camera.close()


def one(camera: IsolatedCamera) -> Frame:
    frame = camera.next(HANG_GUARD_S)
    assert frame is not None
    return frame


@pytest.mark.usefixtures("launcher")
@pytest.mark.parametrize("size", [(320, 240), (322, 241)], ids=["even", "padded rows"])
def test_a_pipeline_gives_moving_bgr_pictures(opened, size: tuple[int, int]) -> None:
    width, height = size
    camera = opened(f"{SOURCE} ! video/x-raw,width={width},height={height},framerate=30/1 ! appsink")
    images = [one(camera).image for _ in range(5)]
    assert all(image.shape == (height, width, 3) for image in images)
    assert not np.array_equal(images[0], images[-1])


@pytest.mark.usefixtures("launcher")
@pytest.mark.parametrize(("pattern", "colour"), [("blue", (255, 0, 0)), ("red", (0, 0, 255))])
def test_colours_are_in_the_order_blue_green_red(
    opened, pattern: str, colour: tuple[int, int, int]
) -> None:
    caps = "video/x-raw,width=64,height=48,format=RGB"
    image = one(opened(f"videotestsrc is-live=true pattern={pattern} ! {caps} ! appsink")).image
    assert np.abs(image.mean((0, 1)) - colour).max() < 3


@pytest.mark.usefixtures("launcher")
def test_c15_a_pipeline_that_ends_is_told(opened) -> None:
    camera = opened("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! appsink")
    with pytest.raises(CameraError, match="gstreamer: "):
        while True:
            one(camera)


@pytest.mark.usefixtures("launcher")
@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        ("nosuchelement ! appsink", "nosuchelement"),
        ("v4l2src device=/dev/video99 ! appsink", "video99"),
        ("videotestsrc ! video/x-raw,format=JUNK ! appsink", "gstreamer: "),
    ],
)
def test_a_pipeline_that_cannot_run_says_why(opened, pipeline: str, told: str) -> None:
    with pytest.raises(CameraError, match=told):
        one(opened(pipeline))


@pytest.mark.usefixtures("launcher")
def test_c4_a_pipeline_that_stalls_is_killed_with_its_launcher(opened) -> None:
    caps = "video/x-raw,width=64,height=48,framerate=10/1"
    camera = opened(f"videotestsrc is-live=true ! {caps} ! appsink")
    one(camera)
    children = Path(f"/proc/{camera.pid}/task/{camera.pid}/children").read_text().split()
    assert len(children) == 1
    camera.close()
    deadline = time.monotonic() + HANG_GUARD_S
    while Path(f"/proc/{children[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{children[0]}").exists()


@pytest.mark.usefixtures("launcher")
def test_no_shell_sees_the_pipeline(opened, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(CameraError):
        one(opened(f"videotestsrc ! $(touch {canary}) ; touch {canary} ! appsink"))
    assert not canary.exists()


@pytest.mark.usefixtures("launcher")
@pytest.mark.parametrize("pipeline", ["", "videotestsrc", "a ! fakesink", "a 'b ! appsink"])
def test_what_is_no_pipeline_is_refused_at_the_door(pipeline: str) -> None:
    with pytest.raises(ConfigError, match="gstreamer: "):
        open_camera(f"gstreamer:{pipeline}")


def test_the_camera_of_a_jetson_is_a_pipeline() -> None:
    assert Csi(sensor=1, size=(1920, 1080), fps=60).pipeline() == (
        "nvarguscamerasrc sensor-id=1 ! "
        "video/x-raw(memory:NVMM),width=1920,height=1080,format=NV12,framerate=60/1 ! "
        "nvvidconv ! video/x-raw,format=BGRx ! appsink"
    )


@pytest.mark.usefixtures("launcher")
def test_the_shorthand_of_a_jetson_takes_options() -> None:
    camera = Gstreamer("csi,sensor=1,size=640x480,fps=15")
    command = camera.command(5)
    assert camera.fps == 15
    assert "sensor-id=1" in command
    assert "video/x-raw(memory:NVMM),width=640,height=480,format=NV12,framerate=15/1" in command
    assert command[-3:] == ["name=edge_fer_sink", "fd=5", "sync=false"]
    with pytest.raises(ConfigError, match="csi"):
        Gstreamer("csi,sensor=99")


def test_without_the_launcher_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingExtra, match=r"gstreamer1\.0-tools"):
        Gstreamer("videotestsrc ! appsink")

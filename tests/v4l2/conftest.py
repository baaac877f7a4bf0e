"""Runs in the guest of `make test-v4l2`; elsewhere these tests are skipped, aloud."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from edge_fer.cameras import open_camera
from edge_fer.cameras.isolated import IsolatedCamera

DEVICE = "/dev/video0"
Control = Callable[..., None]
Open = Callable[..., IsolatedCamera]


@pytest.fixture(autouse=True)
def vivid() -> None:
    if os.environ.get("EDGE_FER_VIVID") != "1":
        pytest.skip("needs the vivid driver: make test-v4l2")


@pytest.fixture
def control() -> Control:
    """Turns the knobs of the driver, and puts them back."""

    def turn(name: str, value: int = 1, device: str = DEVICE) -> None:
        subprocess.run(["v4l2-ctl", "-d", device, "-c", f"{name}={value}"], check=True)

    return turn


@pytest.fixture
def opened() -> Iterator[Open]:
    cameras: list[IsolatedCamera] = []

    def one(spec: str, memory: dict[str, str] | None = None) -> IsolatedCamera:
        camera = open_camera(spec, memory)
        assert isinstance(camera, IsolatedCamera)
        cameras.append(camera)
        return camera

    yield one
    for camera in cameras:
        camera.close()

"""Runs in the guest of `make test-v4l2`; elsewhere these tests are skipped, aloud."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from taking import Open, opener

DEVICE = "/dev/video0"
Control = Callable[..., None]


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
    with opener() as opened:
        yield opened

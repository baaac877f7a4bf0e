"""Frames of an isolated camera, however long the machine takes to start a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge_fer.cameras import open_camera
from edge_fer.cameras.isolated import IsolatedCamera
from edge_fer.types import Frame

HANG_GUARD_S = 120.0
Open = Callable[..., IsolatedCamera]


def one(camera: IsolatedCamera) -> Frame:
    """Its next frame."""
    frame = camera.next(HANG_GUARD_S)
    assert frame is not None
    return frame


def drain(camera: IsolatedCamera, frames: list[Frame] | None = None) -> None:
    """Take frames until the camera raises its error."""
    while True:
        frame = one(camera)
        if frames is not None:
            frames.append(frame)


@contextmanager
def opener() -> Iterator[Open]:
    """Opens cameras, and closes them all at the end."""
    cameras: list[IsolatedCamera] = []

    def opened(spec: str, memory: dict[str, str] | None = None) -> IsolatedCamera:
        camera = open_camera(spec, memory)
        assert isinstance(camera, IsolatedCamera)
        cameras.append(camera)
        return camera

    yield opened
    for camera in cameras:
        camera.close()

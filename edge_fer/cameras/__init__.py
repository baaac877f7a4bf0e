"""Sources of frames by `scheme:argument`; a bare number or a /dev path is a V4L2 camera."""

from __future__ import annotations

from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Camera

CAMERAS = {
    "v4l2": "edge_fer.cameras.v4l2:V4l2Camera",
    "video": "edge_fer.cameras.video:VideoCamera",
    "images": "edge_fer.cameras.images:ImagesCamera",
    "synthetic": "edge_fer.cameras.synthetic:SyntheticCamera",
}


def open_camera(spec: str) -> Camera:
    """Open `0`, `/dev/video0`, `video:FILE`, `images:FOLDER`, `synthetic:faces=2` and the like.

    Raises ConfigError for a wrong spec, NotFound or BadData for a wrong file, and CameraError for a
    device that is absent, busy or forbidden.
    """
    scheme, argument = split_spec(spec)
    if spec.isdigit() or spec.startswith("/dev/"):
        scheme, argument = "v4l2", spec
    camera: Camera = load("camera", CAMERAS, scheme)(argument)
    return camera

"""Sources of frames by `scheme:argument`; a bare number or a /dev path is a V4L2 camera.

Live cameras with a driver are sources, read by a capture process that can be killed; files and
drawn pictures are read by the daemon itself.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from edge_fer.plugins import load, split_spec

if TYPE_CHECKING:  # a capture process comes through here, and needs no numpy
    from edge_fer.protocols import Camera

CAMERAS = {
    "v4l2": "edge_fer.cameras.v4l2:V4l2",
    "picamera": "edge_fer.cameras.picamera:Picamera",
    "gstreamer": "edge_fer.cameras.gstreamer:Gstreamer",
    "stream": "edge_fer.cameras.stream:Stream",
    "video": "edge_fer.cameras.video:VideoCamera",
    "images": "edge_fer.cameras.images:ImagesCamera",
    "synthetic": "edge_fer.cameras.synthetic:SyntheticCamera",
}
SECRETS = (
    (re.compile(r"://[^/?#]*@"), "://***@"),
    # A password with one of these: no port holds an @.
    (re.compile(r"://[^/?#@]*:.*@"), "://***@"),
    # Some cameras take user and password in the query, others in the path.
    (re.compile(r"(://[^\s?#=]*[?#=])\S*"), r"\1***"),
)
"""Places of an address that may hold a user or a password, and what is said instead."""
ELEMENT = re.compile(r"csi,.*|[\w.]+(?![\w.=])")


def open_camera(spec: str, memory: dict[str, str] | None = None) -> Camera:
    """Open `0`, `/dev/video0`, `video:FILE`, `stream:rtsp://...`, `synthetic:faces=2` and the like.

    Every spec may end with `rotate=90`, `mirror=yes`, `frozen=no`. `memory` is kept by a caller who
    opens the same camera again and again: what one opening learns, the next one knows.
    Raises ConfigError for a wrong spec, NotFound or BadData for a wrong file. That a live camera is
    absent, busy or forbidden is told by its first frame, as CameraError: opening never waits.
    """
    from edge_fer.cameras.look import Upright, split_look

    scheme, argument = split_spec(spec)
    if spec[:1].isdigit() or spec.startswith("/dev"):
        scheme, argument = "v4l2", spec
    member: Any = load("camera", CAMERAS, scheme)
    argument, look = split_look(argument, shown(spec))
    part = member(argument)
    if hasattr(member, "shots"):
        from edge_fer.cameras.isolated import IsolatedCamera

        learnt = {} if memory is None else memory
        return IsolatedCamera(shown(spec), CAMERAS[scheme], argument, part, look, learnt)
    camera: Camera = part
    return Upright(camera, look) if look.rotate or look.mirror else camera


def without_credentials(text: str) -> str:
    """A message as it may be written to a log: of an address no user, password or query."""
    for place, instead in SECRETS:
        text = place.sub(instead, text)
    return text


def shown(spec: str) -> str:
    """A spec as it may be written to a log: of a pipeline the elements alone."""
    scheme, argument = split_spec(spec)
    return without_credentials(f"{scheme}:{_elements(argument)}" if scheme == "gstreamer" else spec)


def _elements(pipeline: str) -> str:
    """`rtspsrc ! appsink`: a property may hold a secret, in quotes also with a `!`."""
    try:
        words = shlex.split(pipeline)
    except ValueError:
        return "***"
    first = [word for before, word in zip(["!", *words], words, strict=False) if before == "!"]
    names = (ELEMENT.match(word) for word in first)
    return " ! ".join(name[0] if name else "***" for name in names)

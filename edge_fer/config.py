"""One frozen RunConfig: all that `edge-fer run` was told, refused at the door where it is wrong."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge_fer.bundle import newest_bundle
from edge_fer.errors import SettingError
from edge_fer.notices import FORMS as LOG_FORMS
from edge_fer.plugins import split_spec
from edge_fer.purposes import forbidden

STDOUT = "jsonl:-"
"""The sink that needs no stated purpose."""
NAME = re.compile(r"[a-z0-9_-]{1,32}")
"""Device and camera ids: they become MQTT topics and metric labels."""
NOTICE = (
    "A program estimates facial expressions here, never feelings. "
    "Pictures are neither stored nor sent."
)
"""What people are told where nothing else was written (EU AI Act, Art. 50(3))."""
LEAST_PATIENCE_S = 60.0
"""Less would end the daemon while a camera is only being plugged in again."""
LONGEST_NOTICE = 300
"""Characters."""
LONGEST_PURPOSE = 80
"""Characters; it is said in the first event."""
MOST_FACES = 10
"""Of one frame in one event: keeps it under 4 KiB."""
SHORTEST_WINDOW_S = 10.0
SHORTEST_PUBLIC_WINDOW_S = 60.0
"""Seconds that an aggregate covers at least; the longer one for what anybody may see."""
MOST_DETECT_EVERY = 30
"""Frames; beyond, a new face would wait for seconds."""
FILE_CAMERAS = ("video", "images")
"""Schemes of cameras that end: no daemon follows them."""
ROI = "x,y,w,h in 0 to 1 of the frame, such as 0.25,0,0.5,1"
SMOOTHING_S = 0.4
"""Time constant of the scores of one track: slower than a frame, faster than an expression."""


def device_name() -> str:
    """The host's name, reduced to what a device id may hold."""
    host = socket.gethostname().partition(".")[0].lower()
    return re.sub(r"[^a-z0-9_-]+", "-", host).strip("-")[:32] or "device"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What to run; raises SettingError naming the setting that cannot be."""

    camera: str = "v4l2:0"
    """Camera spec, `scheme:argument`."""
    bundle: Path | None = None
    """None is the newest one in `bundles_dir`."""
    bundles_dir: Path = Path("bundles")
    sinks: tuple[str, ...] = (STDOUT,)
    """Sink specs, `scheme:argument`."""
    detector: str | None = None
    """None is the best one installed."""
    threads: int | None = None
    """Of the engine; None is the cores there are, at most four."""
    engine_device: str | None = None
    """What the engine runs on; None is the CPU, or the engine's own."""
    selftest: bool = False
    """Whether the bundle must first answer here as it did where it was made."""
    trusted_key: Path | None = None
    """Public key in minisign's form: a bundle that it has not signed is refused. None asks none."""
    device: str = field(default_factory=device_name)
    camera_id: str = "camera"
    purpose: str | None = None
    """Why faces are analysed; must be stated before a sink other than stdout opens."""
    notice: str = NOTICE
    """What the live page tells the people in view."""
    http_allow_remote: bool = False
    """Consent to an `http` sink that other machines can reach."""
    preview: str | None = None
    """`faces`: http shows the room as through frosted glass; `boxes`: outlines; None is neither."""
    events: int | None = None
    """Stop after so many `update` events; None is never."""
    smoothing_s: float = SMOOTHING_S
    """Time constant of the scores of one track, in seconds; 0 is off. Live cameras only."""
    abstain_below: float | None = None
    """Best probability under which the label is "uncertain"; None is the bundle's own."""
    most_faces: int = MOST_FACES
    """Faces analysed in one frame, the largest first."""
    smallest_face: int = 0
    """Side in pixels under which a face is left alone."""
    roi: tuple[float, float, float, float] | None = None
    """Where faces are looked for: left, top, width, height in shares of the frame; None is all."""
    detect_every: int | None = None
    """Frames from one detection to the next, faces being followed between; None is as measured."""
    aggregate_s: float | None = None
    """Seconds of a window of which only counts and means are told; None tells of every face."""
    aggregate_public: bool = False
    """Windows of at least 60 s, silent about fewer than 5 faces."""
    fallback: Path | None = None
    """Bundle that serves, as `degraded`, where the other one is refused or keeps failing."""
    patience_s: float | None = None
    """Seconds without a frame after which the daemon ends with 75; None waits for ever."""
    state_dir: Path | None = None
    """Folder of the lock; None is the service's own, or the user's runtime folder."""
    log: str = "text"
    """Form of the lines on stderr: `text` or `json`."""

    def __post_init__(self) -> None:
        for name in ("device", "camera_id"):
            if not NAME.fullmatch(getattr(self, name)):
                raise _wrong(name, getattr(self, name), "1 to 32 of the characters a-z 0-9 _ -")
        self._check_numbers()
        if self.log not in LOG_FORMS:
            raise _wrong("log", self.log, "text or json")
        self._check_roi()
        self._check_windows()
        if not self.camera:
            raise _wrong("camera", self.camera, "a camera spec such as v4l2:0 or video:FILE")
        if self.preview not in (None, "faces", "boxes"):
            raise _wrong("preview", self.preview, "faces or boxes")
        if self.preview and self.aggregate_s is not None:
            raise _wrong("preview", self.preview, "no preview beside windows without faces")
        if self.preview and not any(sink.startswith("http:") for sink in self.sinks):
            raise _wrong("preview", self.preview, "an http sink to show it: add --sink http:")
        if not self.sinks:
            raise _wrong("sinks", self.sinks, f"at least one, such as {STDOUT}")
        self._check_purpose()

    def _check_numbers(self) -> None:
        if self.events is not None and self.events < 1:
            raise _wrong("events", self.events, "1 or more")
        check_threads(self.threads)
        if not 1 <= self.most_faces <= MOST_FACES:
            raise _wrong("most_faces", self.most_faces, f"1 to {MOST_FACES}")
        if self.smallest_face < 0:
            raise _wrong("smallest_face", self.smallest_face, "0 or more pixels")
        if not 1 <= (self.detect_every or 1) <= MOST_DETECT_EVERY or self.detect_every == 0:
            raise _wrong("detect_every", self.detect_every, f"1 to {MOST_DETECT_EVERY} frames")
        patience_s = self.patience_s if self.patience_s is not None else LEAST_PATIENCE_S
        if not (math.isfinite(patience_s) and patience_s >= LEAST_PATIENCE_S):
            raise _wrong("patience_s", self.patience_s, f"{LEAST_PATIENCE_S:g} or more seconds")
        if not (math.isfinite(self.smoothing_s) and self.smoothing_s >= 0):
            raise _wrong("smoothing_s", self.smoothing_s, "0 (off) or more seconds")
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise _wrong("abstain_below", self.abstain_below, "0 to 1")

    def _check_roi(self) -> None:
        if self.roi is None:
            return
        left, top, width, height = self.roi
        inside = min(left, top) >= 0 and left + width <= 1 + 1e-9 and top + height <= 1 + 1e-9
        if not (all(map(math.isfinite, self.roi)) and inside and min(width, height) > 0):
            raise _wrong("roi", self.roi, ROI)

    def _check_windows(self) -> None:
        least = SHORTEST_PUBLIC_WINDOW_S if self.aggregate_public else SHORTEST_WINDOW_S
        if self.aggregate_s is None:
            if self.aggregate_public:
                raise SettingError(
                    "aggregate_public",
                    "aggregate_public needs windows: add --aggregate SECONDS (60 or more)",
                )
        elif not (math.isfinite(self.aggregate_s) and self.aggregate_s >= least):
            raise _wrong("aggregate_s", self.aggregate_s, f"{least:g} or more seconds")

    def _check_purpose(self) -> None:
        """Closed unless a lawful purpose is stated: without one, only stdout opens."""
        if not self.notice.strip() or len(self.notice) > LONGEST_NOTICE:
            raise _wrong("notice", self.notice, f"1 to {LONGEST_NOTICE} characters")
        if self.purpose is None:
            for i, sink in enumerate(self.sinks):
                if sink != STDOUT:
                    raise SettingError(
                        f"sinks.{i}",
                        f"purpose is not stated, but {sink} would carry expressions away: "
                        "say why faces are analysed (--purpose TEXT), or write to stdout alone",
                    )
            return
        if not self.purpose.strip() or len(self.purpose) > LONGEST_PURPOSE:
            raise _wrong("purpose", self.purpose, f"1 to {LONGEST_PURPOSE} characters")
        if forbidden(self.purpose):
            raise SettingError(
                "purpose",
                f"purpose {self.purpose!r}: the EU AI Act, Art. 5(1)(f), forbids reading emotions "
                "at work and in education, except for medical or safety reasons; "
                "if that is the reason, state it (such as 'medical' or 'safety')",
            )

    @property
    def daemon(self) -> bool:
        """True unless the camera is a file, which anybody may read as often as they like."""
        return split_spec(self.camera)[0] not in FILE_CAMERAS

    def bundle_path(self) -> Path:
        """The bundle named, or the newest; raises BundleError where there is none."""
        return self.bundle if self.bundle is not None else newest_bundle(self.bundles_dir)

    def sha256(self) -> str:
        """Hash of all settings: two runs with the same one were told the same."""
        return hashlib.sha256(json.dumps(asdict(self), default=str).encode()).hexdigest()


def read_roi(text: str) -> tuple[float, float, float, float]:
    """`x,y,w,h` as four numbers; raises SettingError."""
    try:
        left, top, width, height = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _wrong("roi", text, ROI) from error
    return left, top, width, height


def check_threads(threads: int | None) -> None:
    """Raise ConfigError for more threads than there are cores: runtimes crash of very many."""
    cores = len(os.sched_getaffinity(0))
    if threads is not None and not 1 <= threads <= cores:
        raise _wrong("threads", threads, f"1 to {cores}, the cores of this machine")


def _wrong(name: str, value: object, wanted: str) -> SettingError:
    return SettingError(name, f"{name} is {str(value)[:80]!r}, expected {wanted}")

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
from edge_fer.errors import ConfigError

STDOUT = "jsonl:-"
"""The sink that needs no stated purpose."""
NAME = re.compile(r"[a-z0-9_-]{1,32}")
"""Device and camera ids: they become MQTT topics and metric labels."""
FORBIDDEN_PURPOSES = {
    *("work", "workplace", "workplaces", "workers", "employment", "employees", "staff", "office"),
    *("education", "educational", "school", "schools", "classroom", "university", "students"),
}
"""EU AI Act, Art. 5(1)(f): inferring emotions at work and in education is banned."""
EXEMPT_PURPOSES = {"medical", "safety"}
"""The two exceptions that the same article makes."""
NOTICE = (
    "A program estimates facial expressions here, never feelings. "
    "Pictures are neither stored nor sent."
)
"""What people are told where nothing else was written (EU AI Act, Art. 50(3))."""
LONGEST_NOTICE = 300
"""Characters."""
LONGEST_PURPOSE = 80
"""Characters; it is said in the first event."""
MOST_FACES = 10
"""Of one frame in one event: keeps it under 4 KiB."""
SMOOTHING_S = 0.4
"""Time constant of the scores of one track: slower than a frame, faster than an expression."""


def device_name() -> str:
    """The host's name, reduced to what a device id may hold."""
    host = socket.gethostname().partition(".")[0].lower()
    return re.sub(r"[^a-z0-9_-]+", "-", host).strip("-")[:32] or "device"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What to run; raises ConfigError naming the setting that cannot be."""

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

    def __post_init__(self) -> None:
        for name in ("device", "camera_id"):
            if not NAME.fullmatch(getattr(self, name)):
                raise _wrong(name, getattr(self, name), "1 to 32 of the characters a-z 0-9 _ -")
        self._check_numbers()
        if not self.camera:
            raise _wrong("camera", self.camera, "a camera spec such as v4l2:0 or video:FILE")
        if self.preview not in (None, "faces", "boxes"):
            raise _wrong("preview", self.preview, "faces or boxes")
        if self.preview and not any(sink.startswith("http:") for sink in self.sinks):
            raise _wrong("preview", self.preview, "an http sink to show it: add --sink http:")
        if not self.sinks:
            raise _wrong("sinks", self.sinks, f"at least one, such as {STDOUT}")
        self._check_purpose()

    def _check_numbers(self) -> None:
        for name, least in (("threads", 1), ("events", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise _wrong(name, value, f"{least} or more")
        check_threads(self.threads)
        if not 1 <= self.most_faces <= MOST_FACES:
            raise _wrong("most_faces", self.most_faces, f"1 to {MOST_FACES}")
        if not (math.isfinite(self.smoothing_s) and self.smoothing_s >= 0):
            raise _wrong("smoothing_s", self.smoothing_s, "0 (off) or more seconds")
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise _wrong("abstain_below", self.abstain_below, "0 to 1")

    def _check_purpose(self) -> None:
        """Closed unless a lawful purpose is stated: without one, only stdout opens."""
        if not self.notice.strip() or len(self.notice) > LONGEST_NOTICE:
            raise _wrong("notice", self.notice, f"1 to {LONGEST_NOTICE} characters")
        others = [sink for sink in self.sinks if sink != STDOUT]
        if self.purpose is None:
            if others:
                raise ConfigError(
                    f"purpose is not stated, but {others[0]} would carry expressions away: "
                    "say why faces are analysed (--purpose TEXT), or write to stdout alone"
                )
            return
        if not self.purpose.strip() or len(self.purpose) > LONGEST_PURPOSE:
            raise _wrong("purpose", self.purpose, f"1 to {LONGEST_PURPOSE} characters")
        words = set(re.findall(r"[a-z]+", self.purpose.lower()))
        if words & FORBIDDEN_PURPOSES and not words & EXEMPT_PURPOSES:
            raise ConfigError(
                f"purpose {self.purpose!r}: the EU AI Act, Art. 5(1)(f), forbids reading emotions "
                "at work and in education, except for medical or safety reasons; "
                "if that is the reason, state it (such as 'medical' or 'safety')"
            )

    def bundle_path(self) -> Path:
        """The bundle named, or the newest; raises BundleError where there is none."""
        return self.bundle if self.bundle is not None else newest_bundle(self.bundles_dir)

    def sha256(self) -> str:
        """Hash of all settings: two runs with the same one were told the same."""
        return hashlib.sha256(json.dumps(asdict(self), default=str).encode()).hexdigest()


def check_threads(threads: int | None) -> None:
    """Raise ConfigError for more threads than there are cores: runtimes crash of very many."""
    cores = len(os.sched_getaffinity(0))
    if threads is not None and not 1 <= threads <= cores:
        raise _wrong("threads", threads, f"1 to {cores}, the cores of this machine")


def _wrong(name: str, value: object, wanted: str) -> ConfigError:
    return ConfigError(f"{name} is {str(value)[:80]!r}, expected {wanted}")

"""The events of `edge-fer/event/1`: JSON objects of finite numbers, at most 4 KiB each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from itertools import count
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_fer.bundle import Bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.aggregate import Window
from edge_fer.daemon.wall_clock import clock_synced
from edge_fer.emotions import LABELS, UNCERTAIN
from edge_fer.pipeline import Recognition
from edge_fer.types import Box, Frame, Prediction

SCHEMA = "edge-fer/event/1"
LONGEST_NAME = 64
"""Characters of a model's name in an event; keeps ten faces under 4 KiB."""
SMALLEST_FACE = 48
"""Pixels: FER2013's faces have 48; a smaller one has less detail than any the model has seen."""
MOST_BLUR = 0.9
"""Above this a face is too blurred to be trusted."""
CLOCK_S = 1.0
"""How long it is believed what was found out about the clock."""

Event = dict[str, Any]
Scores = NDArray[np.float32]
"""(7,) probabilities in `Emotion` order."""


class Events:
    """Builds the events of one start of the daemon, in order."""

    def __init__(self, config: RunConfig, bundle: Bundle) -> None:
        self.boot_id = secrets.token_hex(4)
        self._seq = count(1)
        self._started = monotonic()
        self.camera_state = "starting"
        self._synced, self._synced_until = False, self._started
        self._degraded: list[str] = []
        self._strained: list[str] = []
        self.change(config, bundle)

    def change(self, config: RunConfig, bundle: Bundle) -> None:
        """Speak of another configuration or model from now on."""
        self._config, manifest = config, bundle.manifest
        self._model = {
            "model": {"id": manifest.name[:LONGEST_NAME], "sha256": bundle.sha256[:12]},
            "engine": manifest.format,
        }

    def hello(self, precision: str, runtime: str, detector: str) -> Event:
        """The first event: what runs, and how it was configured."""
        return self._event(
            "hello",
            version=metadata.version("edge-fer"),
            config_sha256=self._config.sha256()[:12],
            labels=[*LABELS, UNCERTAIN],
            camera=self._config.camera_id,
            **self._model,
            precision=precision,
            runtime=runtime[:LONGEST_NAME],
            detector=detector,
            purpose=self._config.purpose,
        )

    def state(self, camera_state: str) -> Event:
        """The camera's state has changed."""
        self.camera_state = camera_state
        lost = [] if camera_state in ("starting", "ok", "disabled") else ["camera"]
        return self._event(
            "state",
            camera=self._config.camera_id,
            camera_state=camera_state,
            degraded=[*lost, *self._degraded, *self._strained],
        )

    def degraded(self, *reasons: str) -> Event:
        """Why the engine works less well than it should has changed."""
        self._degraded = list(reasons)
        return self.state(self.camera_state)

    def strained(self, *reasons: str) -> Event:
        """What strains the machine or the sinks has changed."""
        self._strained = list(reasons)
        return self.state(self.camera_state)

    def begun(self, prediction: Prediction, frame: Frame) -> Event:
        """A face was seen for the first time."""
        height, width = frame.image.shape[:2]
        return self._event(
            "new", camera=self._config.camera_id, face=_face(prediction, width, height)
        )

    def ended(self, track: int, seen_s: float, frames: int, mean: Scores) -> Event:
        """A face has left: how long it was seen, in how many frames, and its mean scores."""
        return self._event(
            "end",
            camera=self._config.camera_id,
            track=track,
            seen_s=round(max(seen_s, 0.0), 3),
            frames=frames,
            probs=_named(mean),
        )

    def aggregate(self, window: Window) -> Event:
        """A window has closed; of one with too few faces only that is told."""
        hidden = window.suppressed
        return self._event(
            "aggregate",
            camera=self._config.camera_id,
            window_s=round(window.seconds, 3),
            n_faces=None if hidden else window.faces,
            distribution=None if hidden or window.mean is None else _named(window.mean),
            suppressed=hidden,
        )

    def update(self, recognition: Recognition, dropped: int = 0) -> Event:
        """One analysed frame; `dropped` frames of the camera were not, since the last one."""
        return self._event("update", **self._analysed(recognition, dropped))

    def unsaid(self, recognition: Recognition, dropped: int = 0) -> Event:
        """What may be counted of a frame that nobody is told of: times, and nobody's face."""
        content = self._analysed(recognition, dropped)
        # Both grow with the number of faces.
        content["latency_ms"].pop("classify")
        content["frame"].pop("age_ms")
        content["frame"]["time"] = recognition.frame.time
        content.update(faces=[], faces_total=0)
        return {"type": "update", "clock_synced": self._clock_synced(), **content}

    def _analysed(self, recognition: Recognition, dropped: int) -> Event:
        frame = recognition.frame
        height, width = frame.image.shape[:2]
        return {
            "camera": self._config.camera_id,
            "frame": {
                "seq": frame.index,
                "age_ms": _age_ms(frame),
                "width": width,
                "height": height,
            },
            "faces_total": recognition.faces_total,
            "truncated": recognition.truncated,
            "faces": [_face(p, width, height) for p in recognition.predictions],
            **self._model,
            "latency_ms": {
                "detect": round(recognition.detect_ms, 1),
                "classify": round(recognition.classify_ms, 1),
            },
            "dropped_since_last": dropped,
        }

    def _event(self, kind: str, **content: Any) -> Event:
        seq = next(self._seq)
        now = datetime.now(timezone.utc)
        return {
            "schema": SCHEMA,
            "id": f"{self.boot_id}-{seq:012d}",
            "boot_id": self.boot_id,
            "seq": seq,
            "type": kind,
            "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "clock_synced": self._clock_synced(),
            "uptime_s": round(monotonic() - self._started, 3),
            "device": self._config.device,
            **content,
        }

    def _clock_synced(self) -> bool:
        if (at := monotonic()) >= self._synced_until:
            self._synced, self._synced_until = clock_synced(), at + CLOCK_S
        return self._synced


def _age_ms(frame: Frame) -> int:
    return max(round(1000 * (monotonic() - frame.captured)), 0)


def _face(prediction: Prediction, width: int, height: int) -> Event:
    """One face of an `update`; scores with three digits still sum to 1 within 0.004."""
    face, scores = prediction.face, prediction.scores
    size = min(face.box.width, face.box.height)
    blur = prediction.blur if prediction.blur is not None else 0.0
    return {
        "track": face.track,
        "box": _share(face.box, width, height),
        "det_score": _clipped(face.confidence),
        "emotion": prediction.label.label if prediction.label is not None else UNCERTAIN,
        "score": _clipped(scores.max()),
        "probs": _named(scores),
        "quality": {
            "size_px": size,
            "blur": _clipped(blur),
            "ok": size >= SMALLEST_FACE and blur <= MOST_BLUR,
        },
    }


def _named(scores: Scores) -> dict[str, float]:
    # Python's own numbers are rounded several times faster than NumPy's.
    return {label: _clipped(p) for label, p in zip(LABELS, scores.tolist(), strict=True)}


def _clipped(value: float, digits: int = 3) -> float:
    """A number in 0 to 1; 0 for NaN, which is not greater than 0."""
    return round(min(max(0.0, float(value)), 1.0), digits)


def _share(box: Box, width: int, height: int) -> Sequence[float]:
    """x, y, width, height of the part inside the frame, in 0..1 of the frame."""
    left, right = (_clipped(x / width, 4) for x in (box.left, box.right))
    top, bottom = (_clipped(y / height, 4) for y in (box.top, box.bottom))
    return [left, top, round(right - left, 4), round(bottom - top, 4)]

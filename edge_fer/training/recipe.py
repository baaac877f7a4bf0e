"""The hyper-parameters that make a checkpoint, stored beside its weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from edge_fer.errors import CheckpointError, ConfigError

Colour = Literal["grey", "bgr"]
DistilFaces = Literal["changed", "plain"]
SMALLEST_SIDE = 71
"""Below this Xception's last block has no pixels left (Keras Applications)."""
LARGEST_SIDE = 1024
"""What a bundle may have."""
ADDED_LATER = MappingProxyType(
    {
        "degrade": 0.0,
        "mixup": 0.0,
        "ema": 0.0,
        "distil_share": 0.0,
        "distil_temperature": 1.0,
        "distil_faces": "changed",
        "coverage": 0.9,
    }
)
"""Keys that older checkpoints lack, with what they were trained with."""
SHARES = ("label_smoothing", "dropout", "flip", "erase", "degrade", "ema", "distil_share")
"""What is at most 1; `LESS` is less than 1."""
LESS = ("label_smoothing", "dropout", "ema")


@dataclass(frozen=True, slots=True)
class Architecture:
    """Xception (Chollet, CVPR 2017) with a pooled seven-way head."""

    size: int = 72
    """Side of the square input, in pixels."""
    colour: Colour = "grey"
    """What the network sees of a BGR picture: its luma in all three channels, or all of it."""
    width: float = 1.0
    """Multiplier of every channel count; 1 is the published network."""
    middle_blocks: int = 8
    """Repeated residual blocks; 8 is the published network."""

    def __post_init__(self) -> None:
        if self.size < SMALLEST_SIDE:
            raise ConfigError(f"size {self.size}: Xception needs at least {SMALLEST_SIDE} pixels")
        colour_named(self.colour)
        if self.size > LARGEST_SIDE:
            raise ConfigError(f"size {self.size}: at most {LARGEST_SIDE} pixels")
        if not 0 < self.width <= 2 or not 0 <= self.middle_blocks <= 64:
            raise ConfigError(f"width {self.width} or {self.middle_blocks} middle blocks: too odd")

    @property
    def shape(self) -> tuple[float, int]:
        """What decides the shapes of the weights."""
        return self.width, self.middle_blocks


def colour_named(name: str) -> Colour:
    """The colour choice of this name; raises ConfigError."""
    if name == "grey":
        return "grey"
    if name == "bgr":
        return "bgr"
    raise ConfigError(f"colour {name!r}: choose grey or bgr")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run, apart from the data and the initial weights.

    Raises ConfigError for a number that is negative, infinite or none.
    """

    architecture: Architecture = Architecture()
    head_epochs: float = 0.5
    """Passes over the training split with everything but the head frozen."""
    epochs: float = 6.0
    """Passes over the training split with all layers learning."""
    batch: int = 64
    """Faces a step."""
    head_rate: float = 1e-3
    """Peak learning rate of the head phase."""
    rate: float = 6e-4
    """Peak learning rate of the second phase."""
    warmup: float = 0.15
    """Share of a phase's steps in which the rate rises; then it falls as a cosine to 0."""
    weight_decay: float = 0.02
    """Decoupled, of AdamW (Loshchilov and Hutter, ICLR 2019)."""
    label_smoothing: float = 0.1
    dropout: float = 0.3
    """Of the pooled features."""
    flip: float = 0.5
    """Share of faces mirrored."""
    rotate: float = 20.0
    """Largest turn, in degrees."""
    scale: float = 0.18
    """Largest change of size, as a share: a detector cuts faces loosely or tightly."""
    shift: float = 0.07
    """Largest shift, as a share of the side."""
    light: float = 0.25
    """Largest change of brightness and of contrast, as a share."""
    erase: float = 0.25
    """Share of faces with a random rectangle erased (Zhong et al., AAAI 2020)."""
    degrade: float = 0.25
    """Share of faces with one camera fault: blur, JPEG, darkness or few pixels."""
    mixup: float = 0.2
    """Both parameters of the Beta distribution that blends pairs (Zhang et al., ICLR 2018)."""
    ema: float = 0.0
    """Momentum of a running mean of the weights that the checkpoint keeps; 0 keeps the last."""
    distil_share: float = 0.7
    """Weight of a teacher's answers beside the labels (Hinton et al., 2015), if there is one."""
    distil_temperature: float = 3.0
    """Both networks' logits are divided by it where they are compared."""
    distil_faces: DistilFaces = "changed"
    """What the teacher answers: every changed face in every step (Beyer et al., CVPR 2022), or
    each face once, as it is, before the first step, which costs a step no time."""
    coverage: float = 0.9
    """Share of validation faces that the abstention threshold leaves a label."""
    seed: int = 1

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name not in ("architecture", "distil_faces"):
                self._check(item.name, getattr(self, item.name))
        if self.batch < 1:
            raise ConfigError(f"batch is {self.batch}, expected 1 or more")
        if not 0 < self.coverage <= 1:
            raise ConfigError(f"coverage is {self.coverage}, expected more than 0 and at most 1")
        if self.distil_faces not in ("changed", "plain"):
            raise ConfigError(f"distil_faces {self.distil_faces!r}: choose changed or plain")
        if not self.distil_temperature:
            raise ConfigError("distil_temperature is 0, expected more")

    @staticmethod
    def _check(name: str, value: float) -> None:
        if not (math.isfinite(value) and value >= 0):
            raise ConfigError(f"{name} is {value}, expected 0 or more")
        if name in SHARES and (value > 1 or (value == 1 and name in LESS)):
            bound = "less than 1" if name in LESS else "at most 1"
            raise ConfigError(f"{name} is {value}, expected {bound}")

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """The inverse of `to_json`; raises CheckpointError on unknown or missing keys."""
        try:
            return cls(
                **{**ADDED_LATER, **data, "architecture": Architecture(**data["architecture"])}
            )
        except (TypeError, KeyError) as error:
            known = ", ".join(f.name for f in fields(cls))
            raise CheckpointError(f"recipe: {error}; known keys: {known}") from error

"""What `edge-fer convert` was asked for; light, so that a wrong order is refused at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from converters.targets import Part, parts
from edge_fer.errors import ConfigError
from edge_fer.storage import prove_folder
from edge_fer.training.checkpoint import SHIPPED

FEWEST = 50
"""Calibration faces below which INT8 ranges are guesswork."""
DEFAULT_COUNT = 300
"""NNCF's own default."""
MAX_DROP = 0.01
"""One percentage point."""


@dataclass(frozen=True, slots=True)
class Order:
    """One checkpoint and what to make of it; raises ConfigError naming what cannot be."""

    checkpoint: Path = SHIPPED
    precisions: tuple[str, ...] = ("int8",)
    """Empty: the target's own."""
    formats: tuple[str, ...] = ()
    """Empty: the target's, or TFLite and OpenVINO where no target is named."""
    target: str | None = None
    """A name in `converters.targets`."""
    data: str | None = None
    """Dataset spec; None takes the shipped faces and measures no accuracy."""
    samples: int = DEFAULT_COUNT
    seed: int = 0
    out: Path = Path("bundles")
    max_drop: float = MAX_DROP
    """As a share."""
    jobs: int = 1
    """Bundles drafted at the same time."""

    def __post_init__(self) -> None:
        parts(self.target, self.formats, self.precisions)
        if not 0 <= self.max_drop <= 1:
            raise ConfigError(f"max drop {100 * self.max_drop:g} points: give 0 to 100")
        if self.samples < FEWEST:
            raise ConfigError(f"--samples {self.samples}: INT8 ranges need at least {FEWEST} faces")
        prove_folder(self.out)
        if self.jobs < 1:
            raise ConfigError(f"--jobs {self.jobs}: give 1 or more")
        if self.seed < 0:
            raise ConfigError(f"--seed {self.seed}: give 0 or more")

    @property
    def parts(self) -> list[Part]:
        """Each bundle's format and precision."""
        return parts(self.target, self.formats, self.precisions)

    @property
    def quantizes(self) -> bool:
        """Whether calibration is needed."""
        return any(precision == "int8" for _, precision in self.parts)

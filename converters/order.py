"""What `edge-fer convert` was asked for; light, so that a wrong order is refused at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_fer.bundle import FORMATS
from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import SHIPPED

FEWEST = 50
"""Calibration faces below which INT8 ranges are guesswork."""
DEFAULT_COUNT = 300
"""NNCF's own default."""
MAX_DROP = 0.01
"""One percentage point."""


@dataclass(frozen=True, slots=True)
class Order:
    """One checkpoint, one precision, some formats; raises ConfigError naming what cannot be."""

    checkpoint: Path = SHIPPED
    precision: str = "int8"
    formats: tuple[str, ...] = FORMATS
    data: str | None = None
    """Dataset spec; None takes the shipped faces and measures no accuracy."""
    samples: int = DEFAULT_COUNT
    seed: int = 0
    out: Path = Path("bundles")
    max_drop: float = MAX_DROP
    """As a share."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown:
            raise ConfigError(f"unknown format {unknown[0]!r}: choose from {', '.join(FORMATS)}")
        if not 0 <= self.max_drop <= 1:
            raise ConfigError(f"max drop {100 * self.max_drop:g} points: give 0 to 100")
        if self.samples < FEWEST:
            raise ConfigError(f"--samples {self.samples}: INT8 ranges need at least {FEWEST} faces")
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"--out {self.out}: is a file; name a folder")
        if self.seed < 0:
            raise ConfigError(f"--seed {self.seed}: give 0 or more")

"""What a sink may know of the daemon around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_fer.config import RunConfig
from edge_fer.telemetry.metrics import Metrics
from edge_fer.telemetry.thermal import Thermometer


@dataclass(slots=True)
class Setting:
    """Handed to every sink as it is opened."""

    config: RunConfig = field(default_factory=RunConfig)
    """What the daemon was told; another one after a reload."""
    metrics: Metrics = field(default_factory=Metrics)
    """What it counts."""
    thermometer: Thermometer | None = None
    """The daemon's own; a sink without one brings its own."""
    enabled: bool = True
    """False once somebody has asked a sink for a pause, which outlives that sink."""

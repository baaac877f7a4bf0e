"""From a detector's own box to the square that a FER2013 crop would cover."""

from __future__ import annotations

from dataclasses import dataclass

from edge_fer.types import Box


@dataclass(frozen=True, slots=True)
class Placing:
    """How a detector's box lies relative to a FER2013 crop, as measured."""

    scale: float
    """Side of the crop, in widths of the detector's box."""
    down: float
    """Centre of the crop below the centre of the detector's box, in widths of that box."""

    def box(self, centre_x: float, centre_y: float, width: float) -> Box:
        """The square for a detector's box; all in pixels."""
        side = max(round(width * self.scale), 1)
        left = round(centre_x - side / 2)
        top = round(centre_y + width * self.down - side / 2)
        return Box(left, top, left + side, top + side)

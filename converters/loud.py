"""Odd faces that must not set a range: those far over all others in some tensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOUD = 4.0
"""Times the median face's peak, in any tensor, beyond which a face is left out of calibration.

Over 300 FER2013 training faces this measure has its median at 1.6, its 90th percentile at 4.0 and
its 99th at 13; the two faces that ruined a plain INT8 conversion lay at 60 and 190. Ranges are
taken near the extremes of what is left, so the limit is strict: a tenth of the faces go.
"""


def loud_faces(peaks: NDArray[np.float32]) -> list[int]:
    """Faces that would stretch ranges for all others, of (N, T) largest magnitudes."""
    loudness = (peaks / np.maximum(np.median(peaks, axis=0), 1e-6)).max(axis=1)
    return [int(i) for i in np.flatnonzero(loudness > LOUD)]

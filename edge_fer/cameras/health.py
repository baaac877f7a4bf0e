"""What a camera's pictures say about the camera: frozen, dark, obstructed, or well.

All is decided on the frames' own monotonic stamps, so a slow consumer changes nothing.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge_fer.types import Frame, Image

FROZEN_S, FROZEN_FRAMES = 5.0, 30
"""The same bytes for so long and so often: a sensor's noise never repeats."""
BAD_S = 10.0
"""A lamp that fails, a hand before the lens: for so long it is nobody's business."""
EXAMINE_S = 0.5
"""Between two looks at brightness and sharpness."""
STEP = 8
"""Every eighth row, and for brightness every eighth column, say enough."""
DARK = 32
"""Of 255: in the dark 99 of 100 pixels are under it."""
FLAT = 6.0
"""Standard deviation of a picture that shows nothing: a cap, a hand, a wall of fog."""
USUAL_S = 120.0
"""Time constant of what a camera usually shows; longer than any hand, shorter than an evening."""
LEAST_KNOWN_S = 30.0
"""Of pictures seen before one may be called less sharp than usual."""
BLURRED = 0.1
"""Share of the usual sharpness under which a lens is out of focus or misted."""
LEAST_SHARP = 5.0
"""A camera that usually shows fewer edges than this cannot be judged by them."""
MEANINGS = {
    "ok": "gives frames again",
    "frozen": "the picture does not change; opening it again, once",
    "dark": "there is no light",
    "obstructed": "the lens is covered or out of focus",
    "disabled": "switched off",
}
"""What a state means to the one who reads the log."""


class Health:
    """Follows one camera's pictures, over its reopenings too."""

    def __init__(self) -> None:
        self._last: Image | None = None
        self._same_since, self._same_frames = 0.0, 0
        self._examined = -math.inf
        self._fault, self._fault_since, self._ill = "", 0.0, False
        self._usual, self._known_s = 0.0, 0.0
        self._size: tuple[int, ...] = ()

    def state(self, frame: Frame, *, moves: bool) -> str:
        """`ok`, `frozen`, `dark` or `obstructed`; `moves`: pictures of this camera never repeat."""
        if frame.captured - self._examined >= EXAMINE_S:
            self._examine(frame)
        # In full darkness the bytes repeat too, and to open the camera again would not help.
        if moves and self._frozen(frame) and not self._fault:
            return "frozen"
        lasted = frame.captured - self._fault_since
        self._ill = bool(self._fault) and lasted >= BAD_S
        return self._fault if self._ill else "ok"

    def begin(self) -> None:
        """The camera was opened: seconds in which it gave nothing were not dark ones."""
        if not self._ill:
            self._fault = ""

    def _frozen(self, frame: Frame) -> bool:
        image, before = frame.image, self._last
        self._last = image
        if before is None or not _same(image, before):
            self._same_since, self._same_frames = frame.captured, 1
            return False
        self._same_frames += 1
        lasted = frame.captured - self._same_since
        return lasted >= FROZEN_S and self._same_frames >= FROZEN_FRAMES

    def _examine(self, frame: Frame) -> None:
        since, self._examined = frame.captured - self._examined, frame.captured
        rows = cv2.cvtColor(np.ascontiguousarray(frame.image[::STEP]), cv2.COLOR_BGR2GRAY)
        sharp = _sharpness(rows)
        if self._size != frame.image.shape:
            self._size, self._usual, self._known_s = frame.image.shape, 0.0, 0.0
        fault = self._fault_of(rows[:, ::STEP], sharp)
        if fault != self._fault:
            self._fault, self._fault_since = fault, frame.captured
        if not fault:
            self._get_used_to(sharp, since)

    def _fault_of(self, pixels: Image, sharp: float) -> str:
        if np.percentile(pixels, 99) < DARK:
            return "dark"
        known = self._known_s >= LEAST_KNOWN_S and self._usual >= LEAST_SHARP
        blurred = known and sharp < BLURRED * self._usual
        return "obstructed" if blurred or pixels.std() < FLAT else ""

    def _get_used_to(self, sharp: float, since: float) -> None:
        since = since if since <= BAD_S else 0.0  # a gap teaches nothing
        share = 1 - math.exp(-since / USUAL_S) if self._known_s else 1.0
        self._usual += share * (sharp - self._usual)
        self._known_s += since


def _same(image: Image, before: Image) -> bool:
    """Every byte equal; a few rows decide nearly always."""
    if image.shape != before.shape or not np.array_equal(image[::64], before[::64]):
        return False
    return np.array_equal(image, before)


def _sharpness(rows: Image) -> float:
    """How far the sharpest edges along rows stand out of the noise; about 0 where there are none.

    Bends of brightness between groups of four pixels: a defocused edge hardly bends. Of noise alone
    the 99th percentile is 3.82 times the median (both of a half-normal distribution).
    """
    width = rows.shape[1] // 4 * 4
    if width < 12:
        return 0.0
    means = rows[:, :width].reshape(len(rows), -1, 4).mean(2, dtype=np.float32)
    bends = np.abs(means[:, 2:] - 2 * means[:, 1:-1] + means[:, :-2])
    usual, high = np.percentile(bends, (50, 99))
    return max(float(high - 3.82 * usual), 0.0)

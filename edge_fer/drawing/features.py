"""The parts of a drawn face, from back to front."""

from __future__ import annotations

import numpy as np

from edge_fer.drawing.canvas import Canvas, Colour, Floats, curve, ellipse, moved, shade
from edge_fer.drawing.people import Look, Person

INK: Colour = (26, 24, 32)
WHITE: Colour = (222, 226, 230)
SIDES = (-1.0, 1.0)
"""Left and right in the picture."""
EYE_Y = -0.24
MOUTH_Y = 0.56
TOP = -1.28
"""Crown of the head."""


def draw_head(canvas: Canvas, who: Person, look: Look) -> None:
    """Head and shoulders."""
    if who.style == "long":
        canvas.fill(_mane(who), shade(who.hair, 0.75), soft=0.02)
    _body(canvas, who)
    _skin(canvas, who, look)
    if who.beard:
        _beard(canvas, who, look)
    _folds(canvas, who, look)
    for side in SIDES:
        _eye(canvas, who, look, side)
        _brow(canvas, who, look, side)
    _nose(canvas, who, look)
    _mouth(canvas, who, look)
    _hair(canvas, who)


def outline(who: Person, look: Look, shrink: float = 1.0) -> Floats:
    """The edge of the face: a superellipse whose lower half narrows to the chin."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x = who.width * np.sign(cos) * np.abs(cos) ** (2 / who.jaw)
    y = np.sign(sin) * np.abs(sin) ** (2 / 2.1)
    x *= 1 - 0.20 * np.clip(y, 0, 1) ** 1.5
    chin = 1.0 + 0.10 * look.gap + 0.04
    middle = -0.12
    y = middle + np.where(y > 0, y * (chin - middle), y * (middle - TOP))
    return np.stack([x * shrink, middle + (y - middle) * shrink], axis=1)


def _body(canvas: Canvas, who: Person) -> None:
    neck = curve((-0.42, 0.5), (-0.44, 1.2), (-0.6, 1.5), (0.6, 1.5), (0.44, 1.2), (0.42, 0.5))
    shoulders = curve(
        (-2.1, 6.0), (-1.95, 2.0), (-1.5, 1.55), (-0.5, 1.3), (0, 1.55),
        (0.5, 1.3), (1.5, 1.55), (1.95, 2.0), (2.1, 6.0),
    )  # fmt: skip
    canvas.fill(neck, shade(who.skin, 0.72), soft=0.02)
    canvas.fill(ellipse(0, 1.0, 0.5, 0.22), shade(who.skin, 0.45), 0.6, 0.08, within=neck)
    canvas.fill(shoulders, who.shirt)
    canvas.fill(ellipse(-0.3 * who.light, 1.75, 1.3, 0.25), shade(who.shirt, 1.3), 0.4, 0.15)


def _skin(canvas: Canvas, who: Person, look: Look) -> None:
    face = outline(who, look)
    for side in SIDES:
        canvas.fill(
            ellipse(side * (who.width + 0.02), -0.1, 0.09, 0.2), shade(who.skin, 0.75), 1, 0.01
        )
    canvas.fill(face, shade(who.skin, 0.70), soft=0.012)
    lit = moved(outline(who, look, 0.86), 0.10 * who.light, -0.02)
    canvas.fill(lit, who.skin, 1.0, 0.13, within=face)
    canvas.fill(ellipse(0.12 * who.light, -0.78, 0.42, 0.22), shade(who.skin, 1.15), 0.5, 0.14)
    for side in SIDES:
        glow = 0.35 + 0.15 * side * who.light
        cheek = ellipse(side * 0.40, 0.16 - 0.06 * look.squint, 0.17, 0.13)
        canvas.fill(cheek, shade(who.skin, 1.15), glow, 0.08)
        blush = (who.skin[0] * 0.82, who.skin[1] * 0.84, who.skin[2])
        canvas.fill(ellipse(side * 0.45, 0.25, 0.17, 0.13), blush, 0.4, 0.1)
    canvas.fill(ellipse(0, 0.90 + 0.08 * look.gap, 0.18, 0.09), shade(who.skin, 1.12), 0.4, 0.06)


def _folds(canvas: Canvas, who: Person, look: Look) -> None:
    """Lines that a movement leaves in the skin, and the shadows under the brows."""
    dark = shade(who.skin, 0.55)
    for side in SIDES:
        socket = ellipse(side * who.eyes, EYE_Y - 0.05, 0.24, 0.13)
        canvas.fill(socket, shade(who.skin, 0.55), 0.5, 0.07)
        smile = max(look.corners, 0) + 0.7 * look.wrinkle
        fold = curve((side * 0.20, 0.22), (side * 0.34, 0.34), (side * (0.40 + 0.08 * smile), 0.58))
        canvas.line(fold, 0.035, dark, 0.18 + 0.5 * smile)
        if look.frown > 0:
            crease = curve((side * 0.06, -0.62), (side * 0.045, -0.5), (side * 0.07, -0.38))
            canvas.line(crease, 0.03, dark, 0.7 * look.frown)
        if look.wrinkle > 0:
            for y in (-0.28, -0.20, -0.12):
                across = curve((0, y + 0.02), (side * 0.06, y - 0.01), (side * 0.13, y + 0.06))
                canvas.line(across, 0.025, dark, 0.7 * look.wrinkle)
    lift = max(look.brow_inner, 0) * (1 - 0.3 * look.frown)
    for y in (-0.92, -0.80):
        canvas.line(curve((-0.4, y), (0, y - 0.05), (0.4, y)), 0.025, dark, 0.45 * lift)


def _eye(canvas: Canvas, who: Person, look: Look, side: float) -> None:
    x, half = side * who.eyes, who.eye
    above = 0.085 + 0.055 * look.lids - 0.02 * look.squint
    below = 0.055 - 0.04 * look.squint + 0.012 * look.lids
    inner, outer = x - side * half, x + side * half
    tilt = 0.02 + 0.035 * look.lids * (look.lids < 0)
    upper = curve(
        (inner, EYE_Y + 0.02), (x - side * half * 0.55, EYE_Y - above * 1.25),
        (x + side * half * 0.45, EYE_Y - above * 1.35), (outer, EYE_Y - tilt),
    )  # fmt: skip
    lower = curve((outer, EYE_Y - tilt), (x, EYE_Y + below * 1.9), (inner, EYE_Y + 0.02))
    slit = np.concatenate([upper, lower])
    canvas.fill(slit, WHITE, 0.95, 0.006)
    iris = ellipse(x, EYE_Y - 0.025, 0.088, 0.088)
    canvas.fill(iris, who.iris, 1.0, 0.006, within=slit)
    canvas.fill(ellipse(x, EYE_Y - 0.025, 0.045, 0.045), INK, 1.0, 0.006, within=slit)
    canvas.fill(ellipse(x + 0.03, EYE_Y - 0.06, 0.018, 0.018), (250, 250, 250), 0.9, within=slit)
    canvas.fill(moved(upper, 0, 0.02), INK, 0.35, 0.02, within=slit)
    canvas.line(upper, 0.045, INK, 0.95)
    canvas.line(lower, 0.022, shade(who.skin, 0.45), 0.75)
    if look.lids < 0.6:
        canvas.line(moved(upper, 0, -0.055), 0.025, shade(who.skin, 0.5), 0.7)
    bag = curve(
        (inner, EYE_Y + 0.10), (x, EYE_Y + 0.17 - 0.04 * look.squint), (outer, EYE_Y + 0.08)
    )
    canvas.line(bag, 0.03, shade(who.skin, 0.6), 0.25 + 0.45 * max(look.squint, 0))


def _brow(canvas: Canvas, who: Person, look: Look, side: float) -> None:
    y = -0.50 - 0.05 * max(look.lids, 0)
    inner = (side * (0.16 - 0.06 * look.frown), y + 0.03 - 0.14 * look.brow_inner)
    middle = (side * 0.40, y - 0.05 - 0.06 * (look.brow_inner + look.brow_outer))
    outer = (side * 0.62, y + 0.04 - 0.14 * look.brow_outer)
    start = (side * 0.28, (inner[1] + middle[1]) / 2)
    hair = shade(who.hair, 0.9) if sum(who.hair) < 300 else shade(who.hair, 0.65)
    canvas.line(curve(inner, start, middle, outer), who.brow * 2, hair, 0.9)


def _nose(canvas: Canvas, who: Person, look: Look) -> None:
    up, w = 0.05 * look.wrinkle, who.nose * (1 + 0.12 * look.wrinkle + 0.08 * max(look.corners, 0))
    dark = shade(who.skin, 0.6)
    for side in SIDES:
        flank = curve((side * 0.10, -0.30), (side * 0.07, -0.1), (side * w * 0.9, 0.2 - up))
        canvas.line(flank, 0.07, dark, 0.30 - 0.18 * side * who.light)
        wing = curve(
            (side * w, 0.13 - up), (side * w * 1.22, 0.22 - up), (side * w * 0.85, 0.29 - up)
        )
        canvas.line(wing, 0.035, shade(who.skin, 0.5), 0.75)
        nostril = ellipse(side * w * 0.52, 0.275 - up, w * 0.30, 0.028)
        canvas.fill(nostril, shade(who.skin, 0.22), 0.9, 0.012)
    canvas.fill(ellipse(0, 0.33, w * 0.9, 0.04), dark, 0.5, 0.03)
    canvas.fill(ellipse(0.02 * who.light, 0.0, 0.045, 0.24), shade(who.skin, 1.22), 0.5, 0.03)
    canvas.fill(ellipse(0.03 * who.light, 0.19 - up, 0.07, 0.06), shade(who.skin, 1.25), 0.5, 0.03)


def _mouth(canvas: Canvas, who: Person, look: Look) -> None:
    along = np.linspace(-1, 1, 33)
    half = who.mouth * (1 + 0.42 * look.stretch)
    x = along * half
    # Corners rise or fall, the middle goes the other way a little.
    middle = MOUTH_Y + 0.15 * look.corners * (0.35 - along**2) - 0.06 * look.wrinkle
    swell = np.clip(1 - along**2, 0, 1) ** (0.55 + 0.15 * max(look.stretch, 0))
    raised = 0.35 + 0.35 * max(look.corners, 0)
    upper = middle - 0.36 * look.gap * swell * (1 - raised) - 0.05 * look.wrinkle * swell
    lower = middle + 0.40 * look.gap * swell * (0.5 + raised * 0.6)
    thick = who.lips * (1 - 0.6 * look.press) * (1 - 0.25 * max(look.corners, 0))
    bow = swell * (1 - 0.25 * np.exp(-((along / 0.18) ** 2)))
    rim_up, rim_low = upper - thick * bow, lower + thick * 1.35 * swell
    lip = (who.skin[0] * 0.62, who.skin[1] * 0.58, who.skin[2] * 0.82)
    canvas.fill(
        ellipse(0, float(rim_low.max()) + 0.06, half * 0.6, 0.04), shade(who.skin, 0.6), 0.45, 0.04
    )
    canvas.fill(_between(x, rim_up, upper), shade(lip, 0.82), 0.9, 0.012)
    canvas.fill(_between(x, lower, rim_low), lip, 0.9, 0.012)
    canvas.fill(
        ellipse(0, float((lower + rim_low)[16]) / 2, half * 0.4, 0.02), shade(lip, 1.3), 0.5, 0.02
    )
    if look.gap + look.wrinkle > 0.05:
        _inside(canvas, look, x, upper, lower)
    canvas.line(np.stack([x, middle if look.gap < 0.05 else upper], axis=1), 0.035, INK, 0.8)
    for side in SIDES:
        corner = ellipse(side * half * 1.02, float(middle[0]), 0.035, 0.035)
        canvas.fill(corner, shade(who.skin, 0.35), 0.6, 0.02)


def _inside(canvas: Canvas, look: Look, x: Floats, upper: Floats, lower: Floats) -> None:
    """The open mouth: dark, with teeth above and the tongue below."""
    opening = _between(x, upper, lower)
    canvas.fill(opening, (30, 22, 52), 1.0, 0.008)
    deep = float((lower - upper).max())
    canvas.fill(
        ellipse(0, float(lower.max()), 0.6 * x[-1], 0.4 * deep), (84, 78, 150), 0.7, 0.03, opening
    )
    if look.teeth > 0:
        row = upper + np.minimum((lower - upper) * 0.75, 0.13) * min(look.teeth * 1.3, 1)
        canvas.fill(_between(x * 0.94, upper, row), WHITE, 0.93, 0.008, within=opening)
    if look.stretch > 0.3 and look.corners < 0:
        canvas.fill(
            _between(x * 0.8, lower - 0.3 * (lower - upper), lower), WHITE, 0.8, 0.008, opening
        )


def _between(x: Floats, above: Floats, below: Floats) -> Floats:
    """The closed shape between two lines over the same x."""
    down, back = np.stack([x, above], axis=1), np.stack([x, below], axis=1)[::-1]
    return np.concatenate([down, back])


def _beard(canvas: Canvas, who: Person, look: Look) -> None:
    face = outline(who, look)
    chin = curve(
        (-0.8, 0.1),
        (-0.62, 0.55),
        (-0.3, 0.42),
        (0.3, 0.42),
        (0.62, 0.55),
        (0.8, 0.1),
        (0.8, 1.3),
        (-0.8, 1.3),
    )
    canvas.fill(chin, shade(who.hair, 0.9), 0.6, 0.06, within=face)


def _mane(who: Person) -> Floats:
    """Long hair, behind the head."""
    w = who.width
    return curve(
        (-w - 0.1, 1.7), (-w - 0.4, 0.6), (-w - 0.25, -0.9), (-0.5, -1.65), (0.5, -1.65),
        (w + 0.25, -0.9), (w + 0.4, 0.6), (w + 0.1, 1.7),
    )  # fmt: skip


def _hair(canvas: Canvas, who: Person) -> None:
    if who.style == "bald":
        return
    w, line = who.width, {"short": -0.98, "long": -1.0, "fringe": -0.72}[who.style]
    side = {"short": -0.45, "long": 0.25, "fringe": -0.25}[who.style]
    cap = curve(
        (-w - 0.02, side), (-w - 0.14, -0.6), (-w + 0.02, -1.3), (-0.35, -1.6), (0.35, -1.6),
        (w - 0.02, -1.3), (w + 0.14, -0.6), (w + 0.02, side), (w - 0.06, -0.55),
        (w - 0.16, line + 0.12),
        (0.3, line - 0.06), (0.1 * np.sign(who.light), line), (-0.3, line - 0.06),
        (-w + 0.16, line + 0.12), (-w + 0.06, -0.55),
    )  # fmt: skip
    canvas.fill(moved(cap, 0, 0.04), shade(who.skin, 0.5), 0.5, 0.04, within=outline(who, Look()))
    canvas.fill(cap, who.hair, 1.0, 0.02)
    shine = curve((-0.5, -1.2), (0.1 * who.light, -1.38), (0.5, -1.2))
    canvas.line(shine, 0.16, shade(who.hair, 1.7), 0.35)

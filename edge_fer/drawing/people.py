"""Who is drawn and what the face does: persons by number, expressions as muscle movements."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from edge_fer.drawing.canvas import Colour
from edge_fer.emotions import Emotion

SKINS: tuple[Colour, ...] = (
    (168, 194, 232), (150, 180, 224), (128, 160, 208),
    (104, 138, 190), (80, 110, 160), (62, 84, 124),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (22, 22, 26),
    (30, 42, 62),
    (40, 66, 104),
    (88, 132, 172),
    (130, 132, 136),
)
SHIRTS: tuple[Colour, ...] = (
    (120, 70, 40),
    (60, 60, 130),
    (70, 100, 60),
    (150, 150, 155),
    (50, 45, 45),
)
STYLES = ("short", "long", "fringe", "bald")


@dataclass(frozen=True, slots=True)
class Look:
    """What muscles do to a face; the names follow Ekman's action units, 0 is at rest."""

    brow_inner: float = 0.0
    """Inner end of the brows up (1), down (-1): AU1, AU4."""
    brow_outer: float = 0.0
    """Outer end of the brows up: AU2."""
    frown: float = 0.0
    """Brows drawn together, with folds between: AU4."""
    lids: float = 0.0
    """Upper lids raised (1) or drooping (-1): AU5, AU43."""
    squint: float = 0.0
    """Lower lids and cheeks raised: AU6, AU7."""
    wrinkle: float = 0.0
    """Nose wrinkled, upper lip raised: AU9, AU10."""
    corners: float = 0.0
    """Corners of the mouth up (1), down (-1): AU12, AU15."""
    stretch: float = 0.0
    """Mouth wider (1), narrower (-1): AU20."""
    gap: float = 0.0
    """Mouth open, jaw dropped: AU25 to AU27."""
    teeth: float = 0.0
    """Upper teeth seen."""
    press: float = 0.0
    """Lips pressed thin: AU23, AU24."""


LOOKS = {
    Emotion.NEUTRAL: Look(),
    Emotion.HAPPY: Look(0.1, 0.15, 0, -0.1, 0.8, 0, 1.0, 0.75, 0.42, 1.0, 0.1),
    Emotion.SAD: Look(1.0, -0.35, 0.35, -0.55, 0.1, 0, -1.0, -0.1, 0, 0, 0.0),
    Emotion.SURPRISE: Look(1.0, 1.0, 0, 1.0, -0.1, 0, -0.05, -0.5, 1.0, 0.15, 0.2),
    Emotion.FEAR: Look(0.95, 0.35, 0.6, 0.95, 0.1, 0, -0.6, 0.7, 0.42, 0.8, 0.3),
    Emotion.DISGUST: Look(-0.6, -0.2, 0.6, -0.6, 0.8, 1.0, -0.7, -0.05, 0.16, 0.7, 0.0),
    Emotion.ANGER: Look(-1.0, 0.35, 1.0, 0.25, 0.45, 0.25, -0.45, 0.05, 0, 0, 0.8),
}


def look_of(emotion: Emotion, intensity: float) -> Look:
    """The movements of an expression; intensity 0 (at rest) to 1."""
    return Look(*(value * intensity for value in astuple(LOOKS[emotion])))


@dataclass(frozen=True, slots=True)
class Person:
    """What stays the same in all pictures of one drawn person."""

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    style: str
    """One of STYLES."""
    width: float
    """Half the width of the face."""
    jaw: float
    """Exponent of the outline: 2 is an oval, more is squarer."""
    eyes: float
    """Distance of an eye from the middle."""
    eye: float
    """Half the length of an eye."""
    brow: float
    """Thickness of the brows."""
    nose: float
    """Half the width of the nose."""
    lips: float
    """Thickness of the lips."""
    mouth: float
    """Half the width of the mouth."""
    light: float
    """Where the light comes from: -1 left, 1 right."""
    beard: bool


def person(seed: int) -> Person:
    """The person of a number."""
    rng = np.random.default_rng(seed)
    style = STYLES[rng.choice(4, p=(0.4, 0.3, 0.2, 0.1))]
    skin = SKINS[rng.integers(len(SKINS))]
    tint = rng.uniform(0.93, 1.07)
    return Person(
        skin=(skin[0] * tint, skin[1] * tint, skin[2] * tint),
        hair=HAIRS[rng.integers(len(HAIRS))],
        iris=((60, 80, 100), (40, 60, 90), (130, 110, 80), (90, 110, 90))[rng.integers(4)],
        shirt=SHIRTS[rng.integers(len(SHIRTS))],
        style=style,
        width=rng.uniform(0.76, 0.86),
        jaw=rng.uniform(2.1, 2.7),
        eyes=rng.uniform(0.34, 0.38),
        eye=rng.uniform(0.165, 0.19),
        brow=rng.uniform(0.035, 0.06),
        nose=rng.uniform(0.13, 0.18),
        lips=rng.uniform(0.065, 0.095),
        mouth=rng.uniform(0.27, 0.32),
        light=rng.uniform(-1, 1),
        beard=style in ("short", "bald") and bool(rng.random() < 0.25),
    )

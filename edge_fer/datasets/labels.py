"""Label names as collections of facial expressions spell them."""

from __future__ import annotations

from edge_fer.emotions import Emotion
from edge_fer.errors import BadData

NAMES = {e.label: e for e in Emotion} | {
    "angry": Emotion.ANGER,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
    "fearful": Emotion.FEAR,
    "disgusted": Emotion.DISGUST,
}


def emotion_named(name: str, where: str) -> Emotion:
    """The expression of a label, in any case; raises BadData naming the place."""
    emotion = NAMES.get(name.strip().lower())
    if emotion is None:
        raise BadData(f"{where}: unknown label {name!r}; known: {', '.join(sorted(NAMES))}")
    return emotion

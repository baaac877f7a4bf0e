"""The seven expressions, in AffectNet's order: the only place where labels are written."""

from enum import IntEnum


class Emotion(IntEnum):
    """A facial expression as worn by a face, never an emotion felt by a person.

    Order: AffectNet expressions 0 to 6 (Mollahosseini et al., IEEE TAC 2019).
    """

    NEUTRAL = 0
    HAPPY = 1
    SAD = 2
    SURPRISE = 3
    FEAR = 4
    DISGUST = 5
    ANGER = 6

    @property
    def label(self) -> str:
        """The lower-case name used in files and events."""
        return self.name.lower()


LABELS: tuple[str, ...] = tuple(emotion.label for emotion in Emotion)
UNCERTAIN = "uncertain"
"""What is said instead of a label when the model abstains."""

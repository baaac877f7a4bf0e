"""Several datasets as one: `affectnet:PATH+empathic:PATH`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from edge_fer.protocols import Dataset
from edge_fer.types import Sample


class Joined:
    """The faces of its parts, one part after the other.

    Sources and subjects are prefixed by their part, such as `2-empathic/`: subject 7 of one
    collection is nobody in another.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.name = "+".join(part.name for part in parts)
        self.parts = tuple(parts)

    @property
    def dropped(self) -> dict[str, Counter[str]]:
        """Rows left out of the splits read so far, by reason."""
        total: dict[str, Counter[str]] = {}
        for part in self.parts:
            for split, reasons in getattr(part, "dropped", {}).items():
                total.setdefault(split, Counter()).update(reasons)
        return total

    @property
    def origins(self) -> dict[str, str]:
        """Whose split each is, part by part where they tell."""
        told = [getattr(part, "origins", {}) for part in self.parts]
        splits = {split for origins in told for split in origins}
        known = {split: [o[split] for o in told if split in o] for split in splits}
        return {split: "; ".join(dict.fromkeys(origins)) for split, origins in known.items()}

    def samples(self, split: str) -> Sequence[Sample]:
        """The faces of that split of every part."""
        return [
            _prefixed(sample, f"{number}-{part.name.partition(':')[0]}/")
            for number, part in enumerate(self.parts, start=1)
            for sample in part.samples(split)
        ]


def _prefixed(sample: Sample, prefix: str) -> Sample:
    group = None if sample.group is None else prefix + sample.group
    return replace(sample, source=prefix + sample.source, group=group)

"""The large collection without the faces that the small one tests on; looked for once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from edge_fer.datasets import list_hash
from edge_fer.errors import CheckpointError
from edge_fer.progress import Progress
from edge_fer.storage import write_file
from edge_fer.training.pool import alike_groups
from edge_fer.types import Sample

NAME = "left_out.json"


def clean(
    large: Sequence[Sample], small: Sequence[Sample], out: Path, where: str, progress: Progress
) -> list[Sample]:
    """The large collection's faces that neither equal nor resemble one of the small's.

    Which they are is kept in `left_out.json` in `out`. Raises BadData where a face cannot be read,
    and CheckpointError where the file belongs to other faces.
    """
    identity = {"large": list_hash(large), "small": list_hash(small)}
    gone = _known(out / NAME, identity)
    if gone is None:
        gone = _alike(large, small, where, progress)
        record = {"faces": len(large), "identity": identity, "left_out": gone}
        write_file(out / NAME, (json.dumps(record) + "\n").encode())
    left = set(gone)
    return [sample for position, sample in enumerate(large) if position not in left]


def count(out: Path) -> int:
    """How many faces of the large collection were left out."""
    return len(json.loads((out / NAME).read_text())["left_out"])


def _alike(
    large: Sequence[Sample], small: Sequence[Sample], where: str, progress: Progress
) -> list[int]:
    """Positions in `large`."""
    first = len(small)
    groups = alike_groups([*small, *large], where, progress)
    shared = (group for group in groups if group[0] < first)
    return sorted(i - first for group in shared for i in group if i >= first)


def _known(file: Path, identity: dict[str, str]) -> list[int] | None:
    try:
        record = json.loads(file.read_text())
        if record["identity"] == identity:
            return [int(i) for i in record["left_out"]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file}: cannot be read ({error}); remove it") from error
    raise CheckpointError(f"{file}: of other collections; choose another --out")

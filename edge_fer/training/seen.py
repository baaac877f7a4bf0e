"""What initial weights and a teacher learnt from before: folds must not test them on it again."""

from __future__ import annotations

from pathlib import Path

from edge_fer.datasets.faces import schemes
from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.lineage import Run, lineage

UNKNOWN = "data that its record does not tell"

Seen = dict[str, list[str]]
"""`--init` or `--teacher` to the kinds of data that it learnt from and that are tested."""


def seen_by(checkpoint: Checkpoint) -> list[str]:
    """The kinds of data, such as `fer2013`, that a checkpoint and those before it learnt from."""
    runs = lineage(checkpoint)
    found = {kind for run in runs for kind in _learnt(run)}
    if "checkpoint" in str(runs[0].get("init")):  # of an earlier version: no word of that one
        found.add(UNKNOWN)
    return sorted(found)


def _learnt(run: Run) -> list[str]:
    spec = (run.get("train") or {}).get("spec", UNKNOWN)
    teacher = run.get("teacher")
    return [*spec.split("+"), *(teacher.get("seen", [UNKNOWN]) if teacher else [])]


def seen(init: str, teacher: Path | None, spec: str) -> Seen:
    """What the initial weights and the teacher learnt from that is of the kind of `spec`."""
    kinds = {*schemes(spec).split("+"), UNKNOWN}
    folders = {"--init": Path(init), "--teacher": teacher}
    shared = {
        option: [kind for kind in seen_by(Checkpoint.load(folder)) if kind in kinds]
        for option, folder in folders.items()
        if folder is not None and folder.is_dir()
    }
    return {option: found for option, found in shared.items() if found}


def require_unseen(init: str, teacher: Path | None, spec: str) -> None:
    """Raise ConfigError where what is tested may have been learnt from before."""
    for option, found in seen(init, teacher, spec).items():
        named = init if option == "--init" else teacher
        raise ConfigError(
            f"{option} {named}: learnt from {', '.join(found)}, maybe from faces that are tested; "
            "choose another, or add --allow-seen, of which the report will tell"
        )

"""The two tables of the peers: single faces, and whole frames of the clip."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cells import MISSING, NONE, Cell, Table, interval, maybe
from benchmarks.peers.clip import ClipFacts, Finds
from benchmarks.peers.results import PeerResult
from benchmarks.records import BUNDLE, Cost
from benchmarks.words import megabytes, number, percent, percent_range, points, points_range, times


def side_by_side(results: Sequence[PeerResult]) -> Table:
    """Those that were asked for single faces."""
    header = (
        "Package", "Accuracy", "Difference", "Macro-F1", "Times our p50", "p50", "p90",
        "Start", "Peak memory", "Installed",
    )  # fmt: skip
    caption = (
        "One face at a time on the same cores and faces, interleaved rounds; times in "
        "milliseconds. Differences are paired with the first row. Start is from the start of the "
        "process to its first answer."
    )
    rows = tuple(_row(r) for r in results if not r.failed)
    return Table("Side by side", caption, header, rows)


def watching(results: Sequence[PeerResult], clip: ClipFacts) -> Table:
    """Those that find faces too, each in its own way."""
    header = (
        "Package", "Faces found", "A frame", "Beside them", "Right of the found",
        "Right of all", "Times our p50", "p50", "p90", "Start", "Peak memory",
    )  # fmt: skip
    different = "" if clip.different is None else f" ({clip.different:,} different)"
    share = clip.faces / clip.frames
    caption = (
        f"{clip.frames} frames of {clip.width}x{clip.height}, {clip.name}: {clip.faces:,} "
        f"faces{different}, {share:.2f} a frame, known from {clip.counted_by}. Each package finds "
        "and names them in its own way, one frame at a time, in interleaved rounds over the same "
        "frames; times in milliseconds a frame. Who finds fewer has less to classify."
    )
    rows = tuple(_watched(r, share) for r in results if r.clip and not r.clip.failed)
    return Table("The same clip", caption, header, rows)


def absent(results: Sequence[PeerResult]) -> list[str]:
    """One line for each that was not run, or not on the clip."""
    lines = [f"{r.name}: {r.failed}" for r in results if r.failed]
    return lines + [
        f"{r.name} (clip): {r.clip.failed}" for r in results if r.clip and r.clip.failed
    ]


def _row(r: PeerResult) -> tuple[Cell, ...]:
    return (
        Cell(r.name),
        interval(r.accuracy, percent, percent_range),
        interval(r.difference, points, points_range) if r.difference else Cell("", "reference"),
        maybe(r.macro_f1, lambda f1: f"{f1:.3f}"),
        *_times(r.cost, r.speed),
        maybe(r.start_s, _seconds),
        Cell(megabytes(r.cost.peak_rss_bytes)) if r.cost else MISSING,
        _installed(r),
    )


def _installed(r: PeerResult) -> Cell:
    """Ours is weighed in an environment of its own, as a device has it."""
    if r.role == BUNDLE:
        return Cell("", "by `make test-device`")
    return maybe(r.installed_bytes, megabytes)


def _watched(r: PeerResult, share: float) -> tuple[Cell, ...]:
    assert r.clip
    finds, cost = r.clip.finds, r.clip.cost
    return (
        Cell(r.name),
        *(_finds(finds, share) if finds else (MISSING,) * 5),
        *_times(cost, r.clip.speed),
        maybe(r.clip.start_s, _seconds),
        Cell(megabytes(cost.peak_rss_bytes)) if cost else MISSING,
    )


def _finds(found: Finds, share: float) -> tuple[Cell, ...]:
    return (
        interval(found.found, percent, percent_range),
        Cell(f"{found.found.value * share:.2f}"),
        Cell(f"{found.beside:.2f}"),
        interval(found.right, percent, percent_range) if found.right else Cell("", "no labels"),
        interval(found.right_of_all, percent, percent_range) if found.right_of_all else NONE,
    )


def _times(cost: Cost | None, speed: float | None) -> tuple[Cell, ...]:
    if cost is None:
        return (MISSING,) * 3
    ratio = Cell("", "reference") if speed is None else Cell(times(speed))
    return (ratio, Cell(number(cost.p50_ms)), Cell(number(cost.p90_ms)))


def _seconds(taken: float) -> str:
    return f"{taken:.1f} s"

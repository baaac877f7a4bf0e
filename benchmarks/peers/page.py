"""The peers as one page: no script, no request, everything inside the file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.document import document, figure, opening, section
from benchmarks.page import legend
from benchmarks.peers.clip import ClipFacts
from benchmarks.peers.results import PeerResult
from benchmarks.peers.tables import absent, side_by_side, watching
from benchmarks.plots import crowded, trade
from benchmarks.records import BUNDLE, Cost, Result
from edge_fer.statistics import Interval


def page(
    title: str,
    line: str,
    notes: Sequence[str],
    results: Sequence[PeerResult],
    clip: ClipFacts,
    invalid: str | None = None,
) -> str:
    """A whole HTML document."""
    faces = [_as_result(r) for r in results]
    frames = [_on_clip(r) for r in results]
    drawn = [
        figure(name, said, trade(shown, unit) + legend(shown, crowded(shown)))
        for name, said, shown, unit in (
            ("Single faces", "Accuracy against the time for a face.", faces, "face"),
            ("The clip", "Faces found and named rightly, of all, against the time for a frame.",
             frames, "frame"),
        )
        if any(r.cost for r in shown)
    ]  # fmt: skip
    told = [f"<li>{escape(r.name)}: {escape(r.told)}</li>" for r in results if r.told]
    gone = [f"<li>{escape(one)}</li>" for one in absent(results)] or ["<li>none</li>"]
    body = [
        opening(title, line, notes, invalid),
        section(side_by_side(results)),
        section(watching(results, clip)),
        '<section><h2>Speed and accuracy</h2><p class="caption">Up and to the left is better. '
        f'Bars: 95 % interval, and p50 to p90.</p><div class="pair">{"".join(drawn)}</div>'
        "</section>",
        f'<section><h2>Notes</h2><ul class="told">{"".join(told)}</ul></section>',
        f'<section><h2>Not run</h2><ul class="told">{"".join(gone)}</ul></section>',
    ]
    return document(title, "\n".join(body))


def _as_result(r: PeerResult) -> Result:
    """As the plots know a subject."""
    if r.accuracy is None or r.cost is None:
        return Result(r.name, BUNDLE)
    return _drawn(r.name, r.cost, r.accuracy)


def _on_clip(r: PeerResult) -> Result:
    """Likewise; without labels there is no accuracy to draw."""
    clip = r.clip
    if clip is None or clip.cost is None or clip.finds is None or clip.finds.right_of_all is None:
        return Result(r.name, BUNDLE)
    return _drawn(r.name, clip.cost, clip.finds.right_of_all)


def _drawn(name: str, cost: Cost, share: Interval) -> Result:
    found = {"accuracy": share.value, "accuracy_95": (share.low, share.high)}
    return Result(name, BUNDLE, cost=cost, accuracy=found)

"""An inspection for a person, a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge_fer.inspection import Inspection


def lines(found: Inspection) -> list[str]:
    """What it is, what it holds, where it comes from, and what the gate said."""
    return [*_what(found), *_operators(found), *_provenance(found.manifest)]


def _what(found: Inspection) -> Iterator[str]:
    record = found.manifest
    yield f"{found.path}  {found.size_bytes / 1e6:.1f} MB"
    if record:
        yield (
            f"  {record.get('name')}: {record.get('format')} {record.get('precision')}, "
            f"faces of {record.get('input_size')} px"
        )
    yield f"  manifest: {found.source}"


def _operators(found: Inspection) -> Iterator[str]:
    for precision, counts in sorted(found.counts().items()):
        said = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        yield f"  {precision}: {said}"
    total = sum(operator.multiply_adds for operator in found.operators)
    yield f"  {total / 1e6:.1f} million multiply-adds a face, {found.int8_share:.1%} in INT8"


def _provenance(record: dict[str, Any]) -> Iterator[str]:
    if not record:
        return
    made, calibration = _dict(record, "made"), _dict(record, "calibration")
    gate = _dict(record, "gate")
    versions = ", ".join(f"{k} {v}" for k, v in made.items() if isinstance(v, str))
    yield f"  parent {str(record.get('parent'))[:12]}, made with {versions}"
    if calibration:
        yield (
            f"  calibrated on {calibration.get('used')} faces of {calibration.get('dataset')} "
            f"{calibration.get('split') or ''}".rstrip()
        )
    if gate:
        yield (
            f"  gate: {gate.get('verdict')}; agreement {_share(gate, 'agreement')}, accuracy "
            f"{_share(gate, 'child_accuracy')} (parent {_share(gate, 'parent_accuracy')}) "
            f"on {gate.get('faces')} faces"
        )


def _dict(record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _share(gate: dict[str, Any], key: str) -> str:
    figure = gate.get(key)
    value = figure.get("value") if isinstance(figure, dict) else None
    return f"{value:.2%}" if isinstance(value, float) else str(figure)

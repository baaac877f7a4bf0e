"""The pipeline's report: figures beside what is asked, as JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.pipeline_clip import Clip
from benchmarks.pipeline_daemon import Live, ages
from benchmarks.processes import Cost
from edge_fer.bundle import Bundle
from edge_fer.storage import write_file

SCHEMA = "edge-fer/pipeline/1"
MB = 1e6
RATIO, START_S, MEMORY_MB, GROWTH_MB = 1.15, 2.0, 220.0, 5.0
"""Asked at most: end to end over detector and engine; start; memory; growth of the shared size."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that was measured."""

    clip: Clip
    detector: str
    engine: str
    bundle: Bundle
    fps: float
    stages: Mapping[str, Any]
    live: Live
    starts_s: Sequence[float]
    long: Mapping[int, tuple[int, Cost]]
    mqtt: bool
    machine: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    asked: str
    measured: str
    passed: bool | None
    """None where nothing is asked."""


def document(asked: Asked) -> dict[str, Any]:
    """The report as plain values."""
    rows = list(_rows(asked))
    return {
        "schema": SCHEMA,
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "edge_fer": metadata.version("edge-fer"),
        "clip": _clip(asked.clip),
        "bundle": {"name": asked.bundle.manifest.name, "sha256": asked.bundle.sha256},
        "detector": asked.detector,
        "engine": asked.engine,
        "sinks": ["http", *(["mqtt"] if asked.mqtt else [])],
        "machine": dict(asked.machine),
        "rows": [
            {"name": row.name, "asked": row.asked, "measured": row.measured, "passed": row.passed}
            for row in rows
        ],
        "stages": dict(asked.stages),
        "passed": all(row.passed is not False for row in rows),
    }


def save(report: Mapping[str, Any], folder: Path) -> str:
    """Write both files; gives the Markdown. Raises StorageError."""
    text = "\n".join(_markdown(report)) + "\n"
    write_file(folder / "pipeline.json", json.dumps(report, indent=2).encode() + b"\n")
    write_file(folder / "pipeline.md", text.encode())
    return text


def _clip(clip: Clip) -> dict[str, Any]:
    height, width = clip.frames[0].shape[:2]
    return {
        "faces": clip.name,
        "frames": len(clip.frames),
        "size": f"{width}x{height}",
        "frames_by_faces": {str(n): clip.counts.count(n) for n in sorted(set(clip.counts))},
    }


def _rows(asked: Asked) -> Iterator[Row]:
    ratio = asked.stages["ratio"]
    yield Row(
        "end to end / (detector + engine)",
        f"<= {RATIO:.2f}",
        f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})",
        ratio["median"] <= RATIO,
    )
    yield from _age(asked)
    start = asked.starts_s[len(asked.starts_s) // 2]
    yield Row(
        f"process start to first prediction, median of {len(asked.starts_s)}",
        f"<= {START_S:.0f} s",
        f"{start:.2f} s ({asked.starts_s[0]:.2f} to {asked.starts_s[-1]:.2f})",
        start <= START_S,
    )
    yield from _memory(asked)
    yield from _growth(asked)


def _age(asked: Asked) -> Iterator[Row]:
    live, (p50, p99) = asked.live, ages(asked.live)
    inference = asked.stages["detector_and_engine_ms"]["p50"]
    limit = 2000 / asked.fps + inference
    yield Row(
        f"frame age p99 at {asked.fps:g} fps",
        f"<= {limit:.0f} ms (2 periods + 1 inference)",
        f"{p99:.0f} ms (p50 {p50:.0f})",
        p99 <= limit,
    )
    share = live.missed / max(live.analysed + live.missed, 1)
    yield Row(
        "frames left out", "", f"{live.missed} of {live.analysed + live.missed} ({share:.1%})", None
    )
    yield Row(
        "CPU",
        "",
        f"{live.cpu_share:.0%} of one core, {live.faces / live.analysed:.1f} faces a frame",
        None,
    )


def _memory(asked: Asked) -> Iterator[Row]:
    assert asked.live.cost is not None
    rss, pss = asked.live.cost.rss_bytes / MB, asked.live.cost.pss_bytes / MB
    on = "mqtt and http" if asked.mqtt else "http (no mosquitto here)"
    yield Row(
        f"RSS with {on}",
        f"<= {MEMORY_MB:.0f} MB",
        f"{rss:.0f} MB (PSS {pss:.0f})",
        rss <= MEMORY_MB,
    )


def _growth(asked: Asked) -> Iterator[Row]:
    (early, first), (late, last) = asked.long.values()
    grown = (last.pss_bytes - first.pss_bytes) / MB
    span = f"frames {early:,} to {late:,}, fast engine, real sinks"
    yield Row(
        f"PSS grown, {span}", f"<= {GROWTH_MB:.0f} MB", f"{grown:+.1f} MB", grown <= GROWTH_MB
    )
    for name, one, other in (
        ("descriptors", first.descriptors, last.descriptors),
        ("threads", first.threads, last.threads),
    ):
        yield Row(f"{name}, the same frames", "constant", f"{one} and {other}", one == other)


def _markdown(report: Mapping[str, Any]) -> Iterator[str]:
    clip, machine, stages = report["clip"], report["machine"], report["stages"]
    yield "# The daemon from camera to sink\n"
    yield (
        f"Made {report['made']} with edge-fer {report['edge_fer']}: "
        f"bundle {report['bundle']['name']}, {report['engine']}, detector {report['detector']}, "
        f"sinks {' and '.join(report['sinks'])}. {machine['cpu']}, {machine['cores_allowed']} "
        f"cores, load {machine['before']['load']} before and {machine['after']['load']} after. "
        f"Clip: {clip['frames']} frames of {clip['size']}, {clip['faces']}, "
        f"frames by number of faces {clip['frames_by_faces']}. For the ratio and the stages both "
        "sides detect in every frame; the running daemon may follow faces between detections.\n"
    )
    yield "| what | asked | measured | met |\n|---|---|---|---|"
    for row in report["rows"]:
        met = {True: "yes", False: "**no**", None: ""}[row["passed"]]
        yield f"| {row['name']} | {row['asked']} | {row['measured']} | {met} |"
    yield "\n| stage, ms a frame | p50 | p90 | p99 |\n|---|---:|---:|---:|"
    lines = {**stages["stages_ms"], "end to end": stages["end_to_end_ms"]}
    lines["detector + engine alone"] = stages["detector_and_engine_ms"]
    for name, values in lines.items():
        yield f"| {name} | {values['p50']:.2f} | {values['p90']:.2f} | {values['p99']:.2f} |"

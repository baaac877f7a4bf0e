"""The daemon from camera to sink: what every stage costs, and what is asked of the whole.

    python -m benchmarks.pipeline BUNDLE [--data fer2013:PATH | --camera video:CLIP] [--out FOLDER]

Or `edge-fer bench pipeline`. Writes pipeline.json and pipeline.md. Exit status 1 where something
asked was not met (`--report-only`: 0 all the same). `--quick` is a look, no proof.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import condition, facts
from benchmarks.pipeline_clip import Clip, composed, recorded
from benchmarks.pipeline_daemon import broker, free_port, run_live, run_long
from benchmarks.pipeline_parts import read_ahead
from benchmarks.pipeline_report import Asked, document, save
from benchmarks.pipeline_stages import measure, summary
from edge_fer.bundle import open_bundle
from edge_fer.cameras import open_camera
from edge_fer.detectors import default_detector, open_detector
from edge_fer.engines import open_engine
from edge_fer.errors import EdgeFerError
from edge_fer.plugins import split_spec

FPS = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    frames: int = 300
    rounds: int = 5
    fps: float = FPS
    seconds: float = 60.0
    starts: int = 5
    long: tuple[int, int] = (5_000, 100_000)


QUICK = Plan(frames=90, rounds=2, seconds=8.0, starts=2, long=(500, 3_000))


def pipeline(bundle: Path, data: str | None, camera: str | None, plan: Plan) -> dict[str, Any]:
    """The whole report as a document; raises EdgeFerError."""
    before, opened = condition(), open_bundle(bundle)
    name = default_detector()
    detector, engine = open_detector(name), open_engine(opened)
    clip = _clip(detector, data, camera, plan.frames)
    with TemporaryDirectory() as scratch, broker(Path(scratch)) as port:
        file = Path(scratch) / "clip.avi"
        clip.save(file, plan.fps)
        sinks = [f"http:{free_port()}"]
        sinks += [f"mqtt:host=127.0.0.1,port={port}"] if port is not None else []
        with read_ahead(str(file)) as captured:
            stages = measure(clip, opened, detector, engine, sinks, plan.rounds, captured)
        live = run_live(bundle, file, plan.fps, plan.seconds, port)
        starts = [run_live(bundle, file, plan.fps, 0.0, port, 0.0) for _ in range(plan.starts)]
        long = run_long(bundle, file, plan.long, port)
    asked = Asked(
        clip=clip,
        detector=name,
        engine=f"{engine.runtime}, {engine.precision}",
        bundle=opened,
        fps=plan.fps,
        stages=summary(stages),
        live=live,
        starts_s=sorted(one.first_prediction_s for one in starts),
        long=long,
        mqtt=port is not None,
        machine={**facts(), "before": before, "after": condition()},
    )
    return document(asked)


def _clip(detector: Any, data: str | None, camera: str | None, frames: int) -> Clip:
    if camera is None:
        return composed(detector, data, frames)
    with closing(open_camera(camera)) as opened:
        name = f"{split_spec(camera)[0]}:{Path(split_spec(camera)[1]).name}"
        return recorded(detector, (frame.image for frame in opened), name, frames)


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", help="faces for the clip, such as fer2013:PATH; else drawn ones")
    parser.add_argument("--camera", help="a clip of your own, video:FILE")
    parser.add_argument("--fps", type=float, default=FPS)
    parser.add_argument("--out", type=Path, default=Path("reports/pipeline"))
    parser.add_argument("--quick", action="store_true", help="a look, no proof")
    parser.add_argument("--report-only", action="store_true", help="exit with 0 whatever comes out")
    asked = parser.parse_args()
    plan = replace(QUICK if asked.quick else Plan(), fps=asked.fps)
    try:
        report = pipeline(asked.bundle, asked.data, asked.camera, plan)
        print(save(report, asked.out))
    except EdgeFerError as error:
        print(f"edge-fer: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    sys.exit(0 if report["passed"] or asked.report_only else 1)


if __name__ == "__main__":
    main()

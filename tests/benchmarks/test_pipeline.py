"""The benchmark of the daemon's pipeline: what it counts, and when it says no."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector, FakeEngine, face_at, fake_bundle

from benchmarks.pipeline_clip import Clip, composed, recorded
from benchmarks.pipeline_daemon import PROGRAM, Live, ages
from benchmarks.pipeline_parts import CLIP, FPS, PACE, endless, read_ahead
from benchmarks.pipeline_report import Asked, document, save
from benchmarks.pipeline_stages import STAGES, measure, summary
from benchmarks.processes import Cost, cost
from edge_fer.drawing import backdrop
from edge_fer.errors import BadData
from edge_fer.types import Face, Image

FRAMES = tuple(backdrop(48, 64, seed) for seed in range(12))
COST = Cost(10.0, 150_000_000, 120_000_000, 14, 9, 1)


class Counting(FakeDetector):
    """Finds one face, then two, then three."""

    def __init__(self, wrong_at: int = -1) -> None:
        super().__init__()
        self._calls, self._wrong_at = 0, wrong_at

    def detect(self, image: Image) -> list[Face]:
        call, self._calls = self._calls, self._calls + 1
        count = 0 if call == self._wrong_at else 1 + 3 * call // 12
        return [face_at(8, 8, 16)] * count


def clip() -> Clip:
    return Clip("test", FRAMES, (1,) * len(FRAMES))


def test_a_clip_holds_one_two_and_three_faces_and_the_detector_finds_them() -> None:
    made = composed(Counting(), None, 12)
    assert made.counts == (1,) * 4 + (2,) * 4 + (3,) * 4
    assert {frame.shape for frame in made.frames} == {(480, 640, 3)}


def test_a_clip_in_which_one_face_is_missed_is_refused() -> None:
    with pytest.raises(BadData, match="wrong number of faces in 1 of 12"):
        composed(Counting(wrong_at=5), None, 12)


def test_a_clip_of_ones_own_must_hold_a_face() -> None:
    own = recorded(FakeDetector(), iter(FRAMES), "video:own.avi", 5)
    assert (own.name, len(own.frames), own.counts) == ("video:own.avi", 5, (1,) * 5)
    with pytest.raises(BadData, match="finds no face"):
        recorded(FakeDetector([]), iter(FRAMES), "video:own.avi", 5)


def test_a_saved_clip_is_read_again_and_again(tmp_path: Path) -> None:
    clip().save(tmp_path / "clip.avi", 15)
    frames = endless(str(tmp_path / "clip.avi"))
    twice = [next(frames) for _ in range(2 * len(FRAMES))]
    assert np.array_equal(twice[0], twice[len(FRAMES)])
    assert abs(twice[3].astype(int) - FRAMES[3]).mean() < 8


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_bytes(b"no video")
    with pytest.raises(BadData, match="not a video"):
        next(endless(str(tmp_path / "clip.avi")))


def test_every_stage_is_timed_and_they_add_up(tmp_path: Path) -> None:
    sink = f"jsonl:{tmp_path / 'events.jsonl'}"
    bundle, engine = fake_bundle(tmp_path / "bundle"), FakeEngine()
    clip().save(tmp_path / "clip.avi", 15)
    with read_ahead(str(tmp_path / "clip.avi")) as frames:
        stages = measure(clip(), bundle, FakeDetector(), engine, [sink], 3, frames)
    assert len(stages.whole) == len(stages.alone) == 3 * len(FRAMES)
    for i, whole in enumerate(stages.whole):
        assert sum(stages.of[name][i] for name in STAGES) == pytest.approx(whole)
        assert min(stages.of[name][i] for name in STAGES) >= 0
    assert all(np.median(stages.of[name]) > 0 for name in STAGES)
    told = summary(stages)
    assert (told["frames"], told["faces"]) == (36, 36)
    assert told["ratio"]["low"] <= told["ratio"]["median"] <= told["ratio"]["high"]
    events = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(events) >= 36


def test_a_daemon_runs_with_the_parts_of_the_benchmark(tmp_path: Path) -> None:
    frames = tuple(backdrop(480, 640, seed) for seed in range(3))
    Clip("test", frames, (2,) * 3).save(tmp_path / "clip.avi", 30)
    bundle = fake_bundle(tmp_path / "bundle").path
    settings = {CLIP: str(tmp_path / "clip.avi"), FPS: "30", PACE: "fast"}
    command = [sys.executable, "-c", PROGRAM, "run", "--camera", "clip:", "--events", "20"]
    done = subprocess.run(
        [*command, "--bundle", str(bundle), "--detector", "haar"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **settings},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    updates = [json.loads(line) for line in done.stdout.splitlines() if '"update"' in line]
    assert len(updates) == 20
    assert updates[-1]["faces_total"] == 2


def asked(tmp_path: Path, ratio: float = 1.1, **more: Any) -> Asked:
    spread = {"p50": 20.0, "p90": 22.0, "p99": 30.0}
    stages = {
        "ratio": {"median": ratio, "low": ratio, "high": ratio},
        "detector_and_engine_ms": spread,
        "end_to_end_ms": spread,
        "stages_ms": dict.fromkeys(STAGES, spread),
    }
    live = Live(1.0, [30] * 100, [9.0] * 100, 100, 5, 200, 10.0, COST, 0.3)
    usual: dict[str, Any] = {
        "clip": clip(),
        "detector": "fake",
        "engine": "fake 1.0, int8",
        "bundle": fake_bundle(tmp_path / "bundle"),
        "fps": 15.0,
        "stages": stages,
        "live": live,
        "starts_s": [0.9, 1.0, 1.1],
        "long": {5_000: (5_010, COST), 100_000: (100_020, COST)},
        "mqtt": True,
        "machine": {"cpu": "x", "cores_allowed": 2, "before": {"load": 0}, "after": {"load": 0}},
    }
    return Asked(**{**usual, **more})


def unmet(report: dict[str, Any]) -> list[str]:
    return [row["name"] for row in report["rows"] if row["passed"] is False]


def test_what_is_met_passes_and_is_written_twice(tmp_path: Path) -> None:
    report = document(asked(tmp_path))
    assert (unmet(report), report["passed"]) == ([], True)
    text = save(report, tmp_path / "out")
    assert (tmp_path / "out" / "pipeline.md").read_text() == text
    assert json.loads((tmp_path / "out" / "pipeline.json").read_text()) == report
    assert "| infer | 20.00 |" in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ratio": 1.16}, "end to end"),
        ({"starts_s": [1.0, 2.1, 3.0]}, "process start"),
        ({"long": {1: (1, COST), 2: (2, Cost(1, 1, 126_000_000, 14, 9, 1))}}, "PSS grown"),
        ({"long": {1: (1, COST), 2: (2, Cost(1, 1, 120_000_000, 15, 9, 1))}}, "descriptors"),
        ({"long": {1: (1, COST), 2: (2, Cost(1, 1, 120_000_000, 14, 10, 1))}}, "threads"),
        ({"live": Live(1.0, [400] * 100, [], 100, 0, 1, 1, COST, 0)}, "frame age"),
        (
            {"live": Live(1.0, [30], [], 1, 0, 1, 1, Cost(1, 230_000_000, 1, 1, 1, 1), 0)},
            "RSS with mqtt and http",
        ),
    ],
)
def test_what_is_not_met_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    report = document(asked(tmp_path, **change))
    assert [name for name in unmet(report) if not name.startswith(named)] == []
    assert len(unmet(report)) == 1
    assert not report["passed"]


def test_the_age_is_told_as_percentiles() -> None:
    p50, p99 = ages(Live(ages_ms=[10] * 98 + [100] * 2))
    assert (p50, p99) == (10, 100)


def test_a_process_is_measured_with_its_children() -> None:
    alone = cost(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert child.stdout is not None
        child.stdout.readline()
        both = cost(os.getpid())
        assert both.processes == alone.processes + 1
        assert both.threads >= alone.threads + 1
        assert both.rss_bytes - cost(child.pid).rss_bytes > 0.5 * alone.rss_bytes
        assert 0 < cost(child.pid).pss_bytes <= cost(child.pid).rss_bytes
    finally:
        child.communicate(b"\n")

"""Real bundles in their own processes; the whole benchmark once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.records import BUNDLE, Settings
from benchmarks.report import Report
from benchmarks.run import bench
from benchmarks.subject import Subject
from benchmarks.worker import Worker, answer
from edge_fer.errors import BundleError, ConfigError, EngineError, NotFound
from edge_fer.training.checkpoint import SHIPPED

FEW = Settings(rounds=2, queries=3, turn_s=0.0, warmup=1, settle=1, rate_s=0.01)
CORE = (min(os.sched_getaffinity(0)),)


@pytest.fixture
def subject(tflite_bundle):
    running = Subject("int8", BUNDLE, tflite_bundle, CORE)
    yield running
    running.close()


@pytest.fixture
def faces_file(calibration_faces, tmp_path):
    path = tmp_path / "faces.npy"
    np.save(path, calibration_faces[:5])
    return path


def test_a_worker_loads_times_and_predicts(subject, faces_file):
    loaded = subject.load()
    assert loaded["load_ms"] > 0
    assert (loaded["model"]["format"], loaded["model"]["threads"]) == ("tflite", 1)
    subject.see(faces_file)
    assert min(subject.time(3, 4)) > 0
    scores = np.array(subject.predict(0, 5))
    assert scores.shape == (5, 7)
    assert scores.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert subject.memory()[0] >= subject.memory()[1] > 10e6
    assert len(subject.stream(2, 0.0)) == 3
    assert subject.int8_share() > 0.99


def test_the_worker_of_a_bundle_has_no_tensorflow_in_memory(subject):
    subject.load()
    assert "tensorflow" not in Path(f"/proc/{subject.process_id}/maps").read_text()


def test_a_worker_is_held_to_its_cores(subject):
    subject.load()
    assert os.sched_getaffinity(subject.process_id) == set(CORE)


def test_a_refused_bundle_is_the_same_error_here(tmp_path):
    subject = Subject("gone", BUNDLE, tmp_path / "gone", CORE)
    with pytest.raises(BundleError, match="no such bundle"):
        subject.load()
    subject.close()


def test_a_worker_that_is_killed_is_an_error_with_its_signal(subject):
    os.kill(subject.process_id, 9)
    with pytest.raises(EngineError, match="int8: its process ended at 'load' with signal 9"):
        subject.load()


def test_an_error_of_a_vendor_becomes_an_answer():
    said = answer(Worker(), json.dumps({"do": "time", "start": 0, "count": 1}))
    assert said["kind"] == "EngineError"
    assert "AttributeError" in said["error"]


def test_prints_of_a_library_do_not_reach_the_answers():
    code = """if True:
        import io, os
        from benchmarks.worker import private_stdout
        answers = private_stdout()
        print("a library's greeting", flush=True)
        os.write(1, b"from native code")
        answers.write("answer"); answers.flush()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "answer"
    assert "greeting" in done.stderr
    assert "native" in done.stderr


def test_both_bundles_beside_their_parent_and_one_that_fails(
    tflite_bundle, openvino_bundle, calibration_faces, tmp_path
):
    seen = []
    report = bench(
        [tflite_bundle, tmp_path / "gone", openvino_bundle],
        SHIPPED,
        None,
        "test",
        tmp_path / "out",
        faces=calibration_faces,
        limit=24,
        settings=FEW,
        threads=1,
        progress=lambda *said: seen.append(said[0]),
    )
    baseline, tflite, gone, openvino = report.results
    assert baseline.role == "baseline"
    assert baseline.model.device.startswith(("CPU", "GPU"))
    assert gone.failed.startswith("gone: no such bundle")
    assert report.exit_status == 1
    for result in (tflite, openvino):
        assert result.failed is None
        assert result.versus.is_parent
        assert result.versus.agreement.value > 0.8
        assert result.versus.speed.value > 0
        assert result.cost.count == 6
        assert result.accuracy is None
    assert seen[0] == "loading"
    assert {"latency", "full precision: faces"} <= set(seen)
    assert {(rate.threads, rate.batch) for rate in tflite.rates} >= {(1, 1), (1, 8)}
    assert tflite.model.int8_share > 0.99
    assert Report.from_json((tmp_path / "out" / "report.json").read_text()) == report
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
    ]
    assert "tflite" in (tmp_path / "out" / "report.md").read_text()
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_bundle_can_be_measured_without_keras_and_its_baseline(tflite_bundle, tmp_path):
    report = bench(
        [tflite_bundle], None, "synthetic:faces=21", "test", tmp_path, settings=FEW, threads=1
    )
    assert report.baseline is None
    assert report.bundles[0].versus is None
    assert report.bundles[0].accuracy["faces"] == 21
    assert any("No baseline" in note for note in report.notes)


def test_a_bundle_of_another_parent_is_measured_and_it_is_said(
    tflite_bundle, calibration_faces, tmp_path
):
    other = tmp_path / "other"
    shutil.copytree(tflite_bundle, other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "parent": "0" * 64}))
    report = bench(
        [other], SHIPPED, None, "test", tmp_path, faces=calibration_faces, limit=8, settings=FEW
    )
    assert not report.bundles[0].versus.is_parent
    assert any("not its parent" in note for note in report.notes)
    assert report.exit_status == 0


def test_a_baseline_that_is_not_there_stops_all(tflite_bundle, calibration_faces, tmp_path):
    with pytest.raises(NotFound, match="no checkpoint"):
        bench(
            [tflite_bundle], tmp_path / "none", None, "test", tmp_path, faces=calibration_faces,
            limit=2, settings=FEW,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("bundles", "threads", "faces", "said"),
    [
        ([], None, np.zeros((1, 9, 9, 3), np.uint8), "no bundle"),
        ([Path("a")], 0, np.zeros((1, 9, 9, 3), np.uint8), "threads 0"),
        ([Path("a")], 10_000, np.zeros((1, 9, 9, 3), np.uint8), "threads 10000"),
        ([Path("a")], None, None, "give --data"),
    ],
)
def test_what_is_asked_wrongly_is_refused_at_the_door(bundles, threads, faces, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        bench(bundles, None, None, "test", tmp_path, faces=faces, threads=threads)

"""Rows B1 to B4 and R1: an engine that fails, hangs or lies."""

import time
from pathlib import Path

import numpy as np
import pytest
from daemons import daemon
from fakes import FakeEngine, fake_bundle, scores_of
from running import fake_config, fake_parts, running

from edge_fer.daemon.pulse import LIMITS_S
from edge_fer.emotions import Emotion
from edge_fer.engines import ENGINES, myriad_process
from edge_fer.errors import EngineError

HANG_GUARD_S = 60


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch)


def test_b1_a_lost_accelerator_is_reopened_three_times_and_then_the_fallback_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "models:Lost")
    spare = fake_bundle(tmp_path / "spare", name="spare").path
    start = time.monotonic()
    with running(fake_config(tmp_path, fallback=spare)) as one:
        one.until(lambda: one.of("update"))
        assert one.of("update")[0]["model"]["id"] == "spare"
        assert one.of("state")[-1]["degraded"] == ["cpu_fallback"]
    assert time.monotonic() - start < HANG_GUARD_S


def test_b1_without_a_fallback_the_daemon_ends_with_70_to_be_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "models:Lost")
    with running(fake_config(tmp_path)) as one:
        one.ended()
        assert isinstance(one.error, EngineError)
        assert one.error.exit_code == 70
        assert one.of("update") == []
    assert capsys.readouterr().err.count("loading the model again") == 4


def test_b1_an_engine_that_recovers_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "models:Tired")
    with running(fake_config(tmp_path)) as one:
        one.until(lambda: one.of("update"))
        assert one.of("state")[-1]["degraded"] == []


HANGING = """
import time
from edge_fer.daemon import pulse
from fakes import FakeEngine
pulse.LIMITS_S["infer"] = 1.0
made, infer = FakeEngine.__init__, FakeEngine.infer
def of_bundle(self, bundle=None, *rest):
    made(self, bundle, *rest)
    self.name = bundle.manifest.name
def hanging(self, faces):
    if self.name == "fake" and len(self.batches) > 9:
        time.sleep(3600)
    return infer(self, faces)
FakeEngine.__init__, FakeEngine.infer = of_bundle, hanging
"""


def test_b1_an_engine_that_hangs_gives_way_to_the_fallback_in_the_same_process(
    tmp_path: Path,
) -> None:
    spare = str(fake_bundle(tmp_path / "spare", name="spare").path)
    arguments = ("--camera", "fake:then=more", "--fallback", spare)
    with daemon(tmp_path, *arguments, FAULTS_FIRST=HANGING) as one:
        one.until(lambda: [e for e in one.of("update") if e["model"]["id"] == "spare"])
        assert one.degraded == ["cpu_fallback"]
        assert {event["model"]["id"] for event in one.of("update")} == {"fake", "spare"}
        assert one.process.poll() is None


def test_b1_without_a_fallback_an_engine_that_hangs_ends_the_process_with_70(
    tmp_path: Path,
) -> None:
    with daemon(tmp_path, "--camera", "fake:then=more", FAULTS_FIRST=HANGING) as one:
        assert one.ended() == 70
        assert any("infer takes" in line for line in one.lines)


def test_b1_a_stick_that_hangs_is_an_error_before_the_daemon_ends_for_it() -> None:
    assert LIMITS_S["infer"] - myriad_process.ANSWER_S > 2


WRONG = {
    "nan": np.full(7, np.nan, np.float32),
    "infinity": np.full(7, np.inf, np.float32),
    "no probabilities": np.full(7, 0.5, np.float32),
    "negative": scores_of(Emotion.SAD) * np.float32(-1),
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_b3_scores_that_are_no_probabilities_give_no_event_and_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: np.ndarray
) -> None:
    good, given = scores_of(Emotion.HAPPY), [0]

    def infer(self: FakeEngine, faces: np.ndarray) -> np.ndarray:
        given[0] += 1
        wrong = given[0] in (2, 3, 5)
        return np.repeat((row if wrong else good)[None], len(faces), axis=0)

    monkeypatch.setattr(FakeEngine, "infer", infer)
    counted: list[str] = []
    monkeypatch.setattr(
        "edge_fer.telemetry.metrics.Metrics.inference_failed", lambda _, r: counted.append(r)
    )
    with running(fake_config(tmp_path, camera="fake:live=no,frames=20")) as one:
        one.ended()
        assert len(one.of("update")) == 17
        for event in one.of("update"):
            for face in event["faces"]:
                assert sum(face["probs"].values()) == pytest.approx(1, abs=0.01)
    assert counted == ["nan"] * 3


def test_b4_without_a_face_the_count_is_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fakes.FakeDetector.detect", lambda *_: [])
    with running(fake_config(tmp_path, camera="fake:live=no,frames=3")) as one:
        one.ended()
        assert [e["faces_total"] for e in one.of("update")] == [0, 0, 0]


def test_r1_a_memory_error_costs_a_frame_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [0]

    def infer(self: FakeEngine, faces: np.ndarray) -> np.ndarray:
        given[0] += 1
        if given[0] == 3:
            raise MemoryError
        return np.repeat(scores_of(Emotion.HAPPY)[None], len(faces), axis=0)

    monkeypatch.setattr(FakeEngine, "infer", infer)
    with running(fake_config(tmp_path, camera="fake:live=no,frames=10")) as one:
        one.ended()
        assert (one.status, len(one.of("update"))) == (0, 9)

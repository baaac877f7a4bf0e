"""Calibration sets, and the odd faces that must not set a range."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from layouts import picture

from converters.calibration import _balanced, drawn_set, labelled_faces, shipped_set
from converters.loud import LOUD
from converters.order import Order
from converters.probe import Flow
from edge_fer.bundle import Bundle, Manifest
from edge_fer.datasets.holdout import UNSPLIT
from edge_fer.datasets.shipped import calibration_faces, check_faces
from edge_fer.emotions import LABELS, Emotion
from edge_fer.errors import ConfigError
from edge_fer.types import Image, Sample


def sample(emotion: Emotion, number: int) -> Sample:
    def read() -> Image:
        return np.zeros((48, 48, 3), np.uint8)

    return Sample(emotion, f"{emotion.label}/{number}", read)


def samples(**counts: int) -> list[Sample]:
    return [sample(emotion, i) for emotion in Emotion for i in range(counts.get(emotion.label, 30))]


def test_every_class_has_its_equal_share() -> None:
    chosen = _balanced(samples(happy=500), 140, seed=0)
    assert set(Counter(s.emotion for s in chosen).values()) == {20}


def test_a_small_class_gives_all_it_has_and_others_fill_up() -> None:
    chosen = Counter(s.emotion.label for s in _balanced(samples(disgust=5), 140, seed=0))
    assert chosen["disgust"] == 5
    assert sum(chosen.values()) == 140


def test_the_seed_decides_the_faces() -> None:
    draw = partial(_balanced, samples(), 70)
    assert [s.source for s in draw(seed=1)] == [s.source for s in draw(seed=1)]
    assert [s.source for s in draw(seed=1)] != [s.source for s in draw(seed=2)]


def test_a_class_without_faces_is_named() -> None:
    with pytest.raises(ConfigError, match="no faces of fear"):
        _balanced(samples(fear=0), 70, seed=0)


def test_the_test_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="test split is refused"):
        drawn_set("synthetic:", "test", 100, 0, 72)


def test_the_record_tells_that_data_without_splits_judge_by_the_same_faces(tmp_path: Path) -> None:
    for e, label in enumerate(LABELS):
        for n in range(8):
            picture(tmp_path / label / f"{n}.png", 8 * e + n)
    record = drawn_set(f"folder:{tmp_path}", "train", 56, 0, 72).record
    judged = labelled_faces(f"folder:{tmp_path}", "validation", 72)[2]
    assert record["origin"] == judged["origin"] == UNSPLIT
    assert "origin" not in labelled_faces("synthetic:faces=7", "validation", 72)[2]
    manifest = Manifest("x", "tflite", "int8", 72, "0" * 64, {}, calibration={**record, "used": 56})
    lines = Bundle(tmp_path, manifest, {}, "").calibration_lines()
    assert "judged by faces it was calibrated on: the same faces for every split" in lines


def test_too_few_faces_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 50"):
        Order(samples=49)
    with pytest.raises(ConfigError, match="49 faces in train"):
        drawn_set("synthetic:faces=49", "train", 300, 0, 72)


def test_a_drawn_set_records_where_it_comes_from() -> None:
    drawn = drawn_set("synthetic:", "train", 56, 3, 72)
    assert drawn.record["per_class"] == dict.fromkeys(LABELS, 8)
    assert (drawn.record["split"], drawn.record["seed"]) == ("train", 3)
    assert len(drawn.record["sha256"]) == 64


def test_the_shipped_halves_share_no_face() -> None:
    seen = {face.tobytes() for face in calibration_faces(72)}
    assert len(seen) == len(calibration_faces(72)) >= 50
    assert not seen & {face.tobytes() for face in check_faces(72)}


def test_faces_left_out_are_named_in_the_record() -> None:
    left = shipped_set(72).without([2, 5])
    assert left.record["left_out"] == ["shipped/2", "shipped/5"]
    assert left.record["used"] == len(left.faces) == left.record["count"] - 2


def test_a_class_of_outliers_alone_is_refused_by_name() -> None:
    drawn = drawn_set("synthetic:", "train", 56, 3, 72)
    disgusted = [i for i, label in enumerate(drawn.classes) if label == "disgust"]
    assert drawn.without(disgusted[1:]).record["used"] == 56 - len(disgusted) + 1
    with pytest.raises(ConfigError, match="all faces of disgust are outliers"):
        drawn.without(disgusted)


def test_the_shipped_set_is_hashed_too() -> None:
    assert len(shipped_set(72).record["sha256"]) == 64
    assert shipped_set(72).record["sha256"] != shipped_set(96).record["sha256"]


def flow(peaks: np.ndarray) -> Flow:
    """(N, T) peaks: T tensors of one channel."""
    largest = {f"t{i}": peaks[:, i : i + 1] for i in range(peaks.shape[1])}
    return Flow(largest, largest)


def test_a_face_far_over_the_median_in_one_tensor_is_loud() -> None:
    peaks = np.full((100, 5), 6.0, np.float32)
    peaks[17, 3] = 6.0 * LOUD * 1.1
    peaks[18, 3] = 6.0 * LOUD * 0.9
    assert flow(peaks).loud_faces() == [17]


def test_what_is_kept_of_a_flow_is_that_of_the_faces_kept() -> None:
    peaks = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert flow(peaks).kept(np.array([1, 3])).peaks("t1").tolist() == [5.0]

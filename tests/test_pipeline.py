import numpy as np
import pytest
from fakes import SIDE, FakeDetector, FakeEngine, face_at, frame_of, scores_of

from edge_fer.emotions import Emotion
from edge_fer.errors import EngineError
from edge_fer.pipeline import Recognizer, Smoother, blur
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, Face


def recognizer(engine: FakeEngine, *faces: Face, **options: float) -> Recognizer:
    return Recognizer(FakeDetector(faces), engine, SIDE, **options)  # type: ignore[arg-type]


def test_the_largest_face_comes_first() -> None:
    faces = (face_at(0, 0, 10), face_at(20, 0, 30), face_at(0, 20, 20))
    found = recognizer(FakeEngine(), *faces).recognize(frame_of()).predictions
    assert [p.face.box.width for p in found] == [30, 20, 10]


def test_all_faces_go_through_the_engine_at_once() -> None:
    engine = FakeEngine()
    recognizer(engine, face_at(0, 0, 10), face_at(20, 0, 30)).recognize(frame_of())
    assert [batch.shape for batch in engine.batches] == [(2, SIDE, SIDE, 3)]


def test_the_batch_array_is_reused() -> None:
    engine = FakeEngine()
    parts = recognizer(engine, face_at(0, 0, 10))
    parts.recognize(frame_of())
    parts.recognize(frame_of())
    assert np.shares_memory(*engine.batches)


def test_the_engine_sees_the_bytes_of_the_one_crop_function() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    engine, face = FakeEngine(), face_at(40, 20, 40)
    recognizer(engine, face).recognize(frame_of(image))
    assert (engine.batches[0][0] == crop_face(image, face.box, SIDE)).all()


def test_without_a_face_the_engine_is_not_asked() -> None:
    engine = FakeEngine()
    recognition = recognizer(engine).recognize(frame_of())
    assert (recognition.predictions, recognition.faces_total, engine.batches) == ((), 0, [])


def test_of_two_hundred_faces_the_ten_largest_are_analysed_and_all_counted() -> None:
    faces = [face_at(i % 40, i % 20, 5 + i % 37) for i in range(200)]
    recognition = recognizer(FakeEngine(), *faces).recognize(frame_of())
    assert (len(recognition.predictions), recognition.faces_total) == (10, 200)
    assert recognition.truncated
    assert min(p.face.box.width for p in recognition.predictions) >= 40


def test_a_box_outside_the_image_is_no_face() -> None:
    faces = (face_at(500, 500, 20), Face(Box(5, 5, 5, 9), 0.9), face_at(-5, -5, 20))
    assert recognizer(FakeEngine(), *faces).recognize(frame_of()).faces_total == 1


def test_a_face_keeps_its_track_from_frame_to_frame() -> None:
    parts = recognizer(FakeEngine(), face_at(0, 0, 30))
    tracks = {parts.recognize(frame_of(index=i)).predictions[0].face.track for i in range(3)}
    assert len(tracks - {None}) == 1


def test_below_the_threshold_the_label_is_none() -> None:
    engine = FakeEngine()
    engine.answers = [scores_of(Emotion.SAD, 0.49), scores_of(Emotion.SAD, 0.51)]
    parts = recognizer(engine, face_at(0, 0, 30), abstain_below=0.5, smoothing_s=0)
    labels = [parts.recognize(frame_of()).predictions[0].label for _ in range(2)]
    assert labels == [None, Emotion.SAD]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_an_error(bad: float) -> None:
    engine = FakeEngine()
    engine.answers = [np.full(7, bad, np.float32)]
    with pytest.raises(EngineError, match="not finite"):
        recognizer(engine, face_at(0, 0, 30)).recognize(frame_of())


def test_latencies_are_not_negative() -> None:
    recognition = recognizer(FakeEngine(), face_at(0, 0, 30)).recognize(frame_of())
    assert min(recognition.detect_ms, recognition.classify_ms) >= 0


def test_after_one_time_constant_63_percent_of_a_change_is_seen() -> None:
    smoother = Smoother(0.4)
    happy, sad = np.eye(7, dtype=np.float32)[[Emotion.HAPPY, Emotion.SAD]]
    smoother.smooth(1, happy, 0.0)
    mixed = smoother.smooth(1, sad, 0.4)
    assert mixed[Emotion.SAD] == pytest.approx(1 - np.exp(-1), abs=1e-6)


def test_smoothing_depends_on_time_and_not_on_the_frame_rate() -> None:
    slow, fast = Smoother(0.4), Smoother(0.4)
    happy, sad = scores_of(Emotion.HAPPY), scores_of(Emotion.SAD)
    for smoother in (slow, fast):
        smoother.smooth(1, happy, 0.0)
    for i in range(1, 10):
        fast.smooth(1, sad, i / 10)
    assert fast.smooth(1, sad, 1.0) == pytest.approx(slow.smooth(1, sad, 1.0), abs=1e-5)


def test_smoothed_scores_still_sum_to_one() -> None:
    smoother, chance = Smoother(0.4), np.random.default_rng(0)
    for i in range(200):
        scores = chance.dirichlet(np.ones(7)).astype(np.float32)
        assert smoother.smooth(1, scores, i / 30).sum() == pytest.approx(1, abs=1e-5)


def test_a_time_constant_of_zero_switches_smoothing_off() -> None:
    smoother = Smoother(0)
    smoother.smooth(1, scores_of(Emotion.HAPPY), 0.0)
    assert (smoother.smooth(1, scores_of(Emotion.SAD), 0.1) == scores_of(Emotion.SAD)).all()


def test_tracks_do_not_mix() -> None:
    smoother = Smoother(0.4)
    smoother.smooth(1, scores_of(Emotion.HAPPY), 0.0)
    assert (smoother.smooth(2, scores_of(Emotion.SAD), 0.1) == scores_of(Emotion.SAD)).all()


def test_a_forgotten_track_starts_anew() -> None:
    smoother = Smoother(0.4)
    smoother.smooth(1, scores_of(Emotion.HAPPY), 0.0)
    smoother.keep(set())
    assert (smoother.smooth(1, scores_of(Emotion.SAD), 0.1) == scores_of(Emotion.SAD)).all()


def test_a_clock_that_steps_back_changes_no_score() -> None:
    smoother = Smoother(0.4)
    smoother.smooth(1, scores_of(Emotion.HAPPY), 100.0)
    assert (smoother.smooth(1, scores_of(Emotion.SAD), 1.0) == scores_of(Emotion.HAPPY)).all()


def test_a_flat_face_is_wholly_blurred() -> None:
    assert blur(np.full((48, 48, 3), 90, np.uint8)) == 1


def test_blur_falls_as_detail_grows() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    faint = (noise // 32).astype(np.uint8)
    assert 0 < blur(noise) < blur(faint) < 1

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import SIDE, FakeDetector, FakeEngine, face_at, fake_bundle, frame_of, scores_of
from jsonschema import Draft202012Validator

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.daemon.wall_clock import clock_synced
from edge_fer.emotions import LABELS, Emotion
from edge_fer.pipeline import Recognition, Recognizer
from edge_fer.sinks.encoding import encode
from edge_fer.types import Box, Face, Prediction

SCHEMA = json.loads(resources.files("edge_fer.sinks").joinpath("event.schema.json").read_text())


@pytest.fixture
def events(tmp_path: Path) -> Events:
    return Events(RunConfig(device="pi-hall", camera_id="front"), fake_bundle(tmp_path / "b"))


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """The event as a reader gets it, proven against the shipped schema."""
    line = encode(event)
    assert line.index(b"\n") == len(line) - 1
    assert len(line) <= 4096
    read: dict[str, Any] = json.loads(line)
    Draft202012Validator(SCHEMA).validate(read)
    return read


def recognized(*faces: Face, **options: Any) -> Recognition:
    parts = Recognizer(FakeDetector(faces), FakeEngine(), SIDE, **options)
    return parts.recognize(frame_of())


def test_the_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_refuses_an_event_without_its_seq(events: Events) -> None:
    event = events.state("ok")
    del event["seq"]
    assert not Draft202012Validator(SCHEMA).is_valid(event)


def test_hello_says_what_runs(events: Events) -> None:
    hello = checked(events.hello("int8", "fake 1.0", "haar"))
    assert hello["labels"] == [*LABELS, "uncertain"]
    assert (hello["engine"], hello["precision"], hello["device"]) == ("tflite", "int8", "pi-hall")


@pytest.mark.parametrize("state", ["ok", "lost", "stalled"])
def test_a_state_is_degraded_unless_the_camera_is_ok(events: Events, state: str) -> None:
    event = checked(events.state(state))
    assert (event["camera_state"], event["degraded"]) == (
        state,
        [] if state == "ok" else ["camera"],
    )


def test_an_update_without_faces_is_an_event_too(events: Events) -> None:
    update = checked(events.update(recognized()))
    assert (update["faces"], update["faces_total"]) == ([], 0)


def test_an_update_names_the_best_expression_and_its_score(events: Events) -> None:
    (face,) = checked(events.update(recognized(face_at(16, 8, 32))))["faces"]
    assert (face["emotion"], face["score"], face["probs"]["happy"]) == ("happy", 0.7, 0.7)
    assert face["box"] == [0.25, 0.1667, 0.5, 0.6666]


def test_an_abstaining_model_says_uncertain_and_still_gives_its_score(events: Events) -> None:
    (face,) = checked(events.update(recognized(face_at(0, 0, 32), abstain_below=0.9)))["faces"]
    assert (face["emotion"], face["score"]) == ("uncertain", 0.7)


@pytest.mark.parametrize("box", [Box(-9, -9, 20, 20), Box(50, 30, 99, 79), Box(-5, -5, 95, 95)])
def test_a_box_is_clipped_to_the_frame(events: Events, box: Box) -> None:
    (face,) = checked(events.update(recognized(Face(box, 0.9))))["faces"]
    x, y, width, height = face["box"]
    assert max(x + width, y + height) <= 1 + 1e-9


def test_probabilities_sum_to_one(events: Events) -> None:
    chance = np.random.default_rng(0)
    for _ in range(50):
        scores = chance.dirichlet(np.full(7, 0.3)).astype(np.float32)
        told = Prediction(Face(Box(0, 0, 9, 9), 0.5, 1), scores, Emotion(int(scores.argmax())), 0.5)
        event = checked(events.update(Recognition(frame_of(), (told,), 1, 1.0, 1.0)))
        assert sum(event["faces"][0]["probs"].values()) == pytest.approx(1, abs=0.01)


def test_the_longest_event_stays_under_4_kib(tmp_path: Path) -> None:
    bundle = fake_bundle(tmp_path / "b", name="é" * 300)
    events = Events(RunConfig(device="d" * 32, camera_id="c" * 32), bundle)
    face = Face(Box(1111, 1111, 2222, 2222), 0.98765, 2**31 + 10**6)
    told = Prediction(face, scores_of(Emotion.SURPRISE, 0.12345), None, 0.98765)
    frame = frame_of(np.zeros((3333, 3333, 3), np.uint8), index=10**9, captured=0.0)
    checked(events.update(Recognition(frame, (told,) * 10, 200, 99999.9, 99999.9), 10**6))


def test_a_detector_without_a_finite_confidence_does_not_break_the_line(events: Events) -> None:
    (face,) = checked(events.update(recognized(face_at(0, 0, 32, float("nan")))))["faces"]
    assert face["det_score"] == 0


def test_faces_beyond_ten_are_counted_and_marked(events: Events) -> None:
    update = checked(events.update(recognized(*[face_at(i, 0, 30) for i in range(12)])))
    assert (len(update["faces"]), update["faces_total"], update["truncated"]) == (10, 12, True)


def test_seq_rises_by_one_and_ids_are_made_of_it(events: Events) -> None:
    told = [events.state("ok") for _ in range(3)]
    assert [event["seq"] for event in told] == [1, 2, 3]
    assert {event["id"] for event in told} == {f"{events.boot_id}-{i:012d}" for i in (1, 2, 3)}


def test_every_start_has_its_own_boot_id(tmp_path: Path) -> None:
    bundle = fake_bundle(tmp_path / "b")
    assert len({Events(RunConfig(), bundle).boot_id for _ in range(5)}) == 5


def test_nan_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"score": float("nan")})


def test_hostile_names_stay_on_one_line(tmp_path: Path) -> None:
    bundle = fake_bundle(tmp_path / "b", name="a\nb\ud800\u2028</script>")
    checked(Events(RunConfig(), bundle).hello("int8", "fake", "haar"))


def test_the_clock_question_is_answered_without_privilege() -> None:
    assert clock_synced() in (True, False)

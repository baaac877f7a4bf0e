"""One crop and resize for all."""

import cv2
import numpy as np
import pytest

from edge_fer.datasets.faces import face_of
from edge_fer.emotions import Emotion
from edge_fer.preprocess import crop_face
from edge_fer.types import Box, Face, Frame, Sample


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (60, 100, 3), dtype=np.uint8)


def test_a_box_of_the_wanted_size_is_copied_byte_for_byte(image: np.ndarray) -> None:
    assert (crop_face(image, Box(10, 5, 50, 45), 40) == image[5:45, 10:50]).all()


def test_a_box_is_squared_around_its_centre(image: np.ndarray) -> None:
    wide, square = Box(10, 20, 50, 40), Box(10, 10, 50, 50)
    assert (crop_face(image, wide, 40) == crop_face(image, square, 40)).all()


def test_what_lies_outside_repeats_the_edge(image: np.ndarray) -> None:
    face = crop_face(image, Box(-10, 0, 30, 40), 40)
    assert (face[:, :10] == image[:40, :1]).all()
    assert (face[:, 10:] == image[:40, :30]).all()


def test_a_box_wholly_outside_is_an_error_not_a_picture(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="outside the 100x60 image"):
        crop_face(image, Box(200, 200, 240, 240), 40)


def test_shrinking_averages_areas(image: np.ndarray) -> None:
    halved = crop_face(image, Box(0, 0, 60, 60), 30)
    wanted = cv2.resize(image[:60, :60], (30, 30), interpolation=cv2.INTER_AREA)
    assert (halved == wanted).all()


def test_training_and_device_see_the_same_bytes(image: np.ndarray) -> None:
    from fakes import FakeDetector, FakeEngine

    from edge_fer.pipeline import Recognizer

    box = Box(12, 3, 71, 55)
    engine = FakeEngine()
    recognizer = Recognizer(FakeDetector([Face(box, 1.0)]), engine, 72, 0.0)
    recognizer.recognize(Frame(image, 0, 0.0, 0.0))
    trained_on = face_of(Sample(Emotion.HAPPY, "x", lambda: image, box=box), 72)
    assert (engine.batches[-1] == trained_on[None]).all()

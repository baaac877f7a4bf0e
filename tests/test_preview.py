"""The preview shows nobody: section 5 of the fault table, row "Preview"."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from fakes import scores_of
from numpy.typing import NDArray

from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.drawing import backdrop
from edge_fer.emotions import Emotion
from edge_fer.sinks.http.preview import (
    LARGEST,
    MARGIN,
    PERIOD_S,
    REMEMBERED_S,
    Preview,
    jpeg,
    outlined,
    veiled,
)
from edge_fer.types import Box, Face, Image, Prediction

MOST_LIKENESS = 0.4


def likeness(one: Image, other: Image) -> float:
    """Mean structural similarity (Wang et al. 2004): Gaussian windows of 11 pixels, sigma 1.5."""

    def blurred(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float64)

    a, b = (cv2.cvtColor(x, cv2.COLOR_BGR2GRAY).astype(np.float64) for x in (one, other))
    ma, mb = blurred(a), blurred(b)
    va, vb = blurred(a * a) - ma * ma, blurred(b * b) - mb * mb
    both = blurred(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    map_ = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return float(map_.mean())


def part(image: Image, box: Box) -> Image:
    return image[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right]


def predictions(*boxes: Box) -> list[Prediction]:
    scores = scores_of(Emotion.HAPPY)
    return [Prediction(Face(box, 0.9, 1), scores, Emotion.HAPPY, 0.1) for box in boxes]


def through_jpeg(picture: Image) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg(picture), np.uint8), cv2.IMREAD_COLOR))


def test_inside_every_true_face_box_the_likeness_is_at_most_0_4() -> None:
    camera = SyntheticCamera("faces=3")
    for index in range(0, 60, 6):
        image, boxes = camera.picture(index), [one.box for one in camera.drawn(index)]
        shown = through_jpeg(veiled(image, boxes))
        for box in boxes:
            assert likeness(part(image, box), part(image, box)) > 0.99
            assert likeness(part(image, box), part(shown, box)) <= MOST_LIKENESS


def test_real_faces_are_as_unlike(fer2013_path: object) -> None:
    samples = samples_of(open_dataset(f"fer2013:{fer2013_path}"), "test")[:40]
    values = []
    for i, sample in enumerate(samples):
        image, side = backdrop(480, 640, i), 80 + 3 * i
        box = Box(100, 100, 100 + side, 100 + side)
        image[100 : 100 + side, 100 : 100 + side] = cv2.resize(sample.read(), (side, side))
        values.append(likeness(part(image, box), part(through_jpeg(veiled(image, [box])), box)))
    assert max(values) <= MOST_LIKENESS


def test_a_face_that_is_not_found_is_blurred_with_the_room_and_more_where_detection_failed() -> (
    None
):
    camera = SyntheticCamera("faces=2")
    image, boxes = camera.picture(5), [one.box for one in camera.drawn(5)]
    missed, failed = veiled(image, []), veiled(image, [], failed=True)
    for box in boxes:
        room = likeness(part(image, box), part(missed, box))
        assert likeness(part(image, box), part(failed, box)) < room
    fine = cv2.Laplacian(image, cv2.CV_64F).var()
    assert cv2.Laplacian(missed, cv2.CV_64F).var() < fine / 20


def test_a_face_stays_hidden_for_a_second_after_it_was_found() -> None:
    image, now = SyntheticCamera("faces=1").picture(0), [0.0]
    preview, box = Preview("faces", lambda: now[0]), Box(200, 100, 420, 320)
    first = preview.picture(image, predictions(box), watched=True)
    now[0] = REMEMBERED_S - 0.01
    lost = preview.picture(image, [], watched=True)
    now[0] = REMEMBERED_S + 0.5
    gone = preview.picture(image, [], watched=True)
    assert first is not None
    assert lost is not None
    assert gone is not None
    assert np.array_equal(first, lost)
    assert not np.array_equal(first, gone)


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (480, 1280), (64, 48)])
def test_a_picture_is_at_most_640_pixels_and_never_the_frame_itself(size: tuple[int, int]) -> None:
    image = backdrop(size[1], size[0], 1)
    before = image.copy()
    for shown in (
        veiled(image, [Box(-50, -50, 40, 40)]),
        outlined(image.shape, predictions(Box(5, 5, 30, 30))),
    ):
        assert max(shown.shape[:2]) == min(LARGEST, max(size))
        assert shown.shape[1] / shown.shape[0] == pytest.approx(size[0] / size[1], rel=0.02)
    assert np.array_equal(image, before)


def test_five_pictures_a_second_and_none_while_nobody_watches() -> None:
    now, made = [0.0], []
    preview = Preview("faces", lambda: now[0])
    image = backdrop(48, 64, 1)
    for _ in range(300):
        now[0] += 1 / 30
        made.append(preview.picture(image, [], watched=now[0] < 5) is not None)
    assert 1 < sum(made) <= 5 / PERIOD_S
    assert not any(made[160:])


@pytest.mark.parametrize("boxes", [(), (Box(0, 0, 640, 480),), (Box(-300, -300, -200, -200),)])
def test_boxes_hold_no_pixel_of_the_frame(boxes: Sequence[Box]) -> None:
    bright, dark = np.full((480, 640, 3), 255, np.uint8), np.zeros((480, 640, 3), np.uint8)
    shown = [
        Preview("boxes").picture(one, predictions(*boxes), watched=True) for one in (bright, dark)
    ]
    assert shown[0] is not None
    assert np.array_equal(shown[0], shown[1])  # type: ignore[arg-type]


def test_the_margin_is_hidden_too() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, ::2] = 255
    shown = veiled(image, [Box(200, 200, 300, 300)])
    edge = round(100 * MARGIN)
    block = shown[200 - edge + 1 : 200, 200 - edge + 1 : 230]
    assert block.std() < 30  # the grain; of the stripes it would be 127


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="faces or boxes"):
        Preview("all")

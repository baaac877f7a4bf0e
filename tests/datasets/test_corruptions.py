"""Faults of cameras and crops: known strength, the same for every model."""

from dataclasses import replace

import numpy as np
import pytest

from edge_fer.datasets import open_dataset
from edge_fer.datasets.corruptions import CORRUPTIONS, CUTS, FAULTS, corrupt, corrupted
from edge_fer.datasets.faces import faces_of
from edge_fer.errors import BadData, ConfigError
from edge_fer.preprocess import crop_face
from edge_fer.types import Box

SIZE = 72


@pytest.fixture
def samples() -> list:
    return list(open_dataset("synthetic:faces=14").samples("test"))


def test_the_list_names_every_fault_once() -> None:
    assert sorted(CORRUPTIONS) == sorted([*FAULTS, *CUTS, "roll"])


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_each_changes_every_face_and_the_same_way_each_time(samples: list, corruption: str) -> None:
    clean = faces_of(samples, SIZE)
    one = corrupted(samples, SIZE, corruption)
    assert (one.shape, one.dtype) == (clean.shape, np.uint8)
    assert (one != clean).any(axis=(1, 2, 3)).all()
    # Neither the order nor the company of a face decides what is done to it.
    again = corrupted(samples[::-1], SIZE, corruption)[::-1]
    assert (one == again).all()


def test_draws_differ_from_face_to_face(samples: list) -> None:
    image = samples[0].read()
    box = Box.whole(image)
    one, other = (corrupt(image, box, SIZE, "colour cast", name) for name in ("a", "b"))
    assert (one != other).any()


def test_a_colour_cast_moves_channels_apart_and_darkness_darkens(samples: list) -> None:
    clean = faces_of(samples, SIZE).mean(axis=(1, 2))
    cast = corrupted(samples, SIZE, "colour cast").mean(axis=(1, 2)) / clean
    assert (cast.max(1) - cast.min(1)).mean() > 0.1
    dark = corrupted(samples, SIZE, "low light").mean(axis=(1, 2))
    assert np.allclose(dark, 0.25 * clean, atol=3)


@pytest.mark.parametrize("corruption", ["blur", "few pixels"])
def test_detail_is_lost(samples: list, corruption: str) -> None:
    def detail(faces: np.ndarray) -> float:
        return float(np.abs(np.diff(faces.astype(float), axis=2)).mean())

    assert detail(corrupted(samples, SIZE, corruption)) < 0.9 * detail(faces_of(samples, SIZE))


def test_heads_roll_to_both_sides() -> None:
    marked = np.zeros((101, 101, 3), np.uint8)
    marked[8:14, 48:53] = 255
    where = set()
    for name in "abcdefgh":
        turned = corrupt(marked, Box.whole(marked), 101, "roll", name)
        columns = np.flatnonzero(turned[..., 0].max(0) > 99)
        where.add(int(columns.mean() - 50))
    # The mark stood 39.5 pixels above the middle: 20 degrees move it by 39.5 sin 20 = 13.5.
    assert where == {-13, 13}


def test_a_loose_crop_takes_in_what_lies_around_the_box(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    box = Box(50, 50, 150, 150)
    assert (
        corrupt(image, box, SIZE, "loose crop", "x") == crop_face(image, Box(35, 35, 165, 165), 72)
    ).all()
    assert (
        corrupt(image, box, SIZE, "tight crop", "x") == crop_face(image, Box(60, 60, 140, 140), 72)
    ).all()


def test_an_unknown_one_is_answered_with_the_known_ones(samples: list) -> None:
    with pytest.raises(ConfigError, match=r"'rain'.*colour cast, JPEG"):
        corrupted(samples, SIZE, "rain")


def test_a_box_outside_the_picture_is_named(samples: list) -> None:
    astray = replace(samples[0], box=Box(999, 999, 1010, 1010))
    with pytest.raises(BadData, match="mend the face box"):
        corrupted([astray], SIZE, "blur")

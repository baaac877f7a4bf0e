"""Drawn faces."""

import numpy as np
import pytest

from edge_fer.drawing import backdrop, draw_face, draw_into, person
from edge_fer.emotions import Emotion
from edge_fer.types import Box


def test_a_face_has_the_size_asked_for() -> None:
    face = draw_face(person(0), Emotion.SAD, size=64)
    assert face.shape == (64, 64, 3)
    assert face.dtype == np.uint8


def test_the_same_person_is_drawn_the_same_again() -> None:
    one, two = (draw_face(person(5), Emotion.FEAR, 0.8) for _ in range(2))
    assert np.array_equal(one, two)


def test_persons_differ() -> None:
    one, two = (draw_face(person(seed), Emotion.NEUTRAL) for seed in (1, 2))
    assert np.abs(one.astype(int) - two).mean() > 5


@pytest.mark.parametrize("emotion", list(Emotion)[1:])
def test_an_expression_changes_the_face_and_rest_does_not(emotion: Emotion) -> None:
    rest = draw_face(person(3), Emotion.NEUTRAL)
    assert np.array_equal(draw_face(person(3), emotion, intensity=0), rest)
    assert np.abs(draw_face(person(3), emotion).astype(int) - rest).mean() > 1


def test_expressions_differ_from_each_other() -> None:
    faces = [draw_face(person(3), emotion).astype(int) for emotion in Emotion]
    for i, one in enumerate(faces):
        assert all(np.abs(one - other).mean() > 1 for other in faces[:i])


@pytest.mark.parametrize("box", [Box(-80, -80, 20, 20), Box(150, 100, 250, 200)])
def test_a_face_may_reach_beyond_the_scene(box: Box) -> None:
    scene = backdrop(120, 160, seed=0)
    draw_into(scene, box, person(1), Emotion.HAPPY)
    assert not np.array_equal(scene, backdrop(120, 160, seed=0))


@pytest.mark.parametrize(
    "box", [Box(900, 0, 950, 50), Box(-900, 0, -850, 50), Box(0, 900, 50, 950)]
)
def test_a_face_outside_the_scene_leaves_it_as_it_was(box: Box) -> None:
    scene = backdrop(120, 160, seed=0)
    draw_into(scene, box, person(1), Emotion.HAPPY)
    assert np.array_equal(scene, backdrop(120, 160, seed=0))

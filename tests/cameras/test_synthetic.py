"""The camera that draws what it shows."""

import numpy as np
import pytest

from edge_fer.cameras import open_camera
from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.detectors import open_detector
from edge_fer.emotions import Emotion
from edge_fer.errors import ConfigError, MissingExtra


def test_the_same_seed_draws_the_same_pictures() -> None:
    one, two = (SyntheticCamera("seed=3,size=160x120").picture(7) for _ in range(2))
    assert np.array_equal(one, two)


def test_another_seed_draws_another_picture() -> None:
    one, two = (SyntheticCamera(f"seed={seed},size=160x120").picture(0) for seed in (1, 2))
    assert not np.array_equal(one, two)


def test_it_is_live_and_endless_unless_told_otherwise() -> None:
    camera = SyntheticCamera("")
    assert camera.live
    assert camera.script.frames == 0


def test_not_live_it_does_not_wait_for_the_clock() -> None:
    # At one frame a minute, three frames would take two minutes.
    camera = open_camera("synthetic:live=no,frames=3,fps=0.017,size=160x120")
    assert len(list(camera)) == 3


def test_every_person_goes_through_the_seven_expressions() -> None:
    camera = SyntheticCamera("faces=2,fps=10")
    for place in range(2):
        shown = {camera.drawn(index)[place].emotion for index in range(0, 140, 5)}
        assert shown == set(Emotion)


@pytest.mark.parametrize("option", ["faces=9", "fps=0", "frames=-1", "size=1x1", "live=no"])
def test_an_impossible_option_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match="synthetic:"):
        open_camera(f"synthetic:{option}")


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_the_default_detector_finds_every_face(faces: int) -> None:
    try:
        detector = open_detector("blazeface")
    except MissingExtra as error:
        pytest.skip(str(error))
    camera = SyntheticCamera(f"faces={faces}")
    for index in range(0, 210, 30):
        assert len(detector.detect(camera.picture(index))) == faces

"""Drawn faces as a dataset."""

from collections import Counter

import numpy as np
import pytest

from edge_fer.datasets import SPLITS, open_dataset
from edge_fer.errors import ConfigError


def test_classes_are_balanced() -> None:
    samples = open_dataset("synthetic:faces=70").samples("train")
    assert set(Counter(sample.emotion for sample in samples).values()) == {10}


def test_no_person_stands_in_two_splits() -> None:
    dataset = open_dataset("synthetic:faces=70")
    groups = [{sample.group for sample in dataset.samples(split)} for split in SPLITS]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_seeds_choose_other_persons() -> None:
    one, two = (open_dataset(f"synthetic:seed={seed}").samples("train") for seed in (1, 2))
    assert not {s.group for s in one} & {s.group for s in two}


def test_a_face_is_96_pixels_and_the_same_at_every_reading() -> None:
    sample = open_dataset("synthetic:faces=7").samples("train")[3]
    assert sample.read().shape == (96, 96, 3)
    assert np.array_equal(sample.read(), sample.read())


@pytest.mark.parametrize("option", ["faces=0", "seed=-1", "size=3"])
def test_an_impossible_option_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match="synthetic:"):
        open_dataset(f"synthetic:{option}")

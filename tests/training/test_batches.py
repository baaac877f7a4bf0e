"""What the network is shown: decided by recipe, epoch and step alone."""

from dataclasses import replace

import numpy as np
import pytest

from edge_fer.datasets import open_dataset
from edge_fer.emotions import LABELS
from edge_fer.training import augment as augmentation
from edge_fer.training.augment import augment
from edge_fer.training.batches import TrainingBatches, steps_per_epoch
from edge_fer.training.recipe import Recipe
from edge_fer.types import Sample

PLAIN = Recipe(
    batch=8, flip=0, rotate=0, scale=0, shift=0, light=0, erase=0, degrade=0, mixup=0
)  # fmt: skip


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(open_dataset("synthetic:faces=35").samples("train"))


def batch(samples: list[Sample], recipe: Recipe, step: int) -> tuple[np.ndarray, np.ndarray]:
    return TrainingBatches(samples, recipe, step, step + 1)[0]


def test_an_epoch_shows_each_face_at_most_once_and_the_next_in_another_order(
    samples: list[Sample],
) -> None:
    steps = steps_per_epoch(len(samples), PLAIN)
    assert steps == 4
    epochs = [TrainingBatches(samples, PLAIN, e * steps, (e + 1) * steps) for e in (0, 1)]
    seen = [[face.tobytes() for i in range(steps) for face in e[i][0]] for e in epochs]
    assert len(set(seen[0])) == len(seen[0]) == 32
    assert seen[0] != seen[1]


def test_a_step_is_the_same_wherever_a_run_takes_it_up(samples: list[Sample]) -> None:
    recipe = Recipe(batch=8)
    whole, resumed = TrainingBatches(samples, recipe, 0, 9), TrainingBatches(samples, recipe, 6, 9)
    for one, other in zip(whole[6], resumed[0], strict=True):
        assert (one == other).all()


def test_without_mixup_labels_are_whole(samples: list[Sample]) -> None:
    _, labels = batch(samples, PLAIN, 3)
    assert labels.shape == (8, len(LABELS))
    assert set(np.unique(labels)) == {0.0, 1.0}


def test_mixup_blends_faces_and_labels_in_one_ratio(samples: list[Sample]) -> None:
    plain, whole = batch(samples, PLAIN, 1)
    faces, labels = batch(samples, replace(PLAIN, mixup=1.0), 1)
    assert labels.sum(1) == pytest.approx(1)
    shares = np.unique(labels[labels > 0].round(5))
    assert len(shares) <= 3  # s, 1 - s, and 1 where a face met its own expression
    share = next(float(s) for s in shares if s < 1)
    for face, label, own, mine in zip(faces, labels, plain, whole, strict=True):
        ratio = next(s for s in (share, 1 - share, 1.0) if label[mine.argmax()] == pytest.approx(s))
        if ratio == 1.0:
            continue
        other = (face.astype(float) - ratio * own) / (1 - ratio)
        distances = [np.abs(other - face).max() for face in plain.astype(float)]
        assert min(distances) <= 1 / (1 - ratio)  # whole grey levels, blown up


def test_mixup_differs_from_step_to_step(samples: list[Sample]) -> None:
    recipe = replace(PLAIN, mixup=1.0)
    shares = [np.sort(batch(samples, recipe, step)[1].max(1))[0] for step in range(3)]
    assert len(set(shares)) == 3


def test_degrade_is_the_share_of_faces_with_a_fault(samples: list[Sample]) -> None:
    face = samples[0].read()
    for share in (0.0, 0.3, 1.0):
        recipe = replace(PLAIN, degrade=share)
        views = (augment(face, recipe, np.random.default_rng(seed)) for seed in range(300))
        clean = augment(face, PLAIN, np.random.default_rng(0))
        changed = np.mean([(view != clean).any() for view in views])
        assert changed == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("fault", ["_blur", "_jpeg", "_darken", "_coarsen"])
def test_every_fault_of_a_camera_keeps_the_form_and_changes_the_face(
    samples: list[Sample], fault: str
) -> None:
    face = samples[0].read()
    changed = getattr(augmentation, fault)(face, np.random.default_rng(1))
    assert (changed.shape, changed.dtype) == (face.shape, np.uint8)
    assert (changed != face).any()


def test_darkness_takes_light_and_few_pixels_take_detail(samples: list[Sample]) -> None:
    face, rng = samples[0].read(), np.random.default_rng(2)
    assert augmentation._darken(face, rng).mean() < 0.7 * face.mean()
    few = augmentation._coarsen(face, rng)
    assert (
        np.abs(np.diff(few.astype(int), axis=1)).mean()
        < np.abs(np.diff(face.astype(int), axis=1)).mean()
    )

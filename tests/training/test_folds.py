"""Folds keep kin together, have every expression, and are laid down once."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from layouts import link, picture

from edge_fer.datasets.faces import classes_of
from edge_fer.emotions import LABELS, Emotion
from edge_fer.errors import BadData, CheckpointError, ConfigError, NotFound
from edge_fer.progress import silent
from edge_fer.training import folds
from edge_fer.training.kfold import Order
from edge_fer.training.left_out import clean, count
from edge_fer.training.pool import BOTH, DUPLICATES, SUBJECTS, Groups, groups_of, pooled
from edge_fer.training.recipe import Recipe
from edge_fer.types import Sample

PEOPLE = "synthetic:faces=84"


def split(path: Path, name: str, per_label: int, first: int) -> None:
    for e, label in enumerate(LABELS):
        for n in range(per_label):
            picture(path / name / label / f"{n}.png", first + e * per_label + n)


def sides(fold: folds.Fold, of: tuple[int, ...]) -> list[set[int]]:
    return [{of[i] for i in part} for part in (fold.train, fold.validation, fold.test)]


def test_nobody_stands_on_two_sides_and_everybody_is_tested_once() -> None:
    samples = pooled(PEOPLE, ("train",))
    groups = groups_of(samples, PEOPLE, silent)
    made = folds.plan(samples, groups, 3, seed=1)
    assert (groups.kind, groups.count, made.groups) == (SUBJECTS, 12, 12)
    for fold in made.folds:
        train, validation, test = sides(fold, groups.of)
        assert not train & validation | train & test | validation & test
        assert set(classes_of([samples[i] for i in fold.train])) == set(range(7))
        assert len(fold.train) + len(fold.validation) + len(fold.test) == 84
    assert sorted(i for fold in made.folds for i in fold.test) == list(range(84))


def test_plain_folds_put_one_person_on_both_sides() -> None:
    samples = pooled(PEOPLE, ("train",))
    of = groups_of(samples, PEOPLE, silent).of
    made = folds.plan(samples, None, 3, seed=1)
    train, _, test = sides(made.folds[0], of)
    assert made.grouping == "nothing"
    assert train & test


def test_without_subjects_equal_and_similar_pictures_stay_together(tmp_path: Path) -> None:
    split(tmp_path, "train", 4, 0)
    link(tmp_path / "train" / "sad" / "0.png", tmp_path / "train" / "fear" / "copy.png")
    image = cv2.imread(str(tmp_path / "train" / "happy" / "1.png"))
    cv2.imwrite(str(tmp_path / "train" / "happy" / "like.png"), np.clip(image, 1, 254))
    samples = pooled(f"folder:{tmp_path}", ("train", "validation", "test"))
    groups = groups_of(samples, "x", silent)
    named = {s.source.removeprefix("train/"): g for s, g in zip(samples, groups.of, strict=True)}
    assert (groups.kind, groups.count) == (DUPLICATES, 28)
    assert named["sad/0.png"] == named["fear/copy.png"]
    assert named["happy/1.png"] == named["happy/like.png"]


def grouped(*faces: tuple[int, str | None]) -> tuple[str, list[int]]:
    """Kind and numbers of faces that are told by what they show and by subject."""

    def shown(seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)

    samples = [
        Sample(Emotion.SAD, str(i), partial(shown, seed), subject)
        for i, (seed, subject) in enumerate(faces)
    ]
    found = groups_of(samples, "x", silent)
    return found.kind, list(found.of)


def test_a_copy_without_a_subject_stays_with_the_one_that_has_it() -> None:
    kind, of = grouped((1, "ana"), (2, "ana"), (3, "ben"), (1, None), (4, None))
    assert kind == BOTH
    assert of[0] == of[1] == of[3]
    assert len({of[0], of[2], of[4]}) == 3


def test_equal_faces_under_two_subjects_join_these() -> None:
    kind, of = grouped((1, "ana"), (2, "ana"), (1, "ben"), (3, "ben"), (4, "cem"))
    assert (kind, of) == (SUBJECTS, [0, 0, 0, 0, 1])


def test_a_pool_has_each_face_once_under_a_name_of_its_own(tmp_path: Path) -> None:
    split(tmp_path / "a", "train", 1, 0)
    split(tmp_path / "a", "test", 1, 50)
    split(tmp_path, "b", 1, 99)
    spec = f"folder:{tmp_path / 'a'}+folder:{tmp_path / 'b'}"
    sources = [sample.source for sample in pooled(spec, ("train", "validation", "test"))]
    assert len(sources) == len(set(sources)) == 21
    assert sources[0] == "1-folder/train/anger/0.png"


def test_one_missing_picture_does_not_drop_its_whole_split(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png")
    rows = ("a.png,sad,train", "b.png,sad,validation", "gone.png,fear,train")
    (tmp_path / "faces.csv").write_text("\n".join(["file,label,split", *rows]) + "\n")
    with pytest.raises(NotFound, match=r"faces\.csv:4: .*gone\.png is not there"):
        pooled(f"folder:{tmp_path / 'faces.csv'}", ("train", "validation"))


def test_fewer_subjects_than_folds_are_refused() -> None:
    samples = pooled("synthetic:faces=28", ("train",))
    groups = groups_of(samples, "x", silent)
    with pytest.raises(ConfigError, match="only 4 subjects; choose fewer folds, or --no-group"):
        folds.plan(samples, groups, 5, seed=1)


def anybody(*classes: int) -> list[Sample]:
    return [Sample(Emotion(c), str(i), lambda: np.zeros(0)) for i, c in enumerate(classes)]


@pytest.mark.parametrize(
    ("classes", "of", "said"),
    [
        ((0, 1, 2, 3, 4, 5, 6), None, "no expression has more than 1 faces; choose fewer folds"),
        ((0, 0, 0, 0, 1, 2), (0, 0, 0, 0, 1, 2), "are all one group|leave a fold without faces"),
        ((0,) * 40 + (1, 2), (0,) * 40 + (1, 2), "are all one group|leave a fold without faces"),
    ],
)
def test_too_few_faces_or_groups_are_refused_in_one_line(
    classes: tuple[int, ...], of: tuple[int, ...] | None, said: str
) -> None:
    groups = Groups(DUPLICATES, of) if of else None
    with pytest.raises(ConfigError, match=said) as caught:
        folds.plan(anybody(*classes), groups, 2, seed=1)
    assert "\n" not in str(caught.value)


def test_a_tenth_of_the_faces_is_held_out_and_not_a_tenth_of_the_groups() -> None:
    """Few subjects have most of the faces, and one expression is rare."""
    sizes = [200, 150, 100, *[10] * 40, *[1] * 150]
    of = np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(8):
        classes = np.random.default_rng(seed).choice(7, len(of), p=(0.3, 0.3, *[0.09] * 4, 0.04))
        train, validation = folds.held_out(of, classes, seed)
        assert not set(of[train]) & set(of[validation])
        assert sorted([*train, *validation]) == list(range(len(of)))
        wanted = np.bincount(classes, minlength=7) / 10
        assert abs(len(validation) - len(of) / 10) < 10
        assert np.abs(np.bincount(classes[validation], minlength=7) - wanted).max() < 5


def test_the_only_groups_are_shared_out() -> None:
    train, validation = folds.held_out(np.array([0, 0, 0, 1]), np.array([1, 2, 3, 4]), 0)
    assert (train.tolist(), validation.tolist()) == ([0, 1, 2], [3])
    with pytest.raises(ConfigError, match="are all one group"):
        folds.held_out(np.zeros(4, int), np.arange(4), 0)


def test_training_faces_without_an_expression_are_refused() -> None:
    samples = [s for s in pooled(PEOPLE, ("train",)) if s.emotion is not Emotion.FEAR]
    with pytest.raises(BadData, match="fold 1, training faces: no faces of fear"):
        folds.plan(samples, None, 3, seed=1)


def test_unreadable_faces_are_counted_before_anything_is_trained(tmp_path: Path) -> None:
    split(tmp_path, "train", 2, 0)
    (tmp_path / "train" / "sad" / "0.png").write_text("no picture")
    (tmp_path / "train" / "sad" / "1.png").write_bytes(b"")
    with pytest.raises(BadData, match=r"2 of 14 faces cannot be used, the first: .*sad/0\.png"):
        groups_of(pooled(f"folder:{tmp_path}", ("train",)), "x", silent)


def test_a_plan_is_read_back_and_that_of_another_run_is_refused(tmp_path: Path) -> None:
    samples = pooled(PEOPLE, ("train",))
    made = folds.plan(samples, Groups(SUBJECTS, tuple(i // 7 for i in range(84))), 3, seed=1)
    asked = folds.identity(samples, kfold=3, recipe={"rate": 1})
    folds.save(tmp_path, made, asked)
    assert folds.load(tmp_path, asked) == made
    with pytest.raises(CheckpointError, match="of a run with another kfold"):
        folds.load(tmp_path, {**asked, "kfold": 4})
    assert folds.load(tmp_path, {**asked, "precision": "auto"}) == made  # told by later versions


def test_folds_know_their_start_by_content_and_their_precision(tmp_path: Path) -> None:
    order = Order("synthetic:", ("train",), 3, True, Recipe(), "random", "auto", tmp_path, None)
    first, second = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    first.write_bytes(b"1")
    second.write_bytes(b"1")
    asked = replace(order, init=str(first)).asked()
    assert asked == replace(order, init=str(second)).asked() != order.asked()
    first.write_bytes(b"2")
    assert replace(order, init=str(first)).asked() != asked
    assert replace(order, precision="float32").asked() != order.asked()


def test_a_damaged_plan_is_named(tmp_path: Path) -> None:
    (tmp_path / folds.NAME).write_text("[]")
    with pytest.raises(CheckpointError, match=r"folds\.json: cannot be read"):
        folds.load(tmp_path, {})


def test_the_large_collection_loses_what_the_small_one_holds_and_is_looked_at_once(
    tmp_path: Path,
) -> None:
    split(tmp_path / "large", "train", 2, 0)
    split(tmp_path / "small", "train", 1, 500)
    link(
        tmp_path / "large" / "train" / "sad" / "1.png",
        tmp_path / "small" / "train" / "happy" / "x.png",
    )
    large, small = (pooled(f"folder:{tmp_path / n}", ("train",)) for n in ("large", "small"))
    kept = clean(large, small, tmp_path, "x", silent)
    assert {s.source for s in large} - {s.source for s in kept} == {"train/sad/1.png"}
    assert count(tmp_path) == 1

    def unseen() -> np.ndarray:
        raise AssertionError("read again")

    again = [Sample(s.emotion, s.source, unseen) for s in large]
    assert len(clean(again, small, tmp_path, "x", silent)) == 13
    with pytest.raises(CheckpointError, match="of other collections"):
        clean(large[1:], small, tmp_path, "x", silent)

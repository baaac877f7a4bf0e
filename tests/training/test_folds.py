"""Folds keep kin together, have every expression, and are laid down once."""

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
from edge_fer.training.left_out import clean, count
from edge_fer.training.pool import DUPLICATES, SUBJECTS, Groups, groups_of, pooled
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

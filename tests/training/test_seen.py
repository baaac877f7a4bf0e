"""Folds do not test what the initial weights or the teacher learnt from, unless it is said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import experiments_page, folds_page
from edge_fer.cli import app
from edge_fer.errors import ConfigError
from edge_fer.progress import silent
from edge_fer.statistics import summary
from edge_fer.training import cross, kfold
from edge_fer.training.checkpoint import SHIPPED, Checkpoint
from edge_fer.training.initial import identity
from edge_fer.training.kfold import Order, fold_folder
from edge_fer.training.lineage import lineage
from edge_fer.training.recipe import Recipe
from edge_fer.training.seen import UNKNOWN, seen, seen_by
from edge_fer.training.trial import Trials

IMAGENET = "ImageNet (Keras Applications)"


def checkpoint(spec: str | None, **made: Any) -> Checkpoint:
    """One without weights: its record alone is asked."""
    data = {"train": {"spec": spec, "faces": 1, "sha256": "ab"}} if spec else {}
    return Checkpoint({"x": np.zeros(1)}, Recipe(), data=data, made={"init": IMAGENET, **made})


def saved(folder: Path, one: Checkpoint) -> Path:
    one.save(folder)
    return folder


def test_what_a_checkpoint_learnt_from_is_that_of_all_runs_before_and_of_their_teachers() -> None:
    first = checkpoint("fer2013")
    second = checkpoint("rafdb+folder", lineage=lineage(first))
    assert seen_by(second) == ["fer2013", "folder", "rafdb"]
    student = checkpoint("empathic", teacher={"sha256": "ab", "seen": seen_by(second)})
    later = checkpoint("affectnet", lineage=lineage(student))
    assert seen_by(later) == ["affectnet", "empathic", "fer2013", "folder", "rafdb"]


@pytest.mark.parametrize(
    "one",
    [
        checkpoint(None),
        checkpoint("folder", init="checkpoint 0123456789ab"),
        checkpoint("folder", teacher={"sha256": "ab"}),
    ],
)
def test_what_a_record_does_not_tell_may_be_anything(one: Checkpoint, tmp_path: Path) -> None:
    folder = saved(tmp_path / "c", one)
    assert seen(str(folder), None, "rafdb:somewhere") == {"--init": [UNKNOWN]}


def test_weights_that_learnt_from_other_data_are_let_through(tmp_path: Path) -> None:
    folder = saved(tmp_path / "c", checkpoint("fer2013"))
    assert seen(str(folder), folder, "rafdb:x+empathic:y") == {}
    assert seen("imagenet", None, "fer2013:x") == {}
    assert seen("imagenet", folder, "rafdb:x+fer2013:y") == {"--teacher": ["fer2013"]}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--init", SHIPPED), "--init .*learnt from fer2013"),
        (("--student", "0.3"), "--init .*learnt from fer2013"),
        (("--student", "0.3", "--init", "random"), "--teacher .*learnt from fer2013"),
    ],
)
@pytest.mark.parametrize(
    "what",
    [
        ("--data", "fer2013:/x", "--kfold", "5"),
        ("--experiment", "all", "--small", "fer2013:/x", "--large", "affectnet:/y"),
    ],
)
def test_the_command_refuses_in_one_line(
    tmp_path: Path, asked: tuple[str, ...], told: str, what: tuple[str, ...]
) -> None:
    words = [*map(str, ("train", *what, *asked, "--out", tmp_path / "run"))]
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, ConfigError)
    assert error.exit_code == 78
    with pytest.raises(ConfigError, match=f"{told}.*--allow-seen"):
        raise error
    assert "\n" not in str(error)
    # With the flag the next fault is met: there are no such data.
    allowed = CliRunner().invoke(app, [*words, "--allow-seen"]).exception
    assert "no such file or folder" in str(allowed)


@pytest.fixture
def done(tmp_path: Path) -> tuple[cross.CrossValidation, cross.CrossValidation]:
    """Two reports over the same finished folds: seen and unseen."""
    init = str(saved(tmp_path / "c", checkpoint("synthetic")))
    out = tmp_path / "run"
    order = Order(
        "synthetic:faces=28", ("train",), 2, True, Recipe(), init, "auto", out, Path(init)
    )
    samples, plan = kfold.prepare(order, silent)
    for number, fold in enumerate(plan.folds, start=1):
        truth = np.array([samples[i].emotion for i in fold.test])
        scores = np.eye(7)[truth]
        record = {"truth": truth.tolist(), "answers": truth.tolist(), "checkpoint": "ab"}
        record |= {"summary": summary(scores, truth), "validation": 1.0, "faces_per_s": None}
        fold_folder(out, number).mkdir()
        (fold_folder(out, number) / kfold.RESULT).write_text(json.dumps(record))
    found = cross.cross_validate(order, None, silent)
    return found, replace(found, seen={})


def test_the_report_does_not_call_seen_faces_unseen(
    done: tuple[cross.CrossValidation, cross.CrossValidation], tmp_path: Path
) -> None:
    told = "Not unseen: --init learnt from synthetic before"
    for one, unseen in zip(done, (False, True), strict=True):
        folds_page.write(one, tmp_path)
        for name in (folds_page.MARKDOWN, folds_page.HTML):
            text = (tmp_path / name).read_text()
            assert ("by a network that did not see it" in text) == unseen
            assert (told in text) == (not unseen)


def test_the_record_tells_what_it_began_with(
    done: tuple[cross.CrossValidation, cross.CrossValidation], tmp_path: Path
) -> None:
    record = json.loads((tmp_path / "run" / cross.NAME).read_text())
    learnt = Checkpoint.load(tmp_path / "c").sha256
    assert record["weights"] == identity(str(tmp_path / "c")) == f"checkpoint {learnt}"
    assert record["teacher"] == learnt
    assert record["seen"] == {"--init": ["synthetic"], "--teacher": ["synthetic"]}


def test_the_table_of_experiments_tells_it_too() -> None:
    found = Trials(
        "folder", "rafdb", ("train",), True, 9, "ab", 0, None, 2, "nothing", 0,
        Recipe().to_json(), "c", "checkpoint ab", None, {"--init": ["rafdb"]}, {}, (),
    )  # fmt: skip
    assert "Not unseen: --init learnt from rafdb before" in "\n".join(experiments_page.notes(found))

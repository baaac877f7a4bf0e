"""What becomes of a run when it is shipped, told by its record and card."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_fer import statistics
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.datasets.corruptions import CORRUPTIONS
from edge_fer.datasets.faces import classes_of
from edge_fer.errors import BadData, NotFound
from edge_fer.progress import silent
from edge_fer.training import calibrate
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.lineage import earlier, lineage, named, own
from edge_fer.training.machine import tools
from edge_fer.training.model import build
from edge_fer.training.predict import predict_samples
from edge_fer.training.pretrained import Besides, main, ship
from edge_fer.training.recipe import Architecture, Recipe

TINY = Recipe(Architecture(size=71, width=0.03, middle_blocks=0), epochs=3)
DATA = "synthetic:faces=14"
CURVES = "step,phase,loss,accuracy,validation_accuracy,faces_per_s\n9,all layers,1.5,0.5,0.25,8\n"


def drawn(seed: int, init: str = "random") -> Checkpoint:
    keras.utils.set_random_seed(seed)
    facts = {"spec": "synthetic", "faces": 14, "sha256": "ab" * 32}
    made = {**tools(), "precision": "float32", "init": init, "faces_per_s": 41.2}
    weights = weights_of(build(TINY.architecture))
    return Checkpoint(weights, TINY, data={"train": facts, "validation": facts}, made=made)


@pytest.fixture(scope="module", autouse=True)
def every_class_scaled() -> Iterator[None]:
    """Few faces would be given one temperature, which cannot show a scaling folded wrongly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "ENOUGH", 1)
        yield


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ship")
    first = drawn(1).with_metrics(validation={"accuracy": 0.5})
    first.save(folder / "first")
    drawn(2, init=named(first)).save(folder / "run")
    (folder / "run" / "curves.csv").write_text(CURVES)
    drawn(3).save(folder / "student")
    cross = {
        "data": "synthetic", "splits": ["train"], "faces": 14, "kfold": 2, "grouped": True,
        "grouping": "subject", "groups": 2, "recipe": TINY.to_json(), "init": "random",
        "result": {"over_folds": {"accuracy": {"mean": 0.25, "sd": 0.01}}},
    }  # fmt: skip
    (folder / "kfold.json").write_text(json.dumps(cross))
    besides = Besides((folder / "first",), folder / "kfold.json", folder / "student")
    ship([folder / "run"], open_dataset(DATA), folder / "out", silent, besides)
    return folder


def test_the_card_has_a_row_for_every_fault(shipped: Path) -> None:
    made = Checkpoint.load(shipped / "out")
    text = (shipped / "out" / "README.md").read_text()
    found = made.metrics["corruptions"]
    assert list(found["each"]) == list(CORRUPTIONS)
    for name, one in found["each"].items():
        assert f"| {name} | {one['accuracy']:.2%} |" in text
    assert found["clean"] == made.metrics["validation"]["accuracy"]


def test_the_shipped_weights_give_the_calibrated_answers(shipped: Path) -> None:
    made = Checkpoint.load(shipped / "out")
    samples = samples_of(open_dataset(DATA), "validation")
    scores, truth = predict_samples(made, samples, silent), classes_of(samples)
    assert len(set(made.made["calibration"]["factor"])) == 7
    assert statistics.summary(scores, truth) == made.metrics["validation"]
    threshold = calibrate.abstention_threshold(scores, made.recipe.coverage)
    assert made.abstain_below == threshold


def test_the_card_tells_of_folds_student_costs_and_the_runs_before(shipped: Path) -> None:
    text = (shipped / "out" / "README.md").read_text()
    assert "2 folds, grouped by subject, of 14 faces of synthetic (train)" in text
    assert "25.00% ± 1.00" in text
    student = Checkpoint.load(shipped / "student")
    assert f"{sum(v.size for v in student.weights.values()):,} parameters" in text
    assert "41 faces/s" in text
    first = Checkpoint.load(shipped / "first")
    assert "| random | 71 px | 0.5 + 3 | 0.0006 | 50.00% |" in text
    assert f"| {named(first)} | 71 px" in text


def test_the_reads_of_the_test_split_are_counted(shipped: Path) -> None:
    assert Checkpoint.load(shipped / "out").data["test"]["read"] == 1
    plain = Besides(faults=False)
    same = ship([shipped / "run"], open_dataset(DATA), shipped / "out", silent, plain)
    assert same.data["test"]["read"] == 1
    drawn(4).save(shipped / "other")
    (shipped / "other" / "curves.csv").write_text(CURVES)
    again = ship([shipped / "other"], open_dataset(DATA), shipped / "out", silent, plain)
    assert again.data["test"]["read"] == 2
    assert "read 2 times" in (shipped / "out" / "README.md").read_text()
    assert "Under faults" not in (shipped / "out" / "README.md").read_text()


def test_a_run_counts_as_earlier_only_by_its_hash(shipped: Path) -> None:
    first, run = Checkpoint.load(shipped / "first"), Checkpoint.load(shipped / "run")
    assert [one["sha256"] for one in earlier(run, [shipped / "first"])] == [first.sha256]
    assert earlier(run, [shipped / "student"]) == []
    second = drawn(5, init=named(run))
    second = replace(second, made={**second.made, "lineage": [own(run)]})
    told = [one["sha256"] for one in earlier(second, [shipped / "first"])]
    assert told == [first.sha256, run.sha256]
    told = replace(run, made={**run.made, "lineage": lineage(first)})
    assert [one["sha256"] for one in lineage(told)] == [first.sha256, run.sha256]


def test_what_is_no_cross_validation_is_named(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadData, match=r"x\.json: not the kfold\.json"):
        ship([shipped / "run"], open_dataset(DATA), tmp_path / "o", silent,
             Besides(kfold=tmp_path / "x.json", faults=False))  # fmt: skip
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("curves", "error", "told"),
    [
        (None, NotFound, r"curves\.csv: missing"),
        ("", BadData, r"curves\.csv: not the curves of a run; they have step, phase"),
        ("a,b\n1,2\n", BadData, r"curves\.csv: not the curves of a run"),
    ],
)
def test_without_the_curves_nothing_is_written(
    tmp_path: Path, curves: str | None, error: type[Exception], told: str
) -> None:
    drawn(5).save(tmp_path / "run")
    if curves is not None:
        (tmp_path / "run" / "curves.csv").write_text(curves)
    with pytest.raises(error, match=told):
        ship(
            [tmp_path / "run"], open_dataset(DATA), tmp_path / "out", silent, Besides(faults=False)
        )
    assert not (tmp_path / "out").exists()


def test_a_card_that_cannot_be_written_leaves_no_checkpoint(tmp_path: Path, shipped: Path) -> None:
    shutil.copytree(shipped / "run", tmp_path / "run")
    (tmp_path / "run" / "curves.csv").write_text(CURVES.replace("1.5", "much"))
    with pytest.raises(ValueError, match="much"):
        ship(
            [tmp_path / "run"], open_dataset(DATA), tmp_path / "out", silent, Besides(faults=False)
        )
    assert not (tmp_path / "out").exists()


def test_the_command_ends_in_one_line_and_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "curves.csv").write_text(CURVES)
    asked = ["pretrained", str(tmp_path / "run"), "--data", DATA, "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", asked)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 66
    (line,) = capsys.readouterr().err.splitlines()
    assert "no checkpoint here" in line


def test_weights_are_shipped_as_half_precision(shipped: Path) -> None:
    for values in Checkpoint.load(shipped / "out").weights.values():
        assert (values == values.astype(np.float16).astype(np.float32)).all()

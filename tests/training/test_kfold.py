"""Folds are trained for real: killed, resumed, as Ray tasks, and as the paper's experiments."""

import json
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from killing import PATIENCE, SMALL, kill_when, train
from typer.testing import CliRunner

from edge_fer.cli import app
from edge_fer.errors import EdgeFerError
from edge_fer.training import state
from edge_fer.training.kfold import RESULT

pytestmark = pytest.mark.timeout(5 * PATIENCE)

TINY = f"{SMALL},head_epochs=0,epochs=1"
FOLDS = ("--kfold", "2", "--splits", "train", "--data", "synthetic:faces=42")


def record(out: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((out / name).read_text()))


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """Two folds, killed while the second was trained; what was there then, and the end's stderr."""
    out = tmp_path_factory.mktemp("kfold") / "run"
    asked = (*FOLDS, "--set", f"{TINY},epochs=2", "--out", out)
    kill_when(lambda: (out / "fold-2" / state.NAME).is_file(), *asked)
    assert not (out / "fold-2" / RESULT).exists()
    before = {
        "first": (out / "fold-1" / RESULT).read_bytes(),
        "second": state.load_record(out / "fold-2" / state.NAME),
    }
    done = train(*asked)
    assert done.returncode == 0, done.stderr
    return out, before, done.stderr


def test_a_finished_fold_is_kept_and_the_running_one_goes_on(
    resumed: tuple[Path, dict[str, Any], str],
) -> None:
    out, before, told = resumed
    assert (out / "fold-1" / RESULT).read_bytes() == before["first"]
    assert "fold 1" not in told
    second = state.load_record(out / "fold-2" / state.NAME)
    assert before["second"]
    assert second
    assert 0 < before["second"]["done"] < second["done"]
    assert second["start"] == before["second"]["start"]


def test_mean_spread_and_the_pooled_confusion_are_those_of_the_folds(
    resumed: tuple[Path, dict[str, Any], str],
) -> None:
    out, _, _ = resumed
    done, folds = record(out, "kfold.json"), [record(out / f"fold-{n}", RESULT) for n in (1, 2)]
    rates = [fold["summary"]["accuracy"] for fold in folds]
    assert done["result"]["over_folds"]["accuracy"]["mean"] == pytest.approx(np.mean(rates))
    assert done["result"]["over_folds"]["accuracy"]["sd"] == pytest.approx(np.std(rates, ddof=1))
    tables = [np.array(fold["summary"]["confusion"]) for fold in folds]
    assert (np.array(done["result"]["pooled"]["confusion"]) == sum(tables)).all()
    assert np.array(done["result"]["pooled"]["confusion"]).sum() == done["faces"] == 42
    assert (done["grouped"], done["grouping"], done["groups"]) == (True, "subject", 6)


class Text(HTMLParser):
    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_says_how_it_was_grouped(
    resumed: tuple[Path, dict[str, Any], str],
) -> None:
    out, _, _ = resumed
    page = Text()
    page.feed((out / "kfold.html").read_text())
    for text in (page.text, (out / "kfold.md").read_text()):
        assert "Grouped: no subject stands on two sides of a fold" in text
        assert "do not belong in one column" in text
        assert "mean ± sd" in text


def test_other_folds_in_the_same_folder_are_refused(
    resumed: tuple[Path, dict[str, Any], str],
) -> None:
    done = train(*FOLDS, "--no-group", "--set", f"{TINY},epochs=2", "--out", resumed[0])
    assert done.returncode == 65
    assert "of a run with another grouped; choose another --out" in done.stderr


def test_ray_runs_plain_folds_as_tasks_and_the_report_says_so(tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'edge-fer[ray]'")
    asked = (*FOLDS, "--no-group", "--ray", "local", "--set", TINY, "--out", tmp_path / "run")
    done = train(*asked)
    assert done.returncode == 0, done.stderr
    assert "Ray tasks: 2/2" in done.stderr
    assert "Plain folds, as in the paper" in done.stdout
    assert record(tmp_path / "run", "kfold.json")["grouped"] is False


def test_the_fault_of_a_ray_task_is_one_line(tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'edge-fer[ray]'")
    asked = (*FOLDS, "--ray", "local", "--set", TINY, "--out", tmp_path / "run")
    (tmp_path / "run" / "fold-1").mkdir(parents=True)
    (tmp_path / "run" / "fold-1" / state.NAME).write_text("{")
    done = train(*asked)
    assert done.returncode == 65
    assert f"{state.NAME}: cannot be read" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_all_experiments_stand_in_one_table_on_the_same_folds(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ("--experiment", "all", "--kfold", "2", "--splits", "train")
    data = ("--large", "synthetic:faces=84,seed=5", "--small", "synthetic:faces=56")
    done = train(*asked, *data, "--set", f"{TINY},batch=14", "--out", out)
    assert done.returncode == 0, done.stderr
    made = record(out, "experiments.json")
    assert [row["name"] for row in made["rows"]] == ["scratch", "frozen", "finetune", "combined"]
    assert {row["result"]["pooled"]["faces"] for row in made["rows"]} == {56}
    frozen = {record(out / "frozen" / f"fold-{n}", RESULT)["checkpoint"] for n in (1, 2)}
    assert len(frozen) == 1
    tuned = record(out / "finetune" / "fold-1", "checkpoint.json")["made"]["lineage"]
    assert [run["sha256"] for run in tuned] == list(frozen)
    combined = record(out / "combined" / "fold-1", "checkpoint.json")["data"]
    alone = record(out / "scratch" / "fold-1", "checkpoint.json")["data"]
    assert combined["train"]["faces"] > alone["train"]["faces"]
    assert combined["validation"]["sha256"] == alone["validation"]["sha256"]
    table = (out / "experiments.md").read_text()
    assert "Stand-in: synthetic for AffectNet and synthetic for Empathic" in table
    assert "| scratch (the small collection alone) | 62 % (plain folds) | not measured |" in table


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 78, "name --data, or an --experiment"),
        (("--experiment", "all"), 78, "needs --large and --small"),
        (("--experiment", "some", "--large", "synthetic:", "--small", "synthetic:"), 78, "'some'"),
        (("--data", "synthetic:faces=14", "--kfold", "5", "--splits", "train"), 78, "2 subjects"),
        (("--data", "synthetic:faces=84", "--kfold", "1"), 78, "at least 2 folds"),
        (("--data", "synthetic:faces=84", "--kfold", "2", "--splits", "all"), 78, "split 'all'"),
        (("--data", "synthetic:", "--recipe", "nowhere.toml"), 66, "nowhere.toml"),
        (("--data", "synthetic:", "--student", "0.1", "--teacher", "nowhere"), 66, "nowhere"),
    ],
)
def test_a_wrong_order_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    asked = ["train", "--init", "random", *arguments, "--out", str(tmp_path / "run")]
    error = CliRunner().invoke(app, asked).exception
    assert isinstance(error, EdgeFerError)
    assert (error.exit_code, said in str(error)) == (status, True), str(error)
    assert "\n" not in str(error)

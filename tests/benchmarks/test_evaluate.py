"""One model on one split: the figures, the page, and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import RunCli
from fakes import fake_bundle, scores_of
from layouts import affectnet_later, picture

from benchmarks.evaluate import Evaluation, abstaining, evaluate, expressions, groups
from benchmarks.evaluation_page import page, plain, write
from edge_fer.datasets.corruptions import CORRUPTIONS
from edge_fer.emotions import LABELS, Emotion
from edge_fer.engines import ENGINES
from edge_fer.errors import BadData, BundleError, NotFound
from edge_fer.types import Sample

HOSTILE = '<script src="http://x.test/a.js"></script>'


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle that answers "happy" to every face, 70 % sure."""
    monkeypatch.setitem(ENGINES, "tflite", "fakes:FakeEngine")
    return fake_bundle(tmp_path / "always-happy").path


@pytest.fixture
def people(tmp_path: Path) -> str:
    """Two women and a man of 31, 64 and untold age, each with every expression."""
    rows = []
    for n, told in enumerate(("31,female", "64,female", ",male")):
        for e, label in enumerate(LABELS):
            picture(tmp_path / f"{n}{e}.png", 7 * n + e)
            rows.append(f"{n}{e}.png,{label},test,{told}")
    (tmp_path / "people.csv").write_text("\n".join(["file,label,split,age,gender", *rows]))
    return f"folder:{tmp_path / 'people.csv'}"


@pytest.fixture
def found(bundle: Path, people: str) -> Evaluation:
    return evaluate(bundle, people)


class Reader(HTMLParser):
    """Keeps what a page's elements are and hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_model_that_always_says_happy_is_right_in_a_seventh(found: Evaluation) -> None:
    assert found.summary["accuracy"] == pytest.approx(1 / 7)
    assert found.summary["balanced_accuracy"] == pytest.approx(1 / 7)
    assert found.summary["calibration_error"] == pytest.approx(0.7 - 1 / 7)
    assert np.array(found.summary["confusion"])[:, Emotion.HAPPY].tolist() == [3] * 7


def test_precision_is_of_the_answers_and_recall_of_the_faces() -> None:
    answers, truth = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    neutral, happy, *others = expressions(answers, truth)
    assert neutral.precision is not None
    assert neutral.recall is not None
    assert (neutral.precision.value, neutral.recall.value) == (pytest.approx(1 / 3), 1.0)
    assert (happy.faces, happy.answers) == (3, 1)
    assert all(one.precision is None and one.recall is None for one in others)


def test_groups_are_those_of_the_columns_age_and_gender(found: Evaluation) -> None:
    counts = {(group.attribute, group.value): group.faces for group in found.groups}
    assert counts == {
        ("age", "18 to 39"): 7, ("age", "60 and over"): 7, ("age", "not told"): 7,
        ("gender", "female"): 14, ("gender", "male"): 7,
    }  # fmt: skip


def test_the_accuracy_of_a_group_is_of_its_own_faces() -> None:
    def face(gender: str) -> Sample:
        return Sample(Emotion.SAD, "x", lambda: NotImplemented, attributes=(("gender", gender),))

    samples = [face("female"), face("male"), face("male")]
    answers, truth = np.array([2, 2, 0]), np.array([2, 2, 2])
    rates = {group.value: group.accuracy.value for group in groups(samples, answers, truth)}
    assert rates == {"female": 1.0, "male": 0.5}


def test_data_without_such_columns_have_no_groups(bundle: Path) -> None:
    result = evaluate(bundle, "synthetic:faces=14")
    assert result.groups == ()
    assert "By group" not in page(result)


def test_the_reliability_bins_hold_every_face(found: Evaluation) -> None:
    (only,) = found.reliability
    assert (only.faces, only.confidence) == (21, pytest.approx(0.7))


def test_abstaining_leaves_the_faces_that_are_sure() -> None:
    scores = np.stack([scores_of(Emotion.SAD, best) for best in (0.9, 0.8, 0.3)])
    kept = abstaining(scores, np.array([2, 0, 2]), 0.5)
    assert kept.coverage.value == pytest.approx(2 / 3)
    assert kept.accuracy is not None
    assert kept.accuracy.value == 0.5


def test_the_threshold_is_that_of_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "fakes:FakeEngine")
    unsure = fake_bundle(tmp_path / "unsure", abstain_below=0.75).path
    result = evaluate(unsure, "synthetic:faces=7")
    assert result.abstaining is not None
    assert (result.abstaining.coverage.value, result.abstaining.accuracy) == (0.0, None)
    assert "not measured" in plain(result)


def test_the_split_and_its_origin_stand_beside_the_figures(bundle: Path, tmp_path: Path) -> None:
    result = evaluate(bundle, affectnet_later(tmp_path / "a", "val_set", range(7)))
    assert (result.protocol, result.origin) == ("one split", "official validation set")
    for text in (plain(result), Reader(page(result)).text):
        assert "Accuracy, test" in text
        assert "folds of a cross-validation belong in another column" in text


def test_dropped_rows_and_absent_expressions_are_noted(bundle: Path, tmp_path: Path) -> None:
    result = evaluate(bundle, affectnet_later(tmp_path / "a", "val_set", [0, 1, 7, 8]))
    assert any("No faces of sad, surprise" in note for note in result.notes)
    assert any("1 contempt, 1 none" in note for note in result.notes)


def test_no_path_of_this_machine_is_written(found: Evaluation, tmp_path: Path) -> None:
    assert str(tmp_path) not in found.to_json() + page(found) + plain(found)


def test_the_page_loads_nothing_and_runs_nothing(bundle: Path, people: str) -> None:
    table = Path(people.removeprefix("folder:"))
    table.write_text(table.read_text().replace("male", f'"{HOSTILE.replace(chr(34), chr(39))}"'))
    read = Reader(page(evaluate(bundle, people)))
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(read.tags)
    assert "x.test" in read.text


def test_the_page_shows_confusion_and_reliability(found: Evaluation) -> None:
    read = Reader(page(found))
    assert read.tags.count("svg") == 2
    for word in ("Summary", "By expression", "By group of persons", "Reliability", "always-happy"):
        assert word in read.text


def test_the_terminal_gets_intervals_in_aligned_columns(found: Evaluation) -> None:
    first, row, *_ = plain(found).splitlines()
    assert len(first) == len(row)
    assert "14.3 % (5.0 to 34.6)" in row


def test_every_fault_stands_beside_the_clean_faces_in_one_table(bundle: Path) -> None:
    result = evaluate(bundle, "synthetic:faces=14", corruptions=True)
    assert [one.corruption for one in result.corruptions] == list(CORRUPTIONS)
    # The fake answers "happy" to whatever it sees: no fault changes an answer.
    assert all(one.accuracy.value == pytest.approx(1 / 7) for one in result.corruptions)
    assert {one.difference.value for one in result.corruptions} == {0.0}
    for text in (plain(result), Reader(page(result)).text):
        assert all(name in text for name in (*CORRUPTIONS, "clean", "Against clean"))


def test_a_fault_that_costs_every_answer_is_a_loss_of_100_points(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def infer(_: object, faces: np.ndarray) -> np.ndarray:
        dark = faces.mean(axis=(1, 2, 3)) < 60
        return np.stack([scores_of(Emotion.SAD if d else Emotion.HAPPY) for d in dark])

    monkeypatch.setattr("fakes.FakeEngine.infer", infer)
    for number in range(40):
        picture(tmp_path / "faces" / "happy" / f"{number}.png", number)
    result = evaluate(bundle, f"folder:{tmp_path / 'faces'}", corruptions=True)
    lost = {one.corruption: one.difference.value for one in result.corruptions}
    assert lost == {**dict.fromkeys(CORRUPTIONS, 0.0), "low light": -1.0}


def test_both_files_are_written(found: Evaluation, tmp_path: Path) -> None:
    write(found, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert record["schema"] == "edge-fer/evaluation/1"
    assert (record["faces"]["split"], record["model"]["format"]) == ("test", "tflite")
    assert (tmp_path / "out" / "evaluation.html").read_text().startswith("<!doctype html>")


def test_a_limit_draws_so_many_faces(bundle: Path) -> None:
    assert evaluate(bundle, "synthetic:faces=70", limit=12).faces.count == 12


def test_an_unreadable_face_stops_it_by_name(bundle: Path, people: str, tmp_path: Path) -> None:
    (tmp_path / "00.png").write_text("no picture")
    with pytest.raises(BadData, match=r"00\.png: is not a readable picture"):
        evaluate(bundle, people)


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"neither a checkpoint .* nor a bundle"):
        evaluate(tmp_path, "synthetic:faces=7")


def test_a_damaged_bundle_is_refused(bundle: Path) -> None:
    (bundle / "m.tflite").write_bytes(b"y")
    with pytest.raises(BundleError):
        evaluate(bundle, "synthetic:faces=7")


def test_a_bundle_is_evaluated_without_tensorflow(tflite_bundle: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'nncf', 'openvino', 'scipy', 'matplotlib'):\n"
        "    sys.modules[name] = None\n"
        "from edge_fer.cli import main; main()"
    )
    out = tmp_path / "out"
    asked = ["evaluate", str(tflite_bundle), "--data", "synthetic:faces=14", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", code, *asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (
        json.loads((out / "evaluation.json").read_text())["model"]["precision_executed"] == "int8"
    )


def test_a_checkpoint_is_evaluated_in_float32(cli: RunCli, tmp_path: Path) -> None:
    from edge_fer.training.checkpoint import SHIPPED

    asked = ("--data", "synthetic:faces=7", "--out", tmp_path / "out")
    done = cli("evaluate", SHIPPED, *asked, env={**os.environ, "KERAS_BACKEND": "tensorflow"})
    assert done.returncode == 0, done.stderr
    model = json.loads((tmp_path / "out" / "evaluation.json").read_text())["model"]
    assert (model["format"], model["precision_executed"]) == ("keras", "fp32")

"""A baseline as a file: what it holds, and what it refuses to be paired with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import fake_bundle

from benchmarks.baseline_file import BaselineFile, Pass, check, load
from benchmarks.records import Model, Rate, Settings
from benchmarks.results import Measured, results
from benchmarks.run import invalid_because
from edge_fer.errors import BadData, ConfigError, NotFound
from edge_fer.statistics import summary

CHECKPOINT = "0" * 64  # as `fake_bundle` names its parent


@pytest.fixture
def made(draw):
    """A baseline of 200 faces, as a GPU machine would have made it."""
    report = draw(200, broken=False)
    parent = report.baseline
    best = np.array(list(parent.answers), int)
    truth = np.where(np.array(list(parent.right), int) == 1, best, (best + 1) % 7)
    scores = np.eye(7)[best] * 0.7 + 0.3 / 7
    model = replace(parent.model, device="GPU Some Card", sha256=CHECKPOINT)
    one = Pass(
        model, parent.cost, (Rate(2, 1, 100.0, 10.0), Rate(2, 2, 150.0, 13.0)), 2, 1_000_000,
        summary(scores, truth), tuple(map(tuple, scores.round(6).tolist())), parent.answers,
    )  # fmt: skip
    return BaselineFile(
        "2026-01-02T03:04:05+00:00", "0.1.0", CHECKPOINT, "jax", "GPU Some Card", 8_000_000_000,
        report.faces, Settings(), (one, replace(one, scores=())), report.machine,
        {"blur": parent.answers},
    )  # fmt: skip


@pytest.fixture
def file(made, tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text(made.to_json())
    return path


def test_it_is_read_as_it_was_written(made, file):
    assert load(file) == made


def test_a_bundle_is_paired_with_it_face_by_face(made):
    known = made.measured()
    child = Measured(
        "child", "bundle", model=Model(**{**_plain(known.model), "parent": CHECKPOINT}),
        scores=known.scores,
    )  # fmt: skip
    truth = known.scores.argmax(1).astype(np.int64)
    parent, found = results([known, child], truth)
    assert parent.name == "full precision (GPU Some Card)"
    assert (found.versus.is_parent, found.versus.same_rounds) == (True, False)
    assert (found.versus.agreement.value, found.versus.difference.value) == (1.0, 0.0)
    assert found.versus.memory is None


def _plain(model):
    return {name: getattr(model, name) for name in model.__slots__}


def test_other_faces_are_refused_in_one_line(made, file):
    other = replace(made.faces, sha256="cd" * 32)
    with pytest.raises(ConfigError, match="is of other faces") as told:
        check(made, file, other, [])
    assert "\n" not in str(told.value)


def test_faces_without_labels_cannot_be_paired(made, file):
    with pytest.raises(ConfigError, match="give its --data too"):
        check(made, file, replace(made.faces, sha256=None), [])


def test_a_bundle_of_another_checkpoint_is_refused_by_name(made, file, tmp_path):
    bundle = fake_bundle(tmp_path / "mine").path
    check(made, file, made.faces, [bundle, tmp_path / "not-there"])
    with pytest.raises(ConfigError, match=r"but .*mine was made from 000000000000"):
        check(replace(made, checkpoint="f" * 64), file, made.faces, [bundle])


def test_a_file_that_is_not_there_names_the_command(tmp_path):
    with pytest.raises(NotFound, match="edge-fer bench baseline"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.update(schema="edge-fer/baseline/9"),
        lambda record: record.pop("passes"),
        lambda record: record["passes"][0]["scores"].pop(),
        lambda record: record["passes"][0].update(answers="8" * 200),
        lambda record: record["corruptions"].update(blur="012"),
        lambda record: record.update(passes=[]),
        lambda record: record.update(faces=[]),
    ],
)
def test_a_damaged_file_is_refused_by_name(made, file, spoil):
    record = json.loads(file.read_text())
    spoil(record)
    file.write_text(json.dumps(record))
    with pytest.raises(BadData, match=r"baseline\.json: .*edge-fer bench baseline"):
        load(file)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"{"])
def test_what_is_no_json_object_is_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(BadData, match=r"baseline\.json"):
        load(file)


def test_times_against_a_throttled_baseline_are_invalid_too(made):
    slow = replace(made, invalid="throttled 2 times")
    assert invalid_because(None, made) is None
    assert invalid_because("under-voltage", None) == "under-voltage"
    told = invalid_because("under-voltage", slow)
    assert told == "under-voltage, the baseline's machine: throttled 2 times"

"""What a report may say, given how many faces it saw."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy import UNDECIDED, WITHIN, WORSE, predict, verdict
from benchmarks.faces import labelled_faces, plain_faces
from benchmarks.report import SCHEMA, Report
from edge_fer.emotions import LABELS
from edge_fer.errors import BadData, ConfigError
from edge_fer.statistics import Interval


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.009, 0.02, WITHIN), (-0.03, -0.011, WORSE), (-0.03, 0.01, UNDECIDED)],
)
def test_the_interval_decides_the_verdict(low, high, said):
    assert verdict(Interval(0.0, low, high), 5000) == said


def test_under_a_hundred_faces_the_verdict_is_withheld_and_the_interval_kept(draw):
    for result in draw(99, broken=False).bundles:
        assert result.versus.verdict is None
        assert result.versus.difference is not None


def test_under_a_thousand_faces_the_verdict_is_provisional(draw):
    assert all(r.versus.provisional for r in draw(999, broken=False).bundles)
    assert not any(r.versus.provisional for r in draw(1000, broken=False).bundles)


def test_without_labels_only_agreement_is_known(draw):
    report = draw(500, labelled=False, broken=False)
    assert all(result.accuracy is None for result in report.results)
    for versus in (result.versus for result in report.bundles):
        assert versus.agreement is not None
        assert (versus.difference, versus.mcnemar_p, versus.verdict) == (None, None, None)


def test_a_failed_subject_gives_exit_status_1(report, draw):
    assert report.exit_status == 1
    assert draw(200, broken=False).exit_status == 0


def test_json_gives_the_same_report_again(report):
    assert Report.from_json(report.to_json()) == report
    assert report.to_json().startswith(f'{{\n "schema": "{SCHEMA}"')


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": "edge-fer/bench/2"}', '{"schema": "edge-fer/bench/1"}']
)
def test_anything_else_is_not_a_report(text):
    with pytest.raises(BadData, match="edge-fer bench"):
        Report.from_json(text)


def test_a_field_of_a_later_version_is_passed_over(report):
    text = report.to_json().replace('"made"', '"later": 1, "made"', 1)
    assert Report.from_json(text) == report


def test_the_share_of_an_expression_is_beside_its_change(report):
    versus = report.bundles[1].versus
    assert set(versus.per_class) == set(LABELS)
    assert versus.per_class["happy"].low < versus.per_class["happy"].value


def test_answers_and_hits_are_kept_one_digit_a_face(report):
    one = report.bundles[0]
    assert (len(one.answers), set(one.right)) == (3589, {"0", "1"})
    assert one.right.count("1") / 3589 == pytest.approx(one.accuracy["accuracy"])


def test_faults_are_paired_with_the_baseline_under_the_same_fault(report):
    for one in report.bundles[1].corruptions:
        assert one.difference.low < one.difference.value < one.difference.high
    assert report.baseline.corruptions[0].difference is None


def test_predictions_come_in_chunks_and_in_order():
    class Counting:
        name = "counting"

        def predict(self, start, stop):
            return [[float(i)] * 7 for i in range(start, stop)]

    seen = []
    scores = predict(Counting(), 300, lambda *said: seen.append(said[1]))
    assert (scores[:, 0] == np.arange(300)).all()
    assert seen == [128, 256, 300]


def test_a_limit_draws_from_all_expressions():
    faces = labelled_faces("synthetic:", "test", 350)
    assert faces.facts.count == 350
    assert min(faces.facts.per_class.values()) > 20


def test_faces_are_cut_to_the_size_that_is_asked_for():
    faces = plain_faces(np.zeros((3, 48, 40, 3), np.uint8), 2)
    assert faces.at(72).shape == (2, 72, 72, 3)
    assert faces.truth is None


def test_faces_of_another_kind_are_refused():
    with pytest.raises(ConfigError, match="uint8"):
        plain_faces(np.zeros((3, 48, 40, 3), np.float32), None)

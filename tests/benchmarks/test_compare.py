"""Two reports side by side, and the rules that a CI sets."""

from __future__ import annotations

import json

import pytest

from benchmarks.compare import compare
from benchmarks.rules import rules_of
from benchmarks.words import TIMES
from edge_fer.errors import BadData, ConfigError, NotFound


@pytest.fixture
def two(draw, tmp_path):
    """An earlier run and one that is 1.3 times slower, on the same faces."""
    paths = []
    for name, slower in (("a", 1.0), ("b", 1.3)):
        path = tmp_path / name / "report.json"
        path.parent.mkdir()
        path.write_text(draw(400, broken=False, slower=slower).to_json())
        paths.append(path)
    return paths


def edit(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_every_model_of_both_runs_has_its_row(two):
    text = "\n".join(compare(*two).lines)
    assert text.count(f"1.30{TIMES}") >= 3
    assert "xception-int8-openvino" in text
    assert "not paired" not in text


def test_a_folder_stands_for_the_report_in_it(two):
    assert compare(two[0].parent, two[1].parent).lines == compare(*two).lines


@pytest.mark.parametrize(
    ("rule", "broken"),
    [("p90>1.2x", 3), ("p90>1.5x", 0), ("drop>1pp", 0), ("drop>1pp,p90>1.2x", 3), ("size>1x", 0)],
)
def test_rules_name_the_models_that_break_them(two, rule, broken):
    found = compare(*two, rule)
    assert len(found.broken) == broken
    assert all(line.startswith("FAIL xception") for line in found.broken)


def test_a_drop_is_paired_face_by_face(two):
    def worse(record):
        one = record["results"][2]
        flipped = one["right"].replace("1", "0", 40)
        one["right"] = flipped

    edit(two[1], worse)
    (line,) = compare(*two, "drop>5pp").broken
    assert "drop is +10.00 points" in line


def test_without_the_hits_of_each_face_the_intervals_are_wider_and_it_is_said(two):
    paired = compare(*two)
    for path in two:
        edit(path, lambda record: [one.update(right=None) for one in record["results"]])
    apart = compare(*two)
    assert any("not paired" in line for line in apart.lines)
    assert apart.lines[1] != paired.lines[1]


def test_what_was_not_measured_breaks_a_rule(two):
    edit(two[1], lambda record: record["results"][3].update(cost=None))
    (line,) = compare(*two, "p90>9x").broken
    assert "was not measured in both runs" in line


def test_a_model_that_is_gone_breaks_every_rule(two):
    edit(two[1], lambda record: record["results"].pop(2))
    found = compare(*two, "drop>50pp,p90>9x")
    assert [line.rpartition(": ")[2] for line in found.broken] == ["it is not in the later run"] * 2


@pytest.mark.parametrize(("rule", "broken"), [("p90>9x", 1), ("drop>50pp", 0)])
def test_rules_on_times_are_broken_by_a_run_that_must_not_be_quoted(two, rule, broken):
    edit(two[1], lambda record: record.update(invalid="throttled 2 times"))
    found = compare(*two, rule).broken
    assert len(found) == broken
    assert all("the later run is invalid (throttled 2 times)" in line for line in found)


def test_two_machines_and_an_invalid_run_are_named(two):
    edit(two[1], lambda r: (r["machine"].update(cpu="Cortex-A53"), r.update(invalid="throttled")))
    text = "\n".join(compare(*two).lines)
    assert "Two machines: Cortex-A76, 4 cores, then Cortex-A53, 4 cores" in text
    assert "The later run is invalid (throttled)" in text


@pytest.mark.parametrize("text", ["drop", "drop>1%", "drop>1x", "p90>1.2pp", "speed>2x", "p90<1x"])
def test_a_rule_that_is_none_is_refused_by_name(text):
    with pytest.raises(ConfigError, match="--fail-on"):
        rules_of(text)


def test_rules_are_read_with_their_units():
    drop, p90 = rules_of("drop>0.5pp, p90>1.2x")
    assert (drop.figure, drop.most, p90.figure, p90.most) == ("drop", 0.005, "p90", 1.2)


def test_a_report_that_is_not_there_or_of_another_schema_is_refused(two, tmp_path):
    with pytest.raises(NotFound, match="no report here"):
        compare(tmp_path / "none.json", two[1])
    edit(two[0], lambda record: record.update(schema="edge-fer/bench/1"))
    with pytest.raises(BadData, match="run `edge-fer bench` again"):
        compare(*two)


def test_runs_without_a_common_model_cannot_be_compared(two):
    edit(two[1], lambda r: [one.update(name=one["name"] + "-2") for one in r["results"]])
    with pytest.raises(ConfigError, match="same name in both"):
        compare(*two)

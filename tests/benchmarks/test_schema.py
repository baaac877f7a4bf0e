"""The shipped JSON Schemas are those of the code, and hold for what it writes."""

from __future__ import annotations

import json

import jsonschema
import pytest
from conftest import ROOT

from benchmarks import schema

REFERENCE = ROOT / "benchmarks" / "reference"


def shipped(name):
    return json.loads((schema.FOLDER / name).read_text())


@pytest.mark.parametrize("name", schema.FILES)
def test_the_shipped_schema_is_that_of_the_dataclasses(name):
    told = "run python -m benchmarks.schema"
    assert (schema.FOLDER / name).read_text() == schema.text_of(schema.FILES[name]), told
    jsonschema.Draft202012Validator.check_schema(shipped(name))


def test_a_report_fits_its_schema(report):
    jsonschema.validate(json.loads(report.to_json()), shipped("bench.schema.json"))


def test_a_report_with_a_text_for_a_number_does_not(report):
    record = json.loads(report.to_json())
    record["results"][0]["cost"]["p50_ms"] = "fast"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, shipped("bench.schema.json"))


def test_fields_are_described_by_the_sentence_below_them():
    cost = shipped("bench.schema.json")["$defs"]["Cost"]["properties"]
    assert cost["load_ms"]["description"].startswith("Runtime imported")


@pytest.mark.parametrize("name", ["report.json", "baseline.json"])
def test_the_reference_results_fit_too(name):
    files = sorted(REFERENCE.glob(f"*/{name}"))
    assert files
    kind = {"report.json": "bench.schema.json", "baseline.json": "baseline.schema.json"}[name]
    for file in files:
        jsonschema.validate(json.loads(file.read_text()), shipped(kind))

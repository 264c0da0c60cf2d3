"""docs/metrics.schema.json describes what runs write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError
from made_run import make_metrics

from embft.reporting.metrics_schema import metrics_schema

WRITTEN = Path(__file__).parents[2] / "docs" / "metrics.schema.json"


def test_the_file_in_docs_is_the_schema():
    schema = metrics_schema()
    Draft202012Validator.check_schema(schema)
    assert json.loads(WRITTEN.read_text(encoding="utf-8")) == schema, "python scripts/reference.py writes it anew"


def test_a_run_with_and_without_its_optional_parts_is_valid():
    validator = Draft202012Validator(metrics_schema())
    validator.validate(json.loads(json.dumps(make_metrics())))
    validator.validate(json.loads(json.dumps(make_metrics(tuned=None, fusion=None, general=None, corpus=None))))


@pytest.mark.parametrize("missing", ["systems", "verdict", "comparisons"])
def test_a_missing_part_is_not(missing):
    metrics = json.loads(json.dumps(make_metrics()))
    del metrics[missing]
    with pytest.raises(ValidationError):
        Draft202012Validator(metrics_schema()).validate(metrics)

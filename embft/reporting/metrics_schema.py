"""The JSON Schema of metrics.json, made of the types of `embft.results`: docs/metrics.schema.json is this, written down."""

from __future__ import annotations

from typing import Any

from embft.dataset.findings import Finding
from embft.evaluation.costs import SystemCosts
from embft.evaluation.figures import Askings, ComparisonRow, Seeds, SliceRow
from embft.evaluation.power import Power
from embft.evaluation.realism import RealismRow
from embft.judging.judgements import JudgingReport
from embft.ranking.bench import Fusion
from embft.ranking.reranking import Reranking
from embft.reporting.metrics_file import SCHEMA_VERSION
from embft.results import Note, PooledReading, RunFacts, Timing
from embft.retrieval.approximate import IndexFacts
from embft.wording import LANGUAGES

Schema = dict[str, Any]
_NUMBERS: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
_ENDS: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_INTERVALS: Schema = {"type": "object", "additionalProperties": _ENDS}


def metrics_schema() -> Schema:
    """The schema of the contract's metrics.json (JSON Schema, draft 2020-12)."""
    schema = _object(
        {
            "schema_version": {"const": SCHEMA_VERSION},
            "status": {"const": "ok"},
            "experiment": _of(RunFacts),
            "systems": {"type": "object", "additionalProperties": _system(), "minProperties": 1},
            "comparisons": _list(_of(ComparisonRow)),
            "timings": {"type": "object", "additionalProperties": _of(Timing)},
            "dataset": _dataset(),
            "handed_over": _object({name: {"type": "string"} for name in ("chunks", "search", "expand")}),
            "fusion": _or_null(_of(Fusion)),
            "reranking": _or_null(_of(Reranking)),
            "index": _or_null({"type": "object", "additionalProperties": _of(IndexFacts)}),
            "training": _or_null(_training()),
            "notes": _list(_of(Note)),
            "audits": _object(
                {
                    "findings": _list(_of(Finding)),
                    "clean": _list({"type": "string"}),
                    "power": _of(Power),
                    "precision": {"type": "number"},
                }
            ),
            "slices": _list(_of(SliceRow)),
            "general": _or_null(_general()),
            "seeds": _or_null(_of(Seeds)),
            "askings": _or_null(_of(Askings)),
            "refit": _or_null(_training()),
            "judging": _or_null(_judging()),
            "verdict": _verdict(),
            "objective": _object(
                {"name": {"type": "string"}, "split": {"const": "dev"}, "value": {"type": ["number", "null"]}}
            ),
            "report": _object({"language": {"enum": list(LANGUAGES)}}),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metrics.json of an embft run",
        "description": "Figures of every system, their comparisons and the verdict. Made by scripts/reference.py.",
        **schema,
    }


def _system() -> Schema:
    fixed = {
        "intervals": _INTERVALS,
        "score_name": {"type": "string"},
        "dev": _NUMBERS,
        "dev_intervals": _INTERVALS,
        "metrics": _NUMBERS,
        "description": {"type": "string"},
    }
    return {
        "description": "Means by metric (ndcg@10, hit_rate@5...), and what stands beside them.",
        "type": "object",
        "properties": fixed,
        "required": list(fixed),
        "additionalProperties": {"type": "number"},
    }


def _dataset() -> Schema:
    anything = {"type": ["object", "null"]}
    return _object(
        {
            "name": {"type": "string"},
            "corpus": {"type": ["string", "null"]},
            "questions": _COUNTS,
            "chunks": _COUNTS,
            "searched": _COUNTS,
            "origins": {"type": "object", "additionalProperties": _COUNTS},
            "left_out": _COUNTS,
            "realism": _list(_of(RealismRow)),
            "context": anything,
            "reading": anything,
            "generation": anything,
            "held_back": anything,
            "asked": {"type": "object", "additionalProperties": {"type": "string"}},
            "cut": {"type": "string"},
            "unmapped": _list({"type": "object"}),
        }
    )


def _training() -> Schema:
    return {
        "description": "The fine-tune: what was learned from, figures by epoch, which epoch was kept, the recipe.",
        "type": "object",
        "properties": {
            "best_epoch": {"type": "integer", "minimum": 0},
            "seconds": {"type": "number"},
            "history": _list({"type": "object", "required": ["epoch"]}),
            "settings": {"type": "object"},
        },
        "required": ["part", "loss", "epochs", "best_epoch", "seconds", "history", "fingerprint", "settings"],
    }


def _general() -> Schema:
    return _object(
        {
            "name": {"type": "string"},
            "questions": {"type": "integer"},
            "chunks": {"type": "integer"},
            "systems": {"type": "object", "additionalProperties": {"type": "object"}},
            "comparisons": _list(_of(ComparisonRow)),
        }
    )


def _judging() -> Schema:
    schema = _of(JudgingReport)
    schema["properties"]["with_pool"] = _of(PooledReading)
    schema["required"] = [*schema["required"], "with_pool"]
    return schema


def _verdict() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "decision": text,
            "headline": text,
            "reasons": _list(text),
            "metric": text,
            "margin": {"type": "number"},
            "expected_loss": _NUMBERS,
            "chance_best": _NUMBERS,
            "meanwhile": {"type": ["string", "null"]},
            "with_pool": {"type": ["string", "null"]},
            "costs": {"type": "object", "additionalProperties": _of(SystemCosts)},
        },
        "required": ["decision", "headline", "reasons", "metric", "costs"],
    }


def _of(kind: Any) -> Schema:
    """The schema of a dataclass, with those that it holds written out in their places."""
    from pydantic import TypeAdapter

    schema: Schema = TypeAdapter(kind).json_schema()
    inner = schema.pop("$defs", {})
    resolved: Schema = _resolved(schema, inner)
    return resolved


def _resolved(node: Any, inner: Schema) -> Any:
    if isinstance(node, list):
        return [_resolved(item, inner) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolved(inner[node["$ref"].rpartition("/")[2]], inner)
    return {key: _resolved(value, inner) for key, value in node.items() if key not in {"title", "default"}}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}

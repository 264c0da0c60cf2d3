"""metrics.json: a run's outcome written down. docs/metrics.schema.json describes it, and a test holds real runs against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from embft.evaluation.figures import QuestionRow, SystemResult
from embft.reporting.language import report_language
from embft.results import Outcome

SCHEMA_VERSION = 1


def metrics_of(outcome: Outcome) -> dict[str, object]:
    """The content of metrics.json."""
    return {
        "schema_version": SCHEMA_VERSION,
        "status": "ok",
        "experiment": asdict(outcome.experiment),
        "systems": {name: _system(result, outcome) for name, result in outcome.evaluated.systems.items()},
        "comparisons": [asdict(row) for row in outcome.evaluated.comparisons],
        "timings": {name: asdict(timing) for name, timing in outcome.timings.items()},
        "dataset": _dataset(outcome),
        "handed_over": _handed_over(outcome),
        "fusion": asdict(outcome.fusion) if outcome.fusion else None,
        "reranking": asdict(outcome.reranking) if outcome.reranking else None,
        "index": {name: asdict(facts) for name, facts in outcome.index.items()} or None,
        "training": outcome.tuned.report.as_json() if outcome.tuned else None,
        "notes": [asdict(note) for note in outcome.notes],
        "audits": {
            "findings": [asdict(finding) for finding in outcome.audits.findings],
            "clean": outcome.audits.clean,
            "power": asdict(outcome.audits.power),
            "precision": outcome.config.evaluation.precision,
        },
        "slices": [asdict(row) for row in outcome.evaluated.slices],
        "general": _general(outcome),
        "seeds": asdict(outcome.seeds) if outcome.seeds else None,
        "askings": asdict(outcome.evaluated.askings) if outcome.evaluated.askings else None,
        "refit": outcome.refitted.report.as_json() if outcome.refitted else None,
        "judging": _judging(outcome),
        "verdict": asdict(outcome.verdict),
        "objective": {"name": outcome.config.evaluation.objective, "split": "dev", "value": outcome.objective},
        "report": {"language": report_language(outcome)},
    }


def per_query_rows(rows: list[QuestionRow]) -> list[dict[str, object]]:
    """The lines of per_query.jsonl."""
    return [
        {
            **asdict(row),
            "systems": {
                name: {"rank": result.rank, **result.scores, "top": result.top} for name, result in row.systems.items()
            },
        }
        for row in rows
    ]


def tracker_keys(metrics: Mapping[str, Any]) -> dict[str, object]:
    """metrics.json as tracker keys: ``objective``, ``eval/<system>/<metric>``, ``timing/<stage>``, ``verdict/...`` and others."""
    flat: dict[str, object] = {"objective": metrics["objective"]["value"]}
    for system, figures in metrics["systems"].items():
        for name, value in figures.items():
            if isinstance(value, float):
                flat[f"eval/{system}/{name}"] = value
        flat |= {f"eval/{system}/{name}": value for name, value in figures["metrics"].items()}
        flat |= {f"eval/{system}/dev/{name}": value for name, value in figures["dev"].items()}
        for name, (low, high) in figures["intervals"].items():
            flat |= {f"eval/{system}/{name}/ci_low": low, f"eval/{system}/{name}/ci_high": high}
    for name, spread in (metrics["seeds"] or {"metrics": {}})["metrics"].items():
        flat |= {f"eval/tuned/seeds/{name}/{key}": spread[key] for key in ("mean", "sd")}
    for row in metrics["comparisons"]:
        prefix = f"comparison/{row['system']}_vs_{row['baseline']}/{row['metric']}"
        flat |= _difference(prefix, row)
        flat |= {f"{prefix}/{name}": row[name] for name in ("p_value", "wins", "losses", "ties")}
    for row in (metrics["general"] or {"comparisons": ()})["comparisons"]:
        flat |= _difference(f"general/tuned_vs_base/{row['metric']}", row)
    for system, costs in metrics["verdict"]["costs"].items():
        flat |= {f"verdict/costs/{system}/{name}": value for name, value in costs.items() if value is not None}
    for finding in metrics["audits"]["findings"]:
        flat[f"audits/{finding['audit']}"] = finding["count"]
    flat |= {f"timing/{stage}": timing["seconds"] for stage, timing in metrics["timings"].items()}
    verdict = metrics["verdict"]
    flat |= {f"verdict/{name}": verdict[name] for name in ("decision", "headline")}
    for name in ("expected_loss", "chance_best"):
        flat |= {f"verdict/{name}/{system}": value for system, value in verdict[name].items()}
    flat |= {f"dataset/questions/{name}": count for name, count in metrics["dataset"]["questions"].items()}
    if metrics["fusion"]:
        flat["fusion/weight"] = metrics["fusion"]["weight"]
    for name, facts in (metrics["index"] or {}).items():
        flat |= {f"index/{name}/recall@{depth}": share for depth, share in facts["recall"].items()}
    if metrics["reranking"]:
        flat["reranking/weight"] = metrics["reranking"]["weight"]
    return flat


def question_table(rows: list[QuestionRow], systems: list[str]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of the tracker's table of questions: each system's rank and nDCG@10."""
    columns = ["question_id", "question", "origin", "relevant"]
    columns += [f"{system}/{name}" for system in systems for name in ("rank", "ndcg@10")]
    return columns, [
        [
            row.question_id,
            row.question,
            row.origin,
            " ".join(row.relevant),
            *(
                figure
                for system in systems
                for figure in (row.systems[system].rank, row.systems[system].scores["ndcg@10"])
            ),
        ]
        for row in rows
    ]


def _system(result: SystemResult, outcome: Outcome) -> dict[str, object]:
    fields = asdict(result)
    judged = fields.pop("judged")
    name = f"judged@{outcome.config.evaluation.judging.first}"
    return {**fields.pop("means"), **({} if judged is None else {name: judged}), **fields}


def _judging(outcome: Outcome) -> dict[str, object] | None:
    if outcome.judged is None or outcome.evaluated.pooled is None:
        return None
    return {**asdict(outcome.judged), "with_pool": asdict(outcome.evaluated.pooled)}


def _dataset(outcome: Outcome) -> dict[str, object]:
    corpus, questions = outcome.corpus, outcome.questions
    fields = asdict(outcome.dataset)
    fields.pop("warnings")  # they are among the notes
    return {
        "name": outcome.config.dataset.name,
        "corpus": outcome.config.corpus.name if corpus else None,
        **fields,
        "reading": asdict(corpus.reading) if corpus else None,
        "generation": dict(questions.report) if questions else None,
        "held_back": dict(outcome.asked.report) if outcome.asked else None,
        "unmapped": [asdict(row) for row in outcome.asked.unmapped] if outcome.asked else [],
    }


def _handed_over(outcome: Outcome) -> dict[str, object]:
    """What decides which text a ranking hands over: jobs in which it differs are compared by answer@N."""
    retrieval = outcome.config.retrieval
    windows = f"windows of {retrieval.window_tokens} tokens, {retrieval.window_overlap} shared"
    search = {"windows": windows, "late": f"{windows}, late", "truncate": "cut off at the model's limit"}[
        retrieval.mode
    ]
    return {"chunks": outcome.dataset.cut, "search": search, "expand": retrieval.expand}


def _general(outcome: Outcome) -> dict[str, object] | None:
    general = outcome.general
    if general is None:
        return None
    systems = {name: {**result.means, "intervals": result.intervals} for name, result in general.systems.items()}
    return {**asdict(general), "systems": systems}


def _difference(prefix: str, row: Mapping[str, Any]) -> dict[str, float]:
    low, high = row["ci95"]
    return {f"{prefix}/delta": row["delta"], f"{prefix}/ci_low": low, f"{prefix}/ci_high": high}

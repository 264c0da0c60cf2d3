"""Stage ``report``: everything that the run found out, to metrics.json, per_query.jsonl, report and tracker.

Never cached: it is quick, and it describes this run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from embft.config import ExperimentConfig
from embft.evaluation.costs import cost_sentence, costs_of, rate_of, untried_sentence
from embft.evaluation.verdict import CANNOT_TELL, decide
from embft.files import write_json, write_jsonl
from embft.reporting.load_example import load_example
from embft.runs.folder import RunFolder
from embft.stages import StageResult
from embft.steps.audits import Audits
from embft.steps.corpus import Corpus
from embft.steps.dataset import Dataset
from embft.steps.evaluation import Evaluated
from embft.steps.questions import Questions
from embft.steps.ranking import Rankings
from embft.steps.realism import realism_warnings
from embft.steps.training import Tuned
from embft.tracking import Tracker

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1


def write_report(
    config: ExperimentConfig,
    run: RunFolder,
    tracker: Tracker,
    model_name: str,
    corpus: StageResult[Corpus] | None,
    questions: StageResult[Questions] | None,
    dataset: StageResult[Dataset],
    audits: Audits,
    tuned: StageResult[Tuned] | None,
    rankings: StageResult[Rankings],
    evaluated: StageResult[Evaluated],
    measured: Mapping[str, Any],
    general: dict[str, Any] | None,
    seeds: dict[str, Any] | None,
    timings: dict[str, dict[str, Any]],
) -> float:
    """Writes the run's results, tracks them, prints the summary. Returns the objective."""
    from embft.reporting.audit_phrases import general_sentence
    from embft.reporting.card import write_card
    from embft.reporting.html import write_html
    from embft.reporting.markdown import write_markdown
    from embft.reporting.text import print_summary

    started = time.perf_counter()
    report = evaluated.value
    data = dataset.value.report
    test_origins = data["origins"]["test"]
    systems = {
        name: {**figures, "description": describe_system(name, config, model_name, rankings.value.fusion)}
        for name, figures in report.systems.items()
    }
    merge = tuned.value.report.get("merge") if tuned else None
    if merge and merge["alpha"] < 1 and "tuned" in systems:
        systems["tuned"]["description"] += f"; weights {merge['alpha']:.0%} tuned, the rest base"
    whitening = tuned.value.report.get("whitening") if tuned else None
    if whitening and whitening["left_out"] is None and "tuned" in systems:
        systems["tuned"]["description"] += "; vectors whitened"
    endpoint = config.evaluation.openai
    own = config.model.endpoint
    base_rate = rate_of(own.model, own.price_per_million_tokens) if config.model.kind == "endpoint" else 0.0
    costs = costs_of(list(systems), measured, endpoint.model, endpoint.price_per_million_tokens, base_rate)
    verdict = decide(systems, report.comparisons, test_origins, config.evaluation.primary)
    if verdict["decision"] != CANNOT_TELL:
        verdict["reasons"].append(cost_sentence(verdict["decision"], costs[verdict["decision"]], measured["chunks"]))
        if config.model.kind == "weights" and not config.retrieval.late_interaction:
            verdict["reasons"].extend(filter(None, [untried_sentence(measured)]))
    verdict["costs"] = costs
    if general is not None:
        verdict["reasons"].append(general_sentence(general, config.evaluation.primary))
    metrics: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "status": "ok",
        "experiment": run.describe(),
        "systems": systems,
        "comparisons": report.comparisons,
        "timings": timings,
        "dataset": {
            "name": config.dataset.name,
            "corpus": config.corpus.name if corpus else None,
            **{name: data[name] for name in ("questions", "chunks", "searched", "origins", "left_out")},
            "reading": corpus.value.reading if corpus else None,
            "generation": _generation(questions),
            "realism": data["realism"],
            "unmapped": questions.value.report["unmapped"] if questions else [],
        },
        "fusion": rankings.value.fusion,
        "training": _training(tuned),
        "notes": _notes(data, tuned, rankings, test_origins),
        "audits": {**audits.describe(), "precision": config.evaluation.precision},
        "slices": report.slices,
        "general": general,
        "seeds": seeds,
        "verdict": verdict,
    }
    objective = _objective(config, systems)
    metrics["objective"] = {"name": config.evaluation.objective, "split": "dev", "value": objective}
    splits = dataset.value.splits
    searched = splits.searched("test").corpus
    write_jsonl(run.folder / "per_query.jsonl", report.rows)
    write_html(run.folder / "report.html", metrics, report.rows, searched)
    write_markdown(run.folder / "report.md", metrics)
    if tuned is not None:
        write_card(run.folder / "model", metrics, model_name, load_example(config, tuned.value))
    timings["report"] = {"seconds": round(time.perf_counter() - started, 3), "cached": False, "built_seconds": None}
    write_json(run.folder / "metrics.json", metrics)
    _track(tracker, metrics, report.rows)
    for name in ("metrics.json", "report.html"):
        tracker.file(run.folder / name)
    print_summary(metrics, run.folder)
    return objective


def describe_system(name: str, config: ExperimentConfig, model_name: str, fusion: Mapping[str, Any] | None) -> str:
    """What a system is, in one line."""
    retrieval = config.retrieval
    if retrieval.mode == "windows":
        read = f"windows of {retrieval.window_tokens} tokens"
        how = f"best window of {retrieval.window_tokens} tokens"
    else:
        read = "chunks cut off at the model's limit"
        how = "one vector a chunk, cut off at the model's limit"
    if retrieval.late_interaction:
        how = f"late interaction: a vector a token, {read}"
    if name == "bm25":
        terms = "stemmed words and pairs of them" if retrieval.bm25_pairs else "stemmed words"
        window = f", a chunk and its best window of {retrieval.bm25_window} words" if retrieval.bm25_window else ""
        return f"BM25 over {terms} (k1 {retrieval.bm25_k1:g}, b {retrieval.bm25_b:g}){window}"
    if name == "base":
        return f"{model_name}, {how}"
    if name == "tuned":
        return f"{model_name} tuned, {how}"
    if name == "openai":
        return f"{config.evaluation.openai.model} from an API, one vector a chunk"
    assert fusion is not None
    return f"{fusion['weight']:.0%} {fusion['dense']} + {1 - fusion['weight']:.0%} BM25, weight chosen on dev"


def _generation(questions: StageResult[Questions] | None) -> dict[str, Any] | None:
    if questions is None:
        return None
    return {key: value for key, value in questions.value.report.items() if key != "unmapped"}


def _training(tuned: StageResult[Tuned] | None) -> dict[str, Any] | None:
    return None if tuned is None else tuned.value.report


def _notes(
    data: Mapping[str, Any],
    tuned: StageResult[Tuned] | None,
    rankings: StageResult[Rankings],
    test_origins: Mapping[str, int],
) -> list[dict[str, str]]:
    notes = [{"level": "warning", "text": text} for text in (*data["warnings"], *rankings.value.notes)]
    made = {origin: count for origin, count in test_origins.items() if origin not in {"human", "file"}}
    if made:
        notes.insert(
            0,
            {
                "level": "warning",
                "text": f"{sum(made.values())} of {sum(test_origins.values())} test questions were made from the passages "
                f"themselves ({', '.join(sorted(made))}). Such questions repeat the passage's words and flatter BM25; "
                "real ones do not. Give questions that people asked: questions.human=FILE.",
            },
        )
    if tuned is not None and tuned.value.report["best_epoch"] == 0:
        notes.append(
            {
                "level": "warning",
                "text": "On the dev questions the fine-tune did harm, so the base model was kept: tuned is base. "
                "Train on questions that are more like the real ones (questions=openai questions.prompt=search), or "
                "lower training.learning_rate.",
            }
        )
    notes.extend({"level": "warning", "text": text} for text in realism_warnings(data["realism"]))
    notes.extend(
        {"level": "info", "text": f"{count} {reason} were left out."} for reason, count in data["left_out"].items()
    )
    return notes


def _objective(config: ExperimentConfig, systems: Mapping[str, Mapping[str, Any]]) -> float:
    system, _, metric = config.evaluation.objective.partition("/")
    dev = systems[system]["dev"]
    if not dev:
        logger.warning("There are no dev questions, so the objective %s is NaN.", config.evaluation.objective)
        return float("nan")
    return float(dev[metric])


def _track(tracker: Tracker, metrics: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    tracker.summary(flatten(metrics))
    systems = list(metrics["systems"])
    columns = [
        "question_id",
        "question",
        "origin",
        "relevant",
        *(f"{s}/{m}" for s in systems for m in ("rank", "ndcg@10")),
    ]
    table = [
        [
            row["question_id"],
            row["question"],
            row["origin"],
            " ".join(row["relevant"]),
            *(row["systems"][system][name] for system in systems for name in ("rank", "ndcg@10")),
        ]
        for row in rows
    ]
    tracker.table("per_query", columns, table)


def flatten(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """metrics.json as tracker keys: ``eval/<system>/<metric>``, ``comparison/...``, ``timing/<stage>``, ``verdict/...``."""
    flat: dict[str, Any] = {}
    for system, figures in metrics["systems"].items():
        for name, value in figures.items():
            if isinstance(value, float):
                flat[f"eval/{system}/{name}"] = value
        flat |= {f"eval/{system}/{name}": value for name, value in figures["metrics"].items()}
        flat |= {f"eval/{system}/dev/{name}": value for name, value in figures["dev"].items()}
        for name, (low, high) in figures["intervals"].items():
            flat |= {f"eval/{system}/{name}/ci_low": low, f"eval/{system}/{name}/ci_high": high}
    for name, found in (metrics.get("seeds") or {"metrics": {}})["metrics"].items():
        flat |= {f"eval/tuned/seeds/{name}/{key}": found[key] for key in ("mean", "sd")}
    for row in metrics["comparisons"]:
        prefix = f"comparison/{row['system']}_vs_{row['baseline']}/{row['metric']}"
        flat |= {
            f"{prefix}/delta": row["delta"],
            f"{prefix}/ci_low": row["ci95"][0],
            f"{prefix}/ci_high": row["ci95"][1],
            f"{prefix}/p_value": row["p_value"],
            f"{prefix}/wins": row["wins"],
            f"{prefix}/losses": row["losses"],
            f"{prefix}/ties": row["ties"],
        }
    for row in (metrics["general"] or {}).get("comparisons", []):
        prefix = f"general/tuned_vs_base/{row['metric']}"
        flat |= {
            f"{prefix}/delta": row["delta"],
            f"{prefix}/ci_low": row["ci95"][0],
            f"{prefix}/ci_high": row["ci95"][1],
        }
    for system, costs in metrics["verdict"]["costs"].items():
        flat |= {f"verdict/costs/{system}/{name}": value for name, value in (costs or {}).items() if value is not None}
    for found in metrics["audits"]["findings"]:
        flat[f"audits/{found['audit']}"] = found["count"]
    flat |= {f"timing/{stage}": timing["seconds"] for stage, timing in metrics["timings"].items()}
    flat |= {f"verdict/{name}": metrics["verdict"][name] for name in ("decision", "headline")}
    flat |= {f"dataset/questions/{name}": count for name, count in metrics["dataset"]["questions"].items()}
    if metrics["fusion"]:
        flat["fusion/weight"] = metrics["fusion"]["weight"]
    return flat

"""The words and rows that the report's forms share: terminal, Markdown, HTML and model card say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from embft.config.fields import ANSWER_METRICS
from embft.evaluation.names import LABELS, label

if TYPE_CHECKING:
    from embft.evaluation.figures import ComparisonRow
    from embft.results import Outcome

HEADLINES = ("hit_rate@5", "ndcg@10", "mrr@10", "map@100")
_ORIGINS = {
    "human": "asked by people",
    "extractive": "cut out of the passages",
    "openai": "written by an LLM from the passages",
    "openai_batch": "written by an LLM from the passages",
    "local_llm": "written by a local LLM from the passages",
    "file": "from the given file",
}
_NOT_FROM_PASSAGES = {"human", "file"}
_LONGEST_LIST = 20
"""Of a list in a table of facts; the rest is counted."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

REALISM = ("Questions", "Words", "Words shared", "Copied", "BM25 first", "Lean on passage", "Near-duplicates", "Kinds")


def headline_metrics(outcome: Outcome) -> list[str]:
    """The metrics shown first: those that have intervals, in a fixed order, less `answer_metrics` but the verdict's own."""
    first = next(iter(outcome.evaluated.systems.values()))
    own = outcome.verdict.metric
    shown = [n for n in LABELS if n in first.intervals and (n == own or n not in ANSWER_METRICS)]
    return shown or list(HEADLINES)


def answer_metrics(outcome: Outcome) -> list[str]:
    """The metrics of what is handed over, those that have intervals."""
    first = next(iter(outcome.evaluated.systems.values()))
    return [name for name in ANSWER_METRICS if name in first.intervals]


def comparisons_of(outcome: Outcome, metric: str) -> list[ComparisonRow]:
    """The comparisons by one metric."""
    return [row for row in outcome.evaluated.comparisons if row.metric == metric]


def sense(row: ComparisonRow) -> str:
    """``beats``, ``loses to``, or ``could be better or worse than`` where the interval includes zero."""
    low, high = row.ci95
    return "beats" if low > 0 else "loses to" if high < 0 else "could be better or worse than"


def sentence(row: ComparisonRow) -> str:
    """A comparison in one sentence, with its interval, p-value and counts."""
    return (
        f"{row.system} {sense(row)} {row.baseline}: {points(row.delta)} points of {label(row.metric)} "
        f"{points_interval(row.ci95)}, {p_value(row.p_value)}; {row.wins} won, {row.losses} lost, {row.ties} tied"
    )


def points(value: float) -> str:
    """A difference in points, hundredths of the metric: ``+4.2``."""
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # + 0.0 turns -0.0 into 0.0


def points_interval(values: Sequence[float]) -> str:
    """``[+1.0, +7.5]``, in points."""
    return "[" + ", ".join(points(value) for value in values) + "]"


def p_value(value: float) -> str:
    """``p=0.012``, or ``p<0.001``."""
    return "p<0.001" if value < 0.001 else f"p={value:.3f}"


def test_questions(outcome: Outcome) -> str:
    """What the test questions are, what that means for BM25, and what they search."""
    data = outcome.dataset
    origins = data.origins["test"]
    text = f"{_count(data.questions['test'], 'test question')} {origin_words(origins)}"
    if any(name not in _NOT_FROM_PASSAGES for name in origins):
        text += " (such questions flatter BM25)"
    return f"{text}, searching {_count(data.searched['test'], 'chunk')}"


def origin_words(origins: Mapping[str, int]) -> str:
    """``asked by people``; with counts where there are several kinds."""
    if len(origins) == 1:
        return _ORIGINS.get(next(iter(origins)), next(iter(origins)))
    return ", ".join(f"{count:,} {_ORIGINS.get(name, name)}" for name, count in origins.items())


def dataset_rows(outcome: Outcome) -> list[tuple[str, int, int, int | None, str]]:
    """Split, questions, chunks, chunks searched (None for train), what the questions are."""
    data = outcome.dataset
    return [
        (
            name,
            data.questions[name],
            data.chunks[name],
            data.searched.get(name),
            origin_words(data.origins.get(name, {})),
        )
        for name in ("train", "dev", "test")
    ]


def realism_rows(outcome: Outcome) -> list[tuple[str, str, list[str]]]:
    """Split, what its questions are, and figures in the order of `REALISM`: how like real questions they are."""
    rows = []
    for row in outcome.dataset.realism:
        kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in sorted(row.kinds.items(), key=lambda item: -item[1]))
        figures = [
            f"{row.questions:,}", f"{row.words:g}", f"{row.overlap:.0%}", f"{row.copied:.0%}", f"{row.bm25_at_1:.0%}",
            f"{row.passage_dependent:,}", f"{row.near_duplicates:,}", kinds,
        ]  # fmt: skip
        rows.append((row.split, _ORIGINS.get(row.origin, row.origin), figures))
    return rows


def timing_rows(outcome: Outcome) -> list[tuple[str, float, str]]:
    """Stage, seconds, and where the time went: ``from the cache, built in 179.4 s``, or nothing to say."""
    rows = []
    for name, timing in outcome.timings.items():
        origin = ""
        if timing.cached:
            built = timing.built_seconds
            origin = "from the cache" if built is None else f"from the cache, built in {built:.1f} s"
        rows.append((name, timing.seconds, origin))
    return rows


def settings_rows(outcome: Outcome) -> list[tuple[str, str]]:
    """What was chosen: the config file of each group, then what the command line set besides."""
    choices = outcome.experiment.choices
    overrides = (item.partition("=") for item in outcome.experiment.overrides)
    return [*sorted(choices.items()), *((key, value) for key, _, value in overrides if choices.get(key) != value)]


def fact_rows(facts: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """A stage's own report as name and value; long lists are cut and counted, empty values left out."""
    return [
        (name.replace("_", " "), _fact(value))
        for name, value in (facts or {}).items()
        if value or (value == 0 and not isinstance(value, bool))
    ]


def seeds_sentence(outcome: Outcome) -> str:
    """How far the seed of the training moves the tuned model; empty where it was trained once."""
    seeds = outcome.seeds
    if not seeds:
        return ""
    figures = (
        f"{label(name)} {number(spread.mean)} ± {number(spread.sd)} ({number(spread.min)} to {number(spread.max)})"
        for name, spread in seeds.metrics.items()
    )
    kept = f" {seeds.base_kept} of {seeds.n} kept the base model." if seeds.base_kept else ""
    return (
        f"Tuned over {seeds.n} seeds, mean ± standard deviation (range): {', '.join(figures)}. That is training noise; the "
        f"intervals are the uncertainty of the questions.{kept}"
    )


def metric_table(outcome: Outcome) -> tuple[list[tuple[str, str]], list[tuple[str, list[float | None]]]]:
    """Every metric as one table.

    Returns:
        Columns as (system, score), such as ``("base", "dot")``; rows as a metric's name without its score's prefix
        (``accuracy@1``) and its values, None where a system lacks it.
    """
    values: dict[str, dict[tuple[str, str], float]] = {}
    columns: dict[tuple[str, str], None] = {}
    for system, figures in outcome.evaluated.systems.items():
        for key, value in figures.metrics.items():
            score, _, name = key.partition("_")
            columns[system, score] = None
            values.setdefault(name, {})[system, score] = value
    return list(columns), [(name, [cells.get(column) for column in columns]) for name, cells in values.items()]


def interval(values: Sequence[float]) -> str:
    """``[.812, .874]``."""
    return "[" + ", ".join(number(value) for value in values) + "]"


def number(value: float) -> str:
    """Three decimals without the leading zero, as tables of IR papers have it."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{round(value, 3) + 0.0:.3f}")  # + 0.0 turns -0.0 into 0.0


def printable(text: object) -> str:
    """Text without control characters: a corpus must not be able to steer the reader's terminal."""
    return _CONTROLS.sub("", str(text))


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return _listed(f"{key}: {_fact(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return _listed(_fact(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _listed(items: Iterable[str]) -> str:
    every = list(items)
    rest = len(every) - _LONGEST_LIST
    return ", ".join(every[:_LONGEST_LIST]) + (f" and {rest:,} more" if rest > 0 else "")


def _count(value: int, noun: str) -> str:
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"

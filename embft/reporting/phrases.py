"""The words and rows that the report's forms share: terminal, Markdown, HTML and model card say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from embft.config.fields import ANSWER_METRICS
from embft.evaluation.names import LABELS, NOT_FROM_PASSAGES, label
from embft.wording import counted, joined, listed, retold, say, spoken, worded

if TYPE_CHECKING:
    from embft.evaluation.figures import ComparisonRow
    from embft.results import Outcome
    from embft.training.report import TrainingReport

HEADLINES = ("hit_rate@5", "ndcg@10", "mrr@10", "map@100")
_ORIGINS = {
    "human": worded("asked by people"),
    "extractive": worded("cut out of the passages"),
    "openai": worded("written by an LLM from the passages"),
    "openai_batch": worded("written by an LLM from the passages"),
    "local_llm": worded("written by a local LLM from the passages"),
    "file": worded("from the given file"),
}
_SPLITS = (worded("train"), worded("dev"), worded("test"))
_LONGEST_LIST = 20
"""Of a list in a table of facts; the rest is counted."""
_SENTENCE = 20
"""Characters from which a fact may be a sentence of embft's; shorter ones are names, and lines of documents."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_REALISM = (
    worded("Questions"), worded("Words"), worded("Words shared"), worded("Copied"), worded("BM25 first"),
    worded("Lean on passage"), worded("Near-duplicates"), worded("Kinds"),
)  # fmt: skip


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
    """``beats``, ``loses to``, or ``could be better or worse than`` where the interval includes zero; to be said."""
    low, high = row.ci95
    return worded("beats") if low > 0 else worded("loses to") if high < 0 else worded("could be better or worse than")


def sentence(row: ComparisonRow) -> str:
    """A comparison in one sentence, with its interval, p-value and counts."""
    return say(
        "{system} {beats} {baseline}: {delta} points of {metric} {ends}, {p}; {wins} won, {losses} lost, {ties} tied",
        system=row.system,
        beats=say(sense(row)),
        baseline=row.baseline,
        delta=points(row.delta),
        metric=label(row.metric),
        ends=points_interval(row.ci95),
        p=p_value(row.p_value),
        wins=row.wins,
        losses=row.losses,
        ties=row.ties,
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
    flattering = any(name not in NOT_FROM_PASSAGES for name in origins)
    return say(
        "{questions} {origins}{note}, searching {chunks}",
        questions=counted(data.questions["test"], "{n:,} test question", "{n:,} test questions"),
        origins=origin_words(origins),
        note=say(" (such questions flatter BM25)") if flattering else "",
        chunks=counted(data.searched["test"], "{n:,} chunk", "{n:,} chunks"),
    )


def origin_words(origins: Mapping[str, int]) -> str:
    """``asked by people``; with counts where there are several kinds."""
    if len(origins) == 1:
        return _origin(next(iter(origins)))
    return listed(say("{n:,} {kind}", n=count, kind=_origin(name)) for name, count in origins.items())


def _origin(name: str) -> str:
    return say(_ORIGINS.get(name, name))


def dataset_rows(outcome: Outcome) -> list[tuple[str, int, int, int | None, str]]:
    """Split, questions, chunks, chunks searched (None for train), what the questions are."""
    data = outcome.dataset
    return [
        (
            say(name),
            data.questions[name],
            data.chunks[name],
            data.searched.get(name),
            origin_words(data.origins.get(name, {})),
        )
        for name in _SPLITS
    ]


def realism_columns() -> list[str]:
    """Heads of the figures of `realism_rows`."""
    return [say(name) for name in _REALISM]


def realism_rows(outcome: Outcome) -> list[tuple[str, str, list[str]]]:
    """Split, what its questions are, and figures in the order of `realism_columns`: how like real questions they are."""
    rows = []
    for row in outcome.dataset.realism:
        shares = sorted(row.kinds.items(), key=lambda item: -item[1])
        kinds = listed(f"{retold(kind)} {share:.0%}" for kind, share in shares)
        figures = [
            f"{row.questions:,}", f"{row.words:g}", f"{row.overlap:.0%}", f"{row.copied:.0%}", f"{row.bm25_at_1:.0%}",
            f"{row.passage_dependent:,}", f"{row.near_duplicates:,}", kinds,
        ]  # fmt: skip
        rows.append((say(row.split), _origin(row.origin), figures))
    return rows


def timing_rows(outcome: Outcome) -> list[tuple[str, float, str]]:
    """Stage, seconds, and where the time went: ``from the cache, built in 179.4 s``, or nothing to say."""
    rows = []
    for name, timing in outcome.timings.items():
        origin = ""
        if timing.cached:
            built = timing.built_seconds
            origin = say("from the cache") if built is None else say("from the cache, built in {s:.1f} s", s=built)
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
        (retold(name.replace("_", " ")), _fact(value))
        for name, value in (facts or {}).items()
        if value or (value == 0 and not isinstance(value, bool))
    ]


def training_rows(training: TrainingReport | None) -> list[tuple[str, str]]:
    """The settings of the training; in another language than English by their keys, which are nobody's words."""
    settings = training.settings if training else None
    if spoken() == "en":
        return fact_rows(settings)
    return [(name, _fact(value)) for name, value in (settings or {}).items() if fact_rows({name: value})]


def seeds_sentence(outcome: Outcome) -> str:
    """How far the seed of the training moves the tuned model; empty where it was trained once."""
    seeds = outcome.seeds
    if not seeds:
        return ""
    figures = (
        say(
            "{metric} {mean} ± {sd} ({least} to {most})",
            metric=label(name),
            mean=number(spread.mean),
            sd=number(spread.sd),
            least=number(spread.min),
            most=number(spread.max),
        )
        for name, spread in seeds.metrics.items()
    )
    text = say(
        "Tuned over {seeds} seeds, mean ± standard deviation (range): {figures}. That is training noise; the intervals are the "
        "uncertainty of the questions.",
        seeds=seeds.n,
        figures=listed(figures),
    )
    kept = say("{kept} of {seeds} kept the base model.", kept=seeds.base_kept, seeds=seeds.n) if seeds.base_kept else ""
    return joined([text, kept])


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
        return _listed(f"{retold(str(key).replace('_', ' '))}: {_fact(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return _listed(_fact(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, str):
        return retold(value) if len(value) >= _SENTENCE else value
    return json.dumps(value, ensure_ascii=False)


def _listed(items: Iterable[str]) -> str:
    every = list(items)
    rest = len(every) - _LONGEST_LIST
    return listed(every[:_LONGEST_LIST]) + (say(" and {n:,} more", n=rest) if rest > 0 else "")

"""What to ship, in plain sentences, with the figures that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embft.evaluation.names import label

CHEAPEST_FIRST = ("bm25", "base", "tuned", "fused", "openai")
"""What each costs to run: no vectors; vectors; vectors of your own model; two indexes; a bill per question."""
CANNOT_TELL = "cannot_tell"
_SINGLE = ("bm25", "base", "tuned")
_NAMES = {
    "bm25": "BM25",
    "base": "the base model",
    "tuned": "the tuned model",
    "fused": "the fusion of BM25 and embeddings",
    "openai": "the API's embeddings",
}
_FEWEST_QUESTIONS = 30
_WIDEST = 0.05
"""Half-width of an interval beyond which "no difference seen" says little."""
_FROM_FILE = "file"
_NOT_FROM_PASSAGES = {"human", _FROM_FILE}


def decide(
    systems: Mapping[str, Mapping[str, Any]],
    comparisons: Sequence[Mapping[str, Any]],
    test_origins: Mapping[str, int],
    primary: str,
) -> dict[str, Any]:
    """Says which system to ship, or that this test cannot tell.

    The system with the highest mean is the mark. Those whose difference to it could be zero (its interval includes 0)
    are candidates, and the cheapest candidate is shipped; the reasons say by how much it could be worse after all.
    There is no verdict where

    - most test questions were made from the passages: they repeat their words, which flatters BM25;
    - there are fewer than 30 test questions;
    - every difference between two systems could be zero, and the interval of the cheapest system against another is
      wider than 0.05 either way, so that "could be zero" says little.

    Args:
        systems: By name, each with its mean by ``primary`` on the test questions; at least one.
        comparisons: Every unordered pair of systems, in either direction, with ``system``, ``baseline``, ``metric``,
            ``delta`` and ``ci95``; rows of other metrics are passed over.
        test_origins: What made the test questions (``human``, ``file``, ``extractive``, ``openai``...), with counts.
        primary: The metric that decides.

    Returns:
        ``decision`` (a system's name or ``cannot_tell``), ``headline``, ``reasons`` (sentences) and ``metric``.
        Differences are in points: hundredths of the metric.
    """
    total = sum(test_origins.values())
    made = {origin: count for origin, count in test_origins.items() if origin not in _NOT_FROM_PASSAGES}
    pairs = _Pairs(comparisons, primary)
    everything = systems
    if pairs.identical("tuned", "base"):
        systems = {name: means for name, means in systems.items() if name != "tuned"}
    # Of equal means the cheaper one is the best: then nothing dearer is shipped for nothing.
    best = max(systems, key=lambda name: (systems[name][primary], -CHEAPEST_FIRST.index(name)))

    def verdict(decision: str, headline: str, reasons: Sequence[str]) -> dict[str, Any]:
        facts = _facts(everything, pairs, primary)
        return {"decision": decision, "headline": headline, "reasons": [*reasons, *facts], "metric": primary}

    if sum(made.values()) * 2 > total:
        return verdict(
            CANNOT_TELL,
            "No verdict: the test questions were made from the passages.",
            [
                f"{sum(made.values())} of {total} test questions ({', '.join(sorted(made))}) were made from the "
                "passages and repeat their words. That flatters BM25; questions that people ask do not.",
                "Collect 50 or more questions that people asked, each with a quote that answers it, and give them with "
                "questions.human=FILE.",
            ],
        )
    if total < _FEWEST_QUESTIONS:
        return verdict(
            CANNOT_TELL,
            f"Cannot tell: {_count(total, 'test question')} {'is' if total == 1 else 'are'} too few.",
            [f"With fewer than {_FEWEST_QUESTIONS} test questions the order of systems is mostly chance: add some."],
        )
    candidates = [name for name in CHEAPEST_FIRST if name in systems and pairs.could_be_equal(best, name)]
    choice = candidates[0]
    widest = max((pairs.half_width(choice, name) for name in systems), default=0.0)
    if pairs.all_could_be_equal() and widest > _WIDEST:
        return verdict(
            CANNOT_TELL,
            f"Cannot tell: on {total} test questions no system stands out.",
            [
                "Every difference between two systems could be zero, and the intervals reach up to "
                f"{100 * widest:.1f} points either way: add test questions."
            ],
        )
    reasons = [_why(choice, best, systems, pairs, primary)]
    others = [name for name in candidates if name not in {choice, best}]
    if others:
        reasons.append(f"Not distinguishable from the best either: {_listed(others)}.")
    reasons.extend(_doubts(test_origins, made, total))
    return verdict(choice, f"Ship {_NAMES[choice]}.", reasons)


class _Pairs:
    """The comparisons by one metric, looked up in either direction."""

    def __init__(self, comparisons: Sequence[Mapping[str, Any]], metric: str) -> None:
        self._rows = {(row["system"], row["baseline"]): row for row in comparisons if row["metric"] == metric}

    def find(self, system: str, baseline: str) -> tuple[float, float, float] | None:
        """Delta and its interval's ends, system minus baseline; None where the two were not compared."""
        if row := self._rows.get((system, baseline)):
            return row["delta"], row["ci95"][0], row["ci95"][1]
        if row := self._rows.get((baseline, system)):
            return -row["delta"], -row["ci95"][1], -row["ci95"][0]
        return None

    def could_be_equal(self, best: str, other: str) -> bool:
        found = self.find(best, other)
        return best == other or (found is not None and found[1] <= 0)

    def all_could_be_equal(self) -> bool:
        return bool(self._rows) and all(row["ci95"][0] <= 0 <= row["ci95"][1] for row in self._rows.values())

    def identical(self, system: str, baseline: str) -> bool:
        """Whether every question scored the same: a fine-tune that kept the base model."""
        row = self._rows.get((system, baseline)) or self._rows.get((baseline, system))
        return row is not None and row["delta"] == 0 and row["wins"] == row["losses"] == 0

    def half_width(self, system: str, baseline: str) -> float:
        found = self.find(system, baseline)
        return 0.0 if found is None else (found[2] - found[1]) / 2

    def phrase(self, system: str, baseline: str) -> str:
        found = self.find(system, baseline)
        if found is None:
            return "not compared"
        delta, low, high = map(_points, found)
        return f"{delta} points [{low}, {high}]"


def _why(choice: str, best: str, systems: Mapping[str, Mapping[str, Any]], pairs: _Pairs, primary: str) -> str:
    mean = f"{systems[best][primary]:.3f}"
    if len(systems) == 1:
        return f"{_start(best)} is the only system that was measured: its {label(primary)} is {mean}."
    if choice == best:
        return f"{_start(best)} has the highest {label(primary)}: {mean}."
    sentence = (
        f"{_start(best)} has the highest {label(primary)} ({mean}), but {_NAMES[choice]} ({systems[choice][primary]:.3f}) is "
        f"cheaper to run and not measurably worse: {pairs.phrase(choice, best)}."
    )
    found = pairs.find(best, choice)
    if found is not None and found[2] > _WIDEST:
        sentence += f" It could still be worse by {100 * found[2]:.1f} points; more test questions would tell."
    return sentence


def _doubts(test_origins: Mapping[str, int], made: Mapping[str, int], total: int) -> list[str]:
    """What the test questions leave open although there is a verdict."""
    doubts = []
    if made:
        doubts.append(
            f"{sum(made.values())} of {total} test questions ({', '.join(sorted(made))}) were made from the passages, "
            "which flatters BM25."
        )
    if test_origins.get(_FROM_FILE):
        doubts.append(
            "Who wrote the questions of the dataset file is unknown: if they were made from the passages, they flatter "
            "BM25, and so does this verdict."
        )
    return doubts


def _facts(systems: Mapping[str, Mapping[str, Any]], pairs: _Pairs, primary: str) -> list[str]:
    """What anyone wants to know besides: did tuning help, are vectors better than words, is a mix better than both."""
    same = pairs.identical("tuned", "base")
    dense = "tuned" if "tuned" in systems and not same else "base"
    if same:
        systems = {name: means for name, means in systems.items() if name != "tuned"}
    single = max((name for name in _SINGLE if name in systems), key=lambda name: systems[name][primary], default=dense)
    questions = [
        ("tuned", "base", "Tuning, against the base model"),
        (dense, "bm25", f"{_start(dense)} against BM25"),
        ("fused", single, f"The fusion against the best single system, {_NAMES[single]}"),
        ("openai", dense, f"The API's embeddings against {_NAMES[dense]}"),
    ]
    facts = (
        ["Tuning gained nothing: the tuned model answers every test question as the base model does."] if same else []
    )
    for system, baseline, what in questions:
        found = pairs.find(system, baseline)
        if found is not None and system in systems:
            _, low, high = found
            sense = "a gain" if low > 0 else "a loss" if high < 0 else "not distinguishable from zero"
            facts.append(f"{what}: {pairs.phrase(system, baseline)} of {label(primary)}, {sense}.")
    return facts


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # + 0.0 turns -0.0 into 0.0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Sequence[str]) -> str:
    *first, last = (_NAMES[name] for name in names)
    return f"{', '.join(first)} and {last}" if first else last


def _start(system: str) -> str:
    name = _NAMES[system]
    return name[0].upper() + name[1:]

"""What to ship, in plain sentences, with the figures that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHEAPEST_FIRST = ("bm25", "base", "tuned", "fused", "openai")
"""What each costs to run: no vectors; vectors; vectors of your own model; two indexes; a bill per question."""
_NAMES = {
    "bm25": "BM25",
    "base": "the base model",
    "tuned": "the tuned model",
    "fused": "the fusion of BM25 and embeddings",
    "openai": "the API's embeddings",
}
_FEWEST_QUESTIONS = 30
_WIDEST = 0.05
"""Half-width of an interval beyond which "no difference seen" means nothing."""
_TRUSTED = {"human", "file"}


def decide(
    systems: Mapping[str, Mapping[str, Any]],
    comparisons: Sequence[Mapping[str, Any]],
    test_origins: Mapping[str, int],
    primary: str,
) -> dict[str, Any]:
    """Says which system to ship.

    The best system by mean is the mark. Systems whose difference to it could be zero are as good as far as this test can
    tell; the cheapest of them is shipped. A test set of questions that were made from the passages, or one too small to
    tell anything, gets no verdict.

    Args:
        systems: By name, with their means and intervals.
        comparisons: Every pair's, at least for ``primary``.
        test_origins: What made the test questions, with counts.
        primary: The metric that decides.

    Returns:
        ``decision``, ``headline``, ``reasons``, ``metric``.
    """
    total = sum(test_origins.values())
    made = {origin: count for origin, count in test_origins.items() if origin not in _TRUSTED}
    pairs = _Pairs([row for row in comparisons if row["metric"] == primary])
    facts = _facts(systems, pairs, primary)
    if sum(made.values()) * 2 > total:
        return _verdict(
            "cannot_tell",
            "No verdict: the test questions were made from the passages.",
            [
                f"{sum(made.values())} of {total} test questions ({', '.join(sorted(made))}) repeat the words of the "
                "passage they came from. That flatters BM25, and real questions do not do it.",
                "Collect 50 or more questions that people asked, each with a quote that answers it: questions.human=FILE.",
                *facts,
            ],
            primary,
        )
    best = max(systems, key=lambda name: (systems[name][primary], -CHEAPEST_FIRST.index(name)))
    equals = [name for name in CHEAPEST_FIRST if name in systems and pairs.could_be_equal(best, name)]
    if total < _FEWEST_QUESTIONS:
        return _verdict(
            "cannot_tell",
            f"Cannot tell: {total} test questions are too few.",
            [f"With fewer than {_FEWEST_QUESTIONS} questions any ranking of the systems is chance.", *facts],
            primary,
        )
    blurred = [name for name in equals if name != best and pairs.half_width(best, name) > _WIDEST]
    if blurred and len(equals) == len(systems) > 1:
        return _verdict(
            "cannot_tell",
            f"Cannot tell: on {total} questions no system stands out.",
            ["Every difference could be zero, and the intervals are wide: add test questions.", *facts],
            primary,
        )
    choice = equals[0]
    reasons = []
    if choice == best:
        reasons.append(f"{_start(best)} has the highest {primary}: {systems[best][primary]:.3f}.")
    else:
        reasons.append(
            f"{_start(best)} has the highest {primary} ({systems[best][primary]:.3f}), but {_NAMES[choice]} "
            f"({systems[choice][primary]:.3f}) is not measurably worse ({pairs.phrase(best, choice)}) and is cheaper to run."
        )
    others = [name for name in equals if name not in {choice, best}]
    if others:
        reasons.append(f"Not distinguishable from the best either: {', '.join(_NAMES[name] for name in others)}.")
    if set(test_origins) == {"file"}:
        reasons.append("The test questions come from a file; if an LLM wrote them from the passages, they flatter BM25.")
    return _verdict(choice, f"Ship {_NAMES[choice]}.", [*reasons, *facts], primary)


class _Pairs:
    """Comparisons looked up in either direction."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = {(row["system"], row["baseline"]): row for row in rows}

    def interval(self, system: str, baseline: str) -> tuple[float, float, float] | None:
        """Delta and its interval, system minus baseline."""
        if row := self._rows.get((system, baseline)):
            return row["delta"], row["ci95"][0], row["ci95"][1]
        if row := self._rows.get((baseline, system)):
            return -row["delta"], -row["ci95"][1], -row["ci95"][0]
        return None

    def could_be_equal(self, best: str, other: str) -> bool:
        found = self.interval(best, other)
        return best == other or (found is not None and found[1] <= 0)

    def half_width(self, best: str, other: str) -> float:
        found = self.interval(best, other)
        return 0.0 if found is None else (found[2] - found[1]) / 2

    def phrase(self, system: str, baseline: str) -> str:
        found = self.interval(system, baseline)
        if found is None:
            return "not compared"
        delta, low, high = (100 * value for value in found)
        return f"{delta:+.1f} points [{low:+.1f}, {high:+.1f}]"


def _facts(systems: Mapping[str, Any], pairs: _Pairs, primary: str) -> list[str]:
    """What anyone wants to know besides: did tuning help, does a mix, and how far is BM25."""
    facts = []
    dense = "tuned" if "tuned" in systems else "base"
    for system, baseline, what in (
        ("tuned", "base", "Tuning"),
        (dense, "bm25", f"{_start(dense)} against BM25"),
        ("fused", dense, f"The fusion against {_NAMES[dense]} alone"),
        ("fused", "bm25", "The fusion against BM25 alone"),
        ("openai", dense, f"The API against {_NAMES[dense]}"),
    ):
        found = pairs.interval(system, baseline)
        if found is None:
            continue
        _, low, high = found
        sense = "a gain" if low > 0 else "a loss" if high < 0 else "not distinguishable from zero"
        facts.append(f"{what}: {pairs.phrase(system, baseline)} of {primary}, {sense}.")
    return facts


def _start(system: str) -> str:
    name = _NAMES[system]
    return name[0].upper() + name[1:]


def _verdict(decision: str, headline: str, reasons: list[str], metric: str) -> dict[str, Any]:
    return {"decision": decision, "headline": headline, "reasons": reasons, "metric": metric}

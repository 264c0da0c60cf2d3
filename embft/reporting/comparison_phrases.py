"""What compare.html says beside its table: of the two best jobs, of how a job ended, and what its script says."""

from __future__ import annotations

from embft.reporting.paired import Against
from embft.reporting.phrases import p_value, points, points_interval
from embft.wording import say, worded

_ALONE = 0.05
"""Holm's p from which a difference stands by one comparison alone, not when all are counted."""
_STATUSES = (
    worded("ok"), worded("failed"), worded("running"), worded("running?"), worded("not started"), worded("dry run"),
    worded("unknown"),
)  # fmt: skip
"""Of `embft.reporting.jobs.Job`; the page says them."""
_WORDS = {
    "count": worded("{shown} of {jobs} jobs"),
    "any": worded("any"),
    "default": worded("default"),
    "from": worded("from"),
    "to": worded("to"),
    "against": worded("{system} against {job}"),
    "same": worded("Choose two jobs."),
    "unpaired": worded("These two asked different test questions, so they cannot be compared question by question."),
    "difference": worded("Job {first} less job {second}, {metric} of {system} on test: {delta} points {ends}, {p}{adjusted}."),
    "adjusted": worded("; {p} when adjusted for all {jobs} jobs held against job {second} (Holm)"),
    "job": worded("Job {job}"),
    "onDev": worded("dev: {figure}"),
    "onTest": worded("test: {figure}"),
    "none": worded("none"),
    "byDev": worded("{metric} of {system}, dev"),
    "byTest": worded("{metric} of {system}, test"),
    "devFigure": worded("dev figure"),
    "testFigure": worded("test figure"),
    "devAgainstTest": worded("dev against test"),
    "test": worded("test"),
    "cost": worded("cost against quality"),
    "seconds": worded("seconds to make it all, without a cache"),
    "parallel": worded("from settings to figures"),
}  # fmt: skip
"""What the page's script says, by the names that it uses."""


def comparison_words() -> dict[str, str]:
    """What the page's script says, with places for its values."""
    return {name: say(text) for name, text in _WORDS.items()}


def runner_up_sentence(difference: Against | None, compared: int) -> str:
    """What separates the best job on dev from the second.

    Args:
        difference: The best job less the second, on test; None where their questions cannot be paired.
        compared: Jobs that Holm's p is adjusted for.
    """
    if difference is None:
        return say("Their test questions cannot be paired, so the two are not compared.")
    low, high = difference.ci95
    meaning = say("better") if low > 0 else say("worse") if high < 0 else say("could be better or worse")
    if low > 0 and difference.p_holm > _ALONE:
        meaning += say(" by this comparison alone, not when all are counted")
    return say(
        "The best job against it, on test: {delta} points {ends}, {p}{adjusted}: {meaning}.",
        delta=points(difference.delta),
        ends=points_interval(difference.ci95),
        p=p_value(difference.p_value),
        adjusted=say(
            ", {p} when adjusted for the {jobs} jobs that it was chosen from (Holm)",
            p=p_value(difference.p_holm),
            jobs=compared,
        )
        if compared > 1
        else "",
        meaning=meaning,
    )

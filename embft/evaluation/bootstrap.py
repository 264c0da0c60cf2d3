"""What other draws of questions would say: which setting they would choose, and what each system may cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from embft.evaluation.dependence import ASSUMED_SHARE, Dependence
from embft.evaluation.figures import Prospects
from embft.evaluation.weights import Weights

Floats = npt.NDArray[np.float64]

_BLOCK_CELLS = 1_000_000
"""Weights held at once: some 20 MB, regardless of the number of questions and draws."""
_GROWTH = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
"""How many times the questions are imagined."""


def prospects_of(
    scores: Mapping[str, Floats],
    dependence: Dependence,
    draws: int = 10_000,
    seed: int = 0,
    weights: Weights | None = None,
) -> Prospects:
    """The expected loss of each system and its chance of being the best, by the Bayesian bootstrap over questions.

    Rubin, "The Bayesian bootstrap", Annals of Statistics 9(1), 1981: each draw weighs the questions at random. Its
    deviations from the means are stretched to the spread and the degrees of freedom that the intervals have
    (`embft.evaluation.dependence`), with the share of what comes from chunks estimated from all systems together.

    Args:
        scores: By system, float64 [n_questions]; of equal systems the first is taken for the best.
        dependence: Of the questions, in the same order.
        draws: Of weights.
        seed: Decides the draws.
        weights: Of the questions; None: all alike.
    """
    names = list(scores)
    if not len(dependence):
        return Prospects({}, {}, ())
    rows = np.stack([scores[name] for name in names])  # (S, Q)
    size = rows.shape[1]
    weights = weights or Weights(size)
    means = weights.mean(rows)
    random = np.random.default_rng(seed)
    drawn = _weights(draws, size, random, weights.shares)
    deviations = np.concatenate([block @ (rows - means[:, None]).T for block in drawn])
    share = _shared(rows, dependence)
    # A Bayesian bootstrap has the variance of the mean over Q (Q + 1); an unbiased one has Q (Q - 1).
    worth = weights.worth
    stretch = (dependence.inflation(share) * (worth + 1) / max(1, worth - 1)) ** 0.5
    freedom = max(1.0, min(dependence.freedom(share), weights.freedom))
    deviations *= stretch * (freedom / random.chisquare(freedom, draws)[:, None]) ** 0.5  # (D, S)
    losses = _losses(means + deviations)
    best = np.bincount(losses.argmin(axis=1), minlength=len(names)) / draws
    foreseen = tuple(
        (round(size * times), float(_losses(means + deviations / times**0.5).mean(axis=0).min())) for times in _GROWTH
    )
    return Prospects(
        dict(zip(names, losses.mean(axis=0).tolist(), strict=True)),
        dict(zip(names, best.tolist(), strict=True)),
        foreseen,
    )


def bagged_best(
    scores: Floats, dependence: Dependence, handicaps: Floats | float = 0.0, resamples: int = 1000, seed: int = 0
) -> int:
    """Chooses a setting on an ordered scale: the best one's position, averaged over bootstrap draws of the questions.

    Breiman, "Bagging predictors", Machine Learning 24(2), 1996: averaging steadies a choice that a few questions sway.
    The draws' deviations are stretched by what the questions share, as in `prospects_of`.

    Args:
        scores: float64 [n_settings, n_questions]; neighbours on the scale are neighbours here.
        dependence: Of the questions, in the same order.
        handicaps: float64 [n_settings]: what each setting must be ahead by, in independent questions won outright: a
            prior that many questions outvote.
        resamples: Draws of questions.
        seed: Decides the draws.

    Returns:
        A row of ``scores``. Where settings tie in a draw, their middle counts.
    """
    size = scores.shape[1]
    share = _shared(scores, dependence)
    drawn = np.random.default_rng(seed).integers(0, size, size=(resamples, size))  # (R, Q)
    middle = scores.mean(axis=1, keepdims=True)  # (S, 1)
    means = np.stack([row[drawn].mean(axis=1) for row in scores])  # (S, R)
    means = middle + dependence.inflation(share) ** 0.5 * (means - middle)
    means -= np.broadcast_to(handicaps, len(scores))[:, None] / dependence.effective(share)
    ties = means >= means.max(axis=0) - 1e-9
    middles = (ties * np.arange(len(scores))[:, None]).sum(axis=0) / ties.sum(axis=0)
    return round(float(middles.mean()))


def _shared(rows: Floats, dependence: Dependence) -> float:
    """The share of what comes from chunks in the rows' differences: the difficulty that all have in common counts not."""
    share = dependence.share(rows - rows.mean(axis=0)) if len(dependence) > 1 else None
    return ASSUMED_SHARE if share is None else share


def _losses(means: Floats) -> Floats:
    return np.asarray(np.minimum(1.0, means.max(axis=1, keepdims=True) - means))


def _weights(draws: int, size: int, random: np.random.Generator, shares: Floats | None) -> Iterator[Floats]:
    """Weights of the questions that add up to one; float64 [block, n_questions] at a time."""
    step = max(1, _BLOCK_CELLS // max(1, size))
    for start in range(0, draws, step):
        weights = random.standard_exponential((min(step, draws - start), size))
        if shares is not None:
            weights *= shares
        yield weights / weights.sum(axis=1, keepdims=True)

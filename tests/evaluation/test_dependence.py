import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.evaluation import dependence as module
from embft.evaluation.dependence import Dependence


def of(chunks) -> Dependence:
    relevant = {str(place): tuple(map(str, ids)) for place, ids in enumerate(chunks)}
    return Dependence.of(list(relevant), relevant)


def kernel(chunks) -> np.ndarray:
    """By hand: chunks in common over the geometric mean of the counts."""
    sets = [frozenset(ids) or frozenset({("own", place)}) for place, ids in enumerate(chunks)]
    return np.array([[len(a & b) / (len(a) * len(b)) ** 0.5 for b in sets] for a in sets])


STRUCTURES = st.lists(st.sets(st.integers(0, 8), max_size=4), min_size=2, max_size=14)


@settings(max_examples=60, deadline=None)
@given(STRUCTURES, st.integers(0, 99))
def test_sums_and_traces_are_those_of_the_kernel(chunks, seed):
    shared, full = of(chunks), kernel(chunks)
    size = len(chunks)
    # What is taken out: the mean, and the number of relevant chunks.
    taken = np.linalg.qr(np.stack([np.ones(size), np.log([max(1, len(ids)) for ids in chunks])], axis=1) + 0.0)
    basis = taken.Q[:, np.abs(np.diag(taken.R)) > 1e-9]
    without = np.eye(size) - basis @ basis.T
    powers = [without @ np.linalg.matrix_power(without @ full @ without, power) for power in range(5)]
    assert shared._traces == pytest.approx([np.trace(power) for power in powers], abs=1e-8)
    assert shared.links == pytest.approx(full.sum() / size)
    centred = np.random.default_rng(seed).normal(size=(2, size))
    assert shared.shared_squares(centred) == pytest.approx(np.einsum("rq,qp,rp->r", centred, full, centred))


@settings(max_examples=30, deadline=None)
@given(STRUCTURES, st.integers(0, 99))
def test_a_restriction_is_the_dependence_of_those_questions_alone(chunks, seed):
    where = np.random.default_rng(seed).random(len(chunks)) < 0.7
    some = of(chunks).restricted(where)
    alone = of([ids for ids, taken in zip(chunks, where, strict=True) if taken])
    assert len(some) == len(alone)
    assert some.links == pytest.approx(alone.links)
    assert some.chunks == alone.chunks
    assert some.restricted(np.arange(len(some))[::-1]).links == pytest.approx(alone.links)


def test_questions_that_share_nothing_are_as_many_as_they_are():
    alone = Dependence.none(50)
    scores = np.random.default_rng(0).random(50)
    spread = alone.spread(scores)
    assert spread.variance == pytest.approx(scores.var(ddof=1) / 50)
    assert (spread.freedom, spread.share, spread.effective) == (49.0, 0.0, 50.0)
    assert of([()] * 50).links == 1.0


def test_equal_questions_about_one_chunk_are_worth_one():
    draw = np.random.default_rng(1)
    twins = of([(place // 2,) for place in range(200)])
    by_chunk = draw.normal(size=100)
    spread = twins.spread(np.repeat(by_chunk, 2))
    assert spread.share == 1.0
    assert spread.effective == pytest.approx(100)
    assert spread.variance == pytest.approx(by_chunk.var(ddof=1) / 100, rel=1e-6)


def test_the_estimated_share_is_the_one_that_scores_were_made_with():
    draw = np.random.default_rng(2)
    chunks = [draw.choice(400, 6, replace=False) for _ in range(300)]
    shared = of(chunks)
    for share in (0.0, 0.4, 0.8):
        together = np.asarray((shared.parts @ draw.normal(size=(shared.parts.shape[1], 200))).T)
        scores = share**0.5 * together + (1 - share) ** 0.5 * draw.normal(size=(200, 300))
        assert shared.share(scores) == pytest.approx(share, abs=0.04)
        variances = np.mean([shared.spread(row).variance for row in scores])
        assert variances == pytest.approx((1 + share * (shared.links - 1)) / 300, rel=0.25)


def test_questions_that_are_all_about_one_chunk_say_nothing_about_others():
    one = of([("a",)] * 30)
    assert one.share(np.random.default_rng(0).random((1, 30))) is None
    assert np.isinf(one.spread(np.random.default_rng(0).random(30)).variance)


def test_one_of_fifteen_shared_chunks_counts_for_little():
    alike, hardly = of([("a",), ("a",)]), of([range(15), range(14, 29)])
    assert alike.effective(1.0) == 1.0
    assert hardly.effective(1.0) == pytest.approx(2 / (1 + 1 / 15))


@settings(max_examples=150, deadline=None)
@given(STRUCTURES, st.integers(0, 999), st.sampled_from([0, 1, 3]))
def test_every_structure_has_a_share_and_a_spread_that_make_sense(chunks, seed, decimals):
    scores = np.random.default_rng(seed).random(len(chunks)).round(decimals)
    shared = of(chunks)
    spread = shared.spread(scores)
    assert 0 <= spread.share <= 1
    assert spread.variance >= 0
    assert 0 < spread.freedom <= max(1, len(chunks) - 1)
    assert 1 <= spread.effective <= len(chunks) + 1e-9
    assert shared.inflation(spread.share) >= 1 or np.isinf(spread.variance)


def test_questions_with_more_relevant_chunks_that_are_easier_are_not_taken_for_dependent():
    draw = np.random.default_rng(6)
    sizes = draw.integers(2, 60, 150)
    shared = of([draw.choice(500, size, replace=False) for size in sizes])
    rows = np.stack([0.2 * np.log(sizes) + draw.normal(0, 0.1, 150) for _ in range(60)])
    assert shared.share(rows) < 0.1


def test_a_judgement_given_twice_counts_once():
    assert of([("a", "a", "b"), ("a", "b")]).links == pytest.approx(2.0)


def test_traces_of_many_questions_are_estimated_closely(monkeypatch):
    draw = np.random.default_rng(3)
    chunks = [draw.choice(300, draw.integers(1, 12), replace=False) for _ in range(600)]
    exact = of(chunks)._traces
    monkeypatch.setattr(module, "_EXACT", 100)
    estimated = of(chunks)._traces
    assert estimated[:3] == pytest.approx(exact[:3])  # those that decide the variance are exact
    assert estimated[3:] == pytest.approx(exact[3:], rel=0.1)


def test_ten_thousand_questions_with_one_component_take_seconds_and_little_memory():
    draw = np.random.default_rng(4)
    chunks = draw.integers(0, 6000, size=(10_000, 3))
    shared = of(chunks.tolist())
    spread = shared.spread(draw.random(10_000))
    assert spread.freedom > 100
    assert spread.effective == pytest.approx(10_000, rel=0.1)

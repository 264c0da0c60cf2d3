from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.evaluation.bootstrap import prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import ComparisonRow, Prospects
from embft.evaluation.verdict import CANNOT_TELL, Decision, Evidence, cheapest_within, decide
from embft.systems import SYSTEM_NAMES, cost_rank

PEOPLE = {"human": 90}
METRIC = "ndcg@10"


def pair(system: str, baseline: str, delta: float, half: float, metric: str = METRIC) -> ComparisonRow:
    return ComparisonRow(system, baseline, metric, delta, (delta - half, delta + half), 0.04, 5, 3, 82)


def prospects(means: dict[str, float], half: float) -> Prospects:
    """What systems may cost whose differences have intervals of about ``half`` either way."""
    rows = np.random.default_rng(0).normal(size=(len(SYSTEM_NAMES), 400))
    rows -= rows.mean(axis=1, keepdims=True)
    rows *= 400**0.5 * half / 1.96 / 2**0.5 / rows.std(axis=1, keepdims=True)
    ordered = sorted(means, key=cost_rank)
    by_system = {name: rows[cost_rank(name)] + means[name] for name in ordered}
    return prospects_of(by_system, Dependence.none(400), 1000)


def judge(means: dict[str, float], half: float = 0.03, origins=PEOPLE, margin: float = 0.01) -> Decision:
    """The verdict where every pair's interval is its difference plus or minus ``half``."""
    rows = [pair(a, b, means[a] - means[b], half) for a, b in combinations(means, 2)]
    return decide(Evidence(means, rows, origins, METRIC, prospects(means, half)), margin)


def text(decision: Decision) -> str:
    return "\n".join(decision.reasons)


def test_a_clear_winner_is_shipped_with_its_figures():
    decision = judge({"bm25": 0.5, "base": 0.6, "tuned": 0.7, "fused": 0.6})
    assert (decision.decision, decision.headline, decision.metric) == ("tuned", "Ship the tuned model.", METRIC)
    assert decision.reasons[0] == (
        "The tuned model has the highest nDCG@10: 0.700. Choosing it is expected to cost 0.0 points on average against the "
        "best of these systems, whichever that is; with a chance of over 99% it is the best itself."
    )
    costs = decision.reasons[1]
    assert costs.startswith(
        "What each choice is expected to cost, and its chance of being the best: BM25 20.0 points, under 1%; "
    )
    assert "the tuned model 0.0 points, over 99%; the fusion of BM25 and embeddings 10.0 points, under 1%." in costs
    assert "Tuning, against the base model: +10.0 points [+7.0, +13.0] of nDCG@10, a gain." in decision.reasons
    assert "The tuned model against BM25: +20.0 points [+17.0, +23.0] of nDCG@10, a gain." in decision.reasons
    fusion = (
        "The fusion against the best single system, the tuned model: -10.0 points [-13.0, -7.0] of nDCG@10, a loss."
    )
    assert fusion in decision.reasons
    assert decision.expected_loss["bm25"] == pytest.approx(0.2, abs=1e-3)
    assert decision.chance_best["tuned"] > 0.99
    assert decision.meanwhile is None


def test_a_cheaper_system_is_shipped_where_it_is_expected_to_cost_less_than_the_margin():
    decision = judge({"bm25": 0.5, "base": 0.697, "tuned": 0.7, "fused": 0.701}, half=0.01)
    assert decision.decision == "base"
    assert decision.reasons[0].startswith(
        "The fusion of BM25 and embeddings has the highest nDCG@10 (0.701), but the base model (0.697) is cheaper to run. "
        "Choosing it is expected to cost 0."
    )
    assert decision.reasons[0].endswith("no more than the 1.0 that simplicity is worth (evaluation.margin).")


def test_what_is_not_shown_to_differ_is_not_taken_for_equal():
    # A fusion that is five points ahead, with an interval that holds zero, is still the better choice.
    decision = judge({"bm25": 0.3, "base": 0.35, "fused": 0.4}, half=0.06)
    assert decision.decision == "fused"
    assert "not distinguishable" not in text(decision).lower()
    assert "+5.0 points [-1.0, +11.0] of nDCG@10, which could be a gain or a loss." in text(decision)


def test_the_margin_says_what_simplicity_is_worth():
    means = {"bm25": 0.66, "base": 0.68, "tuned": 0.7}
    assert judge(means, half=0.01, margin=0.0).decision == "tuned"
    assert judge(means, half=0.01, margin=0.025).decision == "base"
    assert judge(means, half=0.01, margin=0.05).decision == "bm25"


def test_a_small_difference_that_is_shown_to_be_small_is_called_equal():
    decision = judge({"bm25": 0.5, "base": 0.7, "tuned": 0.701}, half=0.005)
    assert "+0.1 points [-0.4, +0.6] of nDCG@10, equal to within 1.0 points." in text(decision)


def test_where_every_choice_may_cost_much_there_is_one_for_now_and_the_questions_that_it_takes():
    decision = judge({"bm25": 0.68, "base": 0.69, "tuned": 0.7}, half=0.12)
    assert decision.headline == "Use the tuned model for now: 90 test questions do not settle it."
    assert (decision.decision, decision.meanwhile) == ("tuned", "tuned")
    (more,) = [reason for reason in decision.reasons if "more questions like these" in reason]
    assert more.startswith("Every choice is expected to cost ")
    assert "because 90 questions tell little. About " in more


def test_where_no_number_of_questions_would_settle_it_that_is_said():
    means = {"bm25": 0.5, "base": 0.5}
    hopeless = Prospects({"bm25": 0.02, "base": 0.02}, {"bm25": 0.5, "base": 0.5}, ((90, 0.02), (4500, 0.015)))
    decision = decide(Evidence(means, [pair("bm25", "base", 0.0, 0.1)], PEOPLE, METRIC, hopeless))
    assert "too close for questions to separate them" in text(decision)


def test_the_direction_of_a_comparison_does_not_matter():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.7, "fused": 0.71}
    assert judge(dict(reversed(means.items()))).reasons == judge(means).reasons


def test_equal_means_go_to_the_cheaper_system():
    decision = judge({"fused": 0.7, "bm25": 0.7, "tuned": 0.6}, half=0.01)
    assert decision.decision == "bm25"
    assert decision.reasons[0].startswith("BM25 has the highest")
    assert "+0.0 points [-1.0, +1.0]" in text(decision)


def test_a_difference_of_minus_nothing_is_written_as_zero():
    means = {"bm25": 0.6, "fused": 0.6}
    decision = decide(Evidence(means, [pair("bm25", "fused", -0.0001, 0.0)], PEOPLE, METRIC, prospects(means, 0.001)))
    assert "-0.0" not in text(decision)
    assert "+0.0 points [+0.0, +0.0]" in text(decision)


@pytest.mark.parametrize("origin", ["extractive", "openai", "local_llm"])
def test_questions_made_from_the_passages_give_no_verdict_but_a_remedy(origin):
    decision = judge({"bm25": 0.9, "base": 0.6, "tuned": 0.7}, origins={origin: 60, "human": 40})
    assert (decision.decision, decision.meanwhile) == (CANNOT_TELL, None)
    assert f"60 of 100 test questions ({origin}) were made from the passages" in decision.reasons[0]
    assert "flatters BM25" in decision.reasons[0]
    assert "questions.human=FILE" in decision.reasons[1]
    assert "Tuning, against the base model: +10.0 points" in text(decision)
    assert "chance of being the best" not in text(decision)


def test_a_minority_of_made_questions_is_a_doubt_not_a_bar():
    decision = judge({"bm25": 0.5, "tuned": 0.7}, origins={"extractive": 50, "human": 50})
    assert decision.decision == "tuned"
    assert "50 of 100 test questions (extractive) were made from the passages, which flatters BM25." in decision.reasons


def test_questions_of_a_file_get_a_verdict_that_says_their_author_is_unknown():
    decision = judge({"bm25": 0.9, "tuned": 0.7}, origins={"file": 182})
    assert decision.decision == "bm25"
    assert any(
        reason.startswith("Who wrote the questions of the dataset file is unknown") for reason in decision.reasons
    )


@pytest.mark.parametrize(("count", "verdict"), [(29, CANNOT_TELL), (30, "tuned")])
def test_fewer_than_thirty_questions_are_too_few_but_say_what_to_use_meanwhile(count, verdict):
    decision = judge({"bm25": 0.5, "tuned": 0.7}, origins={"human": count})
    assert decision.decision == verdict
    if verdict == CANNOT_TELL:
        assert decision.meanwhile == "tuned"
        assert decision.reasons[0].endswith("Until then use the tuned model.")


def test_no_test_questions_at_all_are_too_few():
    means = {"bm25": 0.5, "tuned": 0.7}
    nothing = decide(Evidence(means, [], {}, METRIC, Prospects({}, {}, ())))
    assert nothing.headline == "Cannot tell: there are no test questions."
    one = judge(means, origins={"human": 1})
    assert one.headline == "Cannot tell yet: 1 test question is too few."


def test_a_single_system_is_shipped_for_want_of_another():
    decision = judge({"base": 0.6}, half=0.5)
    assert decision.decision == "base"
    assert "only system that was measured" in decision.reasons[0]


def test_without_a_tuned_model_base_stands_for_the_dense_ones():
    decision = judge({"bm25": 0.6, "base": 0.5, "fused": 0.7})
    assert decision.decision == "fused"
    assert "The base model against BM25: -10.0 points [-13.0, -7.0] of nDCG@10, a loss." in decision.reasons
    assert "The fusion against the best single system, BM25: +10.0 points" in text(decision)


def test_the_paid_api_is_shipped_only_where_it_is_worth_more_than_the_margin():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.7, "openai": 0.705}
    assert judge(means, half=0.01).decision == "tuned"
    better = judge({**means, "openai": 0.8})
    assert better.decision == "openai"
    assert "The API's embeddings against the tuned model: +10.0 points" in text(better)


def test_comparisons_by_other_metrics_are_passed_over():
    means = {"bm25": 0.5, "tuned": 0.7}
    rows = [pair("tuned", "bm25", 0.2, 0.03), pair("tuned", "bm25", -0.5, 0.01, metric="map@100")]
    decision = decide(Evidence(means, rows, PEOPLE, METRIC, prospects(means, 0.03)))
    assert decision.decision == "tuned"
    assert "+20.0 points" in text(decision)


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.sampled_from(SYSTEM_NAMES), st.floats(0, 1), min_size=1),
    st.floats(0, 0.3),
    st.dictionaries(st.sampled_from(["human", "file", "extractive", "openai"]), st.integers(1, 200)),
)
def test_a_verdict_names_a_measured_system_within_the_margin_or_the_one_with_the_least_loss(means, half, origins):
    decision = judge(means, half, origins)
    assert decision.decision in {CANNOT_TELL, *means}
    assert decision.headline
    assert all(reason.endswith((".", "!")) for reason in decision.reasons)
    if decision.decision != CANNOT_TELL:
        least = min(decision.expected_loss.values())
        assert decision.expected_loss[decision.decision] <= max(least, 0.01) + 1e-6


def test_the_cheapest_is_chosen_by_whatever_costs_are_given():
    losses = {"bm25": 0.001, "fused": 0.002, "base": 0.3}
    assert cheapest_within(losses, 0.01) == "bm25"
    assert cheapest_within(losses, 0.01, {"bm25": 9, "fused": 1, "base": 0}.__getitem__) == "fused"
    assert cheapest_within(losses, 0.0) == "bm25"


def test_a_tuned_model_that_is_the_base_model_is_no_system_of_its_own():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.6, "fused": 0.602}
    rows = [pair(a, b, means[a] - means[b], 0.03) for b, a in combinations(means, 2) if (a, b) != ("tuned", "base")]
    rows.append(ComparisonRow("tuned", "base", METRIC, 0.0, (0.0, 0.0), 1.0, 0, 0, 90))
    decision = decide(Evidence(means, rows, PEOPLE, METRIC, prospects(means, 0.01)))
    assert decision.decision == "base"
    same = "Tuning gained nothing: the tuned model answers every test question as the base model does."
    assert same in decision.reasons
    assert "tuned" not in text(decision).replace("Tuning gained nothing: the tuned model", "")
    assert "tuned" not in decision.expected_loss

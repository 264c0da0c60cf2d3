from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.evaluation.verdict import CANNOT_TELL, CHEAPEST_FIRST, decide

PEOPLE = {"human": 90}


def pair(system: str, baseline: str, delta: float, half: float, metric: str = "ndcg@10") -> dict:
    interval = [delta - half, delta + half]
    row = {"system": system, "baseline": baseline, "metric": metric, "delta": delta, "ci95": interval, "p_value": 0.04}
    return {**row, "wins": 5, "losses": 3, "ties": 82}


def judge(means: dict[str, float], half: float = 0.03, origins=PEOPLE, halves: dict | None = None) -> dict:
    """The verdict where every pair's interval is its difference plus or minus ``half`` (or the pair's own)."""
    rows = [pair(a, b, means[a] - means[b], (halves or {}).get((a, b), half)) for a, b in combinations(means, 2)]
    return decide({name: {"ndcg@10": mean} for name, mean in means.items()}, rows, origins, "ndcg@10")


def text(verdict: dict) -> str:
    return "\n".join(verdict["reasons"])


def test_a_clear_winner_is_shipped_with_its_figures():
    found = judge({"bm25": 0.5, "base": 0.6, "tuned": 0.7, "fused": 0.6})
    assert (found["decision"], found["headline"], found["metric"]) == ("tuned", "Ship the tuned model.", "ndcg@10")
    assert found["reasons"][0] == "The tuned model has the highest nDCG@10: 0.700."
    assert "Tuning, against the base model: +10.0 points [+7.0, +13.0] of nDCG@10, a gain." in found["reasons"]
    assert "The tuned model against BM25: +20.0 points [+17.0, +23.0] of nDCG@10, a gain." in found["reasons"]
    fusion = (
        "The fusion against the best single system, the tuned model: -10.0 points [-13.0, -7.0] of nDCG@10, a loss."
    )
    assert fusion in found["reasons"]


def test_among_systems_that_cannot_be_told_apart_the_cheapest_is_shipped_and_the_rest_named():
    found = judge({"bm25": 0.5, "base": 0.69, "tuned": 0.7, "fused": 0.71}, half=0.025)
    assert found["decision"] == "base"
    assert found["reasons"][0] == (
        "The fusion of BM25 and embeddings has the highest nDCG@10 (0.710), but the base model (0.690) is cheaper to "
        "run and not measurably worse: -2.0 points [-4.5, +0.5]."
    )
    assert found["reasons"][1] == "Not distinguishable from the best either: the tuned model."
    assert "not distinguishable from zero" in text(found)


def test_a_cheaper_system_with_a_wide_interval_comes_with_what_it_could_cost():
    found = judge({"bm25": 0.5, "base": 0.62, "tuned": 0.7}, half=0.1)
    assert found["decision"] == "base"
    assert "could still be worse by 18.0 points" in found["reasons"][0]


def test_the_direction_of_a_comparison_does_not_matter():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.7, "fused": 0.71}
    turned = judge(dict(reversed(means.items())))
    assert turned == judge(means)


def test_equal_means_go_to_the_cheaper_system():
    found = judge({"fused": 0.7, "bm25": 0.7, "tuned": 0.6})
    assert found["decision"] == "bm25"
    assert found["reasons"][0].startswith("BM25 has the highest")
    assert "+0.0 points [-3.0, +3.0]" in text(found)


def test_a_difference_of_minus_nothing_is_written_as_zero():
    systems = {"bm25": {"ndcg@10": 0.6}, "fused": {"ndcg@10": 0.6}}
    found = decide(systems, [pair("bm25", "fused", -0.0001, 0.0)], PEOPLE, "ndcg@10")
    assert "-0.0" not in text(found)
    assert "+0.0 points [+0.0, +0.0]" in text(found)


@pytest.mark.parametrize("origin", ["extractive", "openai", "local_llm"])
def test_questions_made_from_the_passages_give_no_verdict_but_a_remedy(origin):
    found = judge({"bm25": 0.9, "base": 0.6, "tuned": 0.7}, origins={origin: 60, "human": 40})
    assert found["decision"] == CANNOT_TELL
    assert f"60 of 100 test questions ({origin}) were made from the passages" in found["reasons"][0]
    assert "flatters BM25" in found["reasons"][0]
    assert "questions.human=FILE" in found["reasons"][1]
    assert "Tuning, against the base model: +10.0 points" in text(found)


def test_a_minority_of_made_questions_is_a_doubt_not_a_bar():
    found = judge({"bm25": 0.5, "tuned": 0.7}, origins={"extractive": 50, "human": 50})
    assert found["decision"] == "tuned"
    assert "50 of 100 test questions (extractive) were made from the passages, which flatters BM25." in found["reasons"]


def test_questions_of_a_file_get_a_verdict_that_says_their_author_is_unknown():
    found = judge({"bm25": 0.9, "tuned": 0.7}, origins={"file": 182})
    assert found["decision"] == "bm25"
    assert any(
        reason.startswith("Who wrote the questions of the dataset file is unknown") for reason in found["reasons"]
    )


@pytest.mark.parametrize(("count", "decision"), [(29, CANNOT_TELL), (30, "tuned")])
def test_fewer_than_thirty_questions_are_too_few(count, decision):
    found = judge({"bm25": 0.5, "tuned": 0.7}, origins={"human": count})
    assert found["decision"] == decision


def test_no_test_questions_at_all_are_too_few():
    assert judge({"bm25": 0.5, "tuned": 0.7}, origins={})["headline"] == "Cannot tell: 0 test questions are too few."
    one = judge({"bm25": 0.5, "tuned": 0.7}, origins={"human": 1})
    assert one["headline"] == "Cannot tell: 1 test question is too few."


def test_wide_intervals_that_all_hold_zero_tell_nothing():
    found = judge({"bm25": 0.68, "base": 0.69, "tuned": 0.7}, half=0.08)
    assert found["decision"] == CANNOT_TELL
    assert "reach up to 8.0 points either way: add test questions" in found["reasons"][0]


def test_narrow_intervals_that_all_hold_zero_do_tell_the_cheapest_is_as_good():
    assert judge({"bm25": 0.68, "base": 0.69, "tuned": 0.7}, half=0.04)["decision"] == "bm25"


def test_a_fusion_that_is_one_of_its_parts_does_not_make_a_small_test_set_look_sure():
    # A weight of 1 makes the fusion the tuned model: that pair's interval has no width, the others are wide as ever.
    found = judge({"bm25": 0.68, "tuned": 0.7, "fused": 0.7}, half=0.08, halves={("tuned", "fused"): 0.0})
    assert found["decision"] == CANNOT_TELL


def test_a_single_system_is_shipped_for_want_of_another():
    found = judge({"base": 0.6})
    assert found["decision"] == "base"
    assert "only system that was measured" in found["reasons"][0]


def test_without_a_tuned_model_base_stands_for_the_dense_ones():
    found = judge({"bm25": 0.6, "base": 0.5, "fused": 0.7})
    assert found["decision"] == "fused"
    assert "The base model against BM25: -10.0 points [-13.0, -7.0] of nDCG@10, a loss." in found["reasons"]
    assert "The fusion against the best single system, BM25: +10.0 points" in text(found)


def test_the_paid_api_is_shipped_only_where_it_is_measurably_better():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.7, "openai": 0.72}
    assert judge(means)["decision"] == "tuned"
    better = judge({**means, "openai": 0.8})
    assert better["decision"] == "openai"
    assert "The API's embeddings against the tuned model: +10.0 points" in text(better)


def test_comparisons_by_other_metrics_are_passed_over():
    systems = {"bm25": {"ndcg@10": 0.5}, "tuned": {"ndcg@10": 0.7}}
    rows = [pair("tuned", "bm25", 0.2, 0.03), pair("tuned", "bm25", -0.5, 0.01, metric="map@100")]
    assert decide(systems, rows, PEOPLE, "ndcg@10")["decision"] == "tuned"


@given(
    st.dictionaries(st.sampled_from(CHEAPEST_FIRST), st.floats(0, 1), min_size=1),
    st.floats(0, 0.3),
    st.dictionaries(st.sampled_from(["human", "file", "extractive", "openai"]), st.integers(1, 200)),
)
def test_there_is_always_a_verdict_of_a_measured_system_that_is_not_measurably_worse(means, half, origins):
    found = judge(means, half, origins)
    assert found["decision"] in {CANNOT_TELL, *means}
    assert found["headline"]
    assert all(reason.endswith((".", "!")) for reason in found["reasons"])
    if found["decision"] != CANNOT_TELL:
        assert max(means.values()) - means[found["decision"]] <= half + 1e-9


def test_a_tuned_model_that_is_the_base_model_is_no_system_of_its_own():
    means = {"bm25": 0.5, "base": 0.6, "tuned": 0.6, "fused": 0.61}
    rows = [pair(a, b, means[a] - means[b], 0.03) for b, a in combinations(means, 2)]
    for row in rows:
        if {row["system"], row["baseline"]} == {"base", "tuned"}:
            row.update(delta=0.0, ci95=[0.0, 0.0], wins=0, losses=0)
    found = decide({name: {"ndcg@10": mean} for name, mean in means.items()}, rows, PEOPLE, "ndcg@10")
    assert found["decision"] == "base"
    assert "Tuning gained nothing: the tuned model answers every test question as the base model does." in text(found)
    assert "tuned" not in text(found).replace("Tuning gained nothing: the tuned model", "")

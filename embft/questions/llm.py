"""Questions by an LLM: what is asked, asked again where too little came, and read."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.damaged import locked
from embft.errors import EndpointError, QuestionError
from embft.questions.budget import Budget, Estimate, estimate
from embft.questions.chat_endpoint import BUDGET_SPENT, Reply, ask_now
from embft.questions.chat_reply import EMPTY
from embft.questions.client import where
from embft.questions.filters import Rejected
from embft.questions.generated import Generated
from embft.questions.parsing import Parsed, parse_reply
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request, Task, make_request, make_tasks
from embft.questions.traits import terms
from embft.records import Chunk, Question

logger = logging.getLogger(__name__)

_ECHO = 80
"""Percent of likeness from which a question echoes an example."""
Asker = Callable[[Sequence[Any], QuestionsConfig, ReplyCache, Budget], dict[str, Reply]]
"""Requests to replies by key: at once (`ask_now`), by the batch API, or by other machines. What is stored is not asked for."""


@dataclass(frozen=True)
class _Outcome:
    """What came of a task: one or two replies."""

    task: Task
    replies: tuple[Reply, ...]
    parsed: tuple[Parsed, ...]

    @property
    def failure(self) -> str | None:
        """Why there is no reply at all; None where one of them is there."""
        return None if any(reply.text is not None for reply in self.replies) else self.replies[0].failure


def ask_llm(
    chunks: Sequence[Chunk],
    config: QuestionsConfig,
    cache_dir: Path,
    seed: int,
    *,
    endpoint: str | None = None,
    asker: Asker = ask_now,
) -> Generated:
    """Asks about every chunk; what a reply yields fewer of is asked for once more.

    Each reply is stored before it is used. Two jobs that need the same questions at once take turns: the second finds
    the first one's replies.

    Args:
        endpoint: Stands for ``base_url`` in the keys of stored replies, where that is another at each start.
        asker: How requests are made.

    Raises:
        EndpointError: No key, a refusal, no connection; or more than half of the chunks failed.
        QuestionError: The budget is spent. Replies are kept.
    """
    cache, tasks = _cache(cache_dir), make_tasks(chunks, config)
    with locked(cache_dir / "replies.lock"):
        outcomes, budget = _ask_twice(tasks, config, cache, seed, endpoint or config.base_url, asker)
    failed = Counter(outcome.failure for outcome in outcomes if outcome.failure)
    if budget.spent:
        done = sum(outcome.failure is None for outcome in outcomes)
        raise QuestionError(
            f"The budget of questions is spent: {done} of {len(outcomes)} requests have their reply "
            f"({budget.tokens:,} tokens{f', ${budget.usd:.4f}' if budget.priced else ''}). All replies are kept: raise "
            f"{_caps(config)}, and the same command continues from there."
        )
    if failed.total() * 2 > len(outcomes):
        raise EndpointError(
            f"{failed.total()} of {len(outcomes)} requests to {where(config)} failed (max_retries={config.max_retries}); most "
            f"often: {failed.most_common(1)[0][0]}. Replies that came are kept: the same command continues from there."
        )
    _say_failures(outcomes)
    return _collect(outcomes, config, budget)


def estimate_llm(
    chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int, *, endpoint: str | None = None
) -> Estimate:
    """What `ask_llm` would take. Asks nothing."""
    tasks = make_tasks(chunks, config)
    requests = [make_request(task, config, endpoint or config.base_url, seed) for task in tasks]
    wanted = sum(task.count for task in tasks) / max(len(tasks), 1)
    return estimate(requests, len(chunks), wanted, config, _cache(cache_dir))


def _cache(cache_dir: Path) -> ReplyCache:
    return ReplyCache(cache_dir / "replies.sqlite")


def _ask_twice(
    tasks: Sequence[Task], config: QuestionsConfig, cache: ReplyCache, seed: int, endpoint: str | None, asker: Asker
) -> tuple[list[_Outcome], Budget]:
    budget = Budget(config)
    requests = [make_request(task, config, endpoint, seed) for task in tasks]
    settled = _settled(tasks, requests, config, cache, seed, endpoint)
    requests = [settled.get(place, request) for place, request in enumerate(requests)]
    replies = asker(requests, config, cache, budget)
    first = [replies[request.key] for request in requests]
    parsed = [_parsed(reply, task.count) for task, reply in zip(tasks, first, strict=True)]
    again = {
        place: make_request(tasks[place], config, endpoint, seed, answer.questions)
        for place, answer in enumerate(parsed)
        if place not in settled
        and (first[place].text is not None or first[place].failure == EMPTY)
        and len(answer.questions) < tasks[place].count
    }
    more = asker(list(again.values()), config, cache, budget) if again and not budget.spent else {}
    outcomes = []
    seen: set[str] = set()
    for place, task in enumerate(tasks):
        # Chunks of equal text make equal requests: one of them paid.
        own = [(requests[place].key, first[place])]
        if place in again and again[place].key in more:
            own.append((again[place].key, more[again[place].key]))
        counted = tuple(replace(reply, tokens=0, cached=True) if key in seen else reply for key, reply in own)
        seen |= {key for key, _ in own}
        missing = task.count - len(parsed[place].questions)
        answers = (parsed[place], *(_parsed(reply, missing) for _, reply in own[1:]))
        outcomes.append(_Outcome(task, counted, answers))
    return outcomes, budget


def _settled(
    tasks: Sequence[Task],
    requests: Sequence[Request],
    config: QuestionsConfig,
    cache: ReplyCache,
    seed: int,
    endpoint: str | None,
) -> dict[int, Request]:
    """The second requests of tasks whose first gave nothing and whose second gave a reply, in an earlier run."""
    missing = [place for place, request in enumerate(requests) if cache.get(request.key) is None]
    second = {place: make_request(tasks[place], config, endpoint, seed, ()) for place in missing}
    return {place: request for place, request in second.items() if cache.get(request.key) is not None}


def _say_failures(outcomes: Sequence[_Outcome]) -> None:
    replies = [reply for outcome in outcomes for reply in outcome.replies if not reply.cached]
    reasons = Counter(reply.failure for reply in replies if reply.failure)
    for failure, count in reasons.most_common(5):
        logger.warning("%d of %d requests for questions failed: %s.", count, len(replies), failure)
    if len(reasons) > 5:
        logger.warning("%d more kinds of failure are in the questions' report.", len(reasons) - 5)


def _parsed(reply: Reply, count: int) -> Parsed:
    return parse_reply(reply.text or "", count)


def _collect(outcomes: Sequence[_Outcome], config: QuestionsConfig, budget: Budget) -> Generated:
    from rapidfuzz import fuzz

    questions: list[Question] = []
    rejected: list[Rejected] = []
    counts: Counter[str] = Counter()
    examples = ["".join(terms(text)) for text in (outcomes[0].task.prompt.examples if outcomes else ())]
    seen: set[str] = set()
    for outcome in outcomes:
        task, count = outcome.task, 0
        for reply in outcome.replies:
            counts["requests"] += not reply.cached and reply is not BUDGET_SPENT
            counts["cached_replies"] += reply.cached
            counts["failed_requests"] += reply.failure is not None and not reply.cached
            counts["tokens"] += reply.tokens
        for parsed in outcome.parsed:
            counts["chatter_removed"] += parsed.chatter
            counts["duplicates"] += parsed.duplicates
            counts["surplus"] += parsed.surplus
            counts["unknown_shape"] += parsed.unknown
            for text in parsed.questions:
                plain = "".join(terms(text))
                # An example of the prompt is no question about any chunk, nor is it with a word more or less.
                if any(fuzz.ratio(plain, example) >= _ECHO for example in examples):
                    counts["duplicates"] += 1
                    rejected.append(Rejected(text, task.chunk_ids, "duplicate", "an example of the prompt"))
                    continue
                if plain in seen:
                    counts["duplicates"] += 1
                    rejected.append(Rejected(text, task.chunk_ids, "duplicate", "the same words as an earlier one"))
                    continue
                seen.add(plain)
                count += 1
                questions.append(_question(text, task.chunk_ids, config.backend))
        counts["asked_again"] += len(outcome.replies) > 1
        counts["chunks_with_fewer"] += count < task.count
        if failure := outcome.failure:
            rejected.append(Rejected(None, task.chunk_ids, "request failed", failure))
        elif not any(parsed.questions for parsed in outcome.parsed):
            reply_text = next(reply.text for reply in outcome.replies if reply.text is not None).strip()
            rejected.append(Rejected(None, task.chunk_ids, "no question in the reply", reply_text[:200]))
    names = (
        "duplicates", "chatter_removed", "unknown_shape", "surplus", "asked_again", "chunks_with_fewer", "requests",
        "cached_replies", "failed_requests", "tokens",
    )  # fmt: skip
    report: dict[str, object] = {
        "asked": sum(outcome.task.count for outcome in outcomes),
        "made": len(questions),
        **{name: counts[name] for name in names},
        "usd": round(budget.usd, 8) if budget.priced else None,
        "failures": [
            {"chunk": row.chunk_ids[0], "reason": row.detail} for row in rejected if row.reason == "request failed"
        ],
    }
    return Generated(questions, report, rejected)


def _question(text: str, chunk_ids: tuple[str, ...], origin: str) -> Question:
    # One chunk stands for itself, so that ids stay what they were before there were pairs.
    about = chunk_ids[0] if len(chunk_ids) == 1 else list(chunk_ids)
    digest = hashlib.sha256(json.dumps([text, about], ensure_ascii=False).encode()).hexdigest()[:16]
    return Question(f"l-{digest}", text, chunk_ids, origin)


def _caps(config: QuestionsConfig) -> str:
    caps = {"questions.max_cost_usd": config.max_cost_usd, "questions.max_tokens": config.max_tokens}
    return " or ".join(f"{name}={value:g}" for name, value in caps.items() if value is not None)

"""A sentence of context for each chunk by an LLM, asked through the client, cache and budget of the questions.

After Anthropic, "Introducing Contextual Retrieval", 2024. There the whole document goes into each prompt, which a provider's
prompt cache makes cheap; here its title, headings, beginning and the text around the chunk do, so that a prompt has a bound
regardless of the document's length, and any server will do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embft.config import QuestionsConfig
from embft.corpus.context import ARROW, context_at
from embft.damaged import locked
from embft.errors import EndpointError, QuestionError
from embft.questions.budget import Budget, Estimate, estimate
from embft.questions.chat_endpoint import Reply
from embft.questions.client import where
from embft.questions.elsewhere import Machines
from embft.questions.local_llm import find_weights, local_identity, open_llm
from embft.questions.prompt import read_texts
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request, spoken_in
from embft.questions.thoughts import without_thoughts
from embft.records import Chunk, Page

_PROMPT = "situate"
_BEGINNING, _AROUND = 1500, 1200
"""Characters of the document's beginning, and of the text on either side of the chunk."""
_REPLY_TOKENS = 120
_LONGEST = 400
"""Characters of a context: what is longer is no sentence."""
_PLACES = re.compile(r"(\{\w+\})")
_LABEL = re.compile(r"^(?:here is[^:\n]{0,80}|context|sentence|answer|上下文|背景|答案|句子)\s*[:：]\s*", re.IGNORECASE)


@dataclass(frozen=True)
class WrittenContexts:
    """What came of it.

    Attributes:
        contexts: Chunk id to sentence; chunks without a usable reply have their title and headings.
        report: Counts, tokens, price.
    """

    contexts: dict[str, str]
    report: dict[str, object]


def write_contexts(
    pages: Sequence[Page],
    chunks: Sequence[Chunk],
    config: QuestionsConfig,
    cache_dir: Path,
    seed: int,
    machines: Machines | None = None,
) -> WrittenContexts:
    """Asks about every chunk; a reply that is stored is not asked for again.

    Args:
        machines: Other machines that a local LLM may be asked on.

    Raises:
        EndpointError: No key, a refusal, no connection; or more than half of the requests failed.
        QuestionError: The budget is spent. Replies are kept.
    """
    with open_llm(config, machines) as llm:
        requests = _requests(pages, chunks, llm.config, llm.endpoint, seed)
        cache = ReplyCache(cache_dir / "replies.sqlite")
        budget = Budget(llm.config)
        with locked(cache_dir / "replies.lock"):
            replies = llm.ask(list(requests.values()), llm.config, cache, budget)
    if budget.spent:
        done = sum(replies[request.key].text is not None for request in requests.values())
        raise QuestionError(
            f"The budget is spent: {done} of {len(requests)} chunks have their context ({budget.tokens:,} tokens). All replies "
            "are kept: raise questions.max_cost_usd or questions.max_tokens, and the same command continues from there."
        )
    failed = Counter(replies[request.key].failure for request in requests.values() if replies[request.key].failure)
    if failed.total() * 2 > len(requests):
        raise EndpointError(
            f"{failed.total()} of {len(requests)} requests to {where(llm.config)} for contexts failed; most often: "
            f"{failed.most_common(1)[0][0]}. Replies that came are kept: the same command continues from there."
        )
    return _collect(pages, chunks, requests, replies, budget)


def estimate_contexts(
    pages: Sequence[Page], chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int
) -> Estimate:
    """What `write_contexts` would take. Asks nothing."""
    endpoint = config.base_url
    if config.backend == "local_llm":
        weights = find_weights(config.model, config.setting)
        config, endpoint = replace(config, model=weights.name), local_identity(weights)
    requests = _requests(pages, chunks, config, endpoint, seed)
    return estimate(list(requests.values()), len(chunks), 2.0, config, ReplyCache(cache_dir / "replies.sqlite"))


def prompt_texts() -> tuple[str, str | None]:
    """The English prompt, and the Chinese one."""
    return read_texts(_PROMPT, "corpus.context", "prompts/context")


def _requests(
    pages: Sequence[Page], chunks: Sequence[Chunk], config: QuestionsConfig, endpoint: str | None, seed: int
) -> dict[str, Request]:
    """Chunk id to its request."""
    english, chinese = prompt_texts()
    spoken = spoken_in(chunks, config.language)
    place = {(page.document, page.number): page for page in pages}
    beginnings: dict[str, str] = {}
    for page in pages:
        known = beginnings.get(page.document, "")
        if len(known) < _BEGINNING:
            beginnings[page.document] = (known + "\n\n" + page.text).lstrip()[:_BEGINNING]
    requests = {}
    for chunk in chunks:
        page = place[chunk.document, chunk.page]
        template = chinese if chinese and spoken[chunk.id] == "zh" else english
        values = {
            "{title}": page.title or chunk.document,
            "{headings}": ARROW.join(page.headings_at(chunk.start)) or "-",
            "{beginning}": beginnings[chunk.document],
            "{around}": page.text[max(0, chunk.start - _AROUND) : chunk.end + _AROUND],
            "{chunk}": chunk.text,
        }
        # All places at once, or braces in a text would be filled.
        message = "".join(values.get(part, part) for part in _PLACES.split(template))
        body: dict[str, object] = {
            "model": config.model,
            "messages": [{"role": "user", "content": message}],
            "temperature": 0.0,
            "max_tokens": _REPLY_TOKENS,
            "seed": seed,
        }
        requests[chunk.id] = Request(body, endpoint)
    return requests


def _collect(
    pages: Sequence[Page],
    chunks: Sequence[Chunk],
    requests: Mapping[str, Request],
    replies: Mapping[str, Reply],
    budget: Budget,
) -> WrittenContexts:
    place = {(page.document, page.number): page for page in pages}
    contexts: dict[str, str] = {}
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for chunk in chunks:
        reply = replies[requests[chunk.id].key]
        if requests[chunk.id].key not in seen:  # chunks of equal text in equal places make one request
            seen.add(requests[chunk.id].key)
            counts["cached_replies"] += reply.cached
            counts["requests"] += not reply.cached
            counts["failed_requests"] += reply.failure is not None
            counts["tokens"] += reply.tokens
        sentence = sentence_of(reply.text or "")
        counts["made"] += bool(sentence)
        counts["unusable_replies"] += reply.text is not None and not sentence
        context = sentence or context_at(place[chunk.document, chunk.page], chunk.start, "headings")
        if context:
            contexts[chunk.id] = context
    names = ("made", "unusable_replies", "requests", "cached_replies", "failed_requests", "tokens")
    usd = round(budget.usd, 8) if budget.priced else None
    return WrittenContexts(contexts, {**{name: counts[name] for name in names}, "usd": usd})


def sentence_of(reply: str) -> str:
    """The sentence in a reply, without thoughts, labels, quotes and tags; empty where there is none."""
    text = re.sub(r"</?\w+>", " ", without_thoughts(reply)).strip()
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]
    if len(paragraphs) > 1 and paragraphs[0].endswith((":", "：")):
        paragraphs = paragraphs[1:]
    sentence = _LABEL.sub("", paragraphs[0]).strip(" \"'“”「」*`") if paragraphs else ""
    return sentence if 8 <= len(sentence) <= _LONGEST else ""

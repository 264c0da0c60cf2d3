"""Questions by an LLM behind any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from embft.config import QuestionsConfig
from embft.errors import EndpointError
from embft.questions.parsing import Parsed, parse_reply
from embft.questions.prompt import Prompt
from embft.questions.reply_cache import ReplyCache
from embft.records import Chunk, Question


@dataclass(frozen=True)
class _Answer:
    """One chunk's outcome: parsed questions, or the reason why there are none."""

    chunk: Chunk
    parsed: Parsed | None
    failure: str | None
    cached: bool
    tokens: int


def ask_endpoint(
    chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int, *, endpoint: str | None = None
) -> tuple[list[Question], dict[str, Any]]:
    """Asks about every chunk, at most ``concurrency`` requests at a time; the client retries with backoff.

    Each reply is stored before it is used. Two jobs that need the same questions at once take turns: the second finds
    the first one's replies.

    Args:
        endpoint: Stands for ``base_url`` in the keys of stored replies, where that is another at each start.

    Raises:
        EndpointError: No key, a refusal, no connection; or more than half of the chunks failed.
    """
    cache = ReplyCache(cache_dir / "replies.sqlite")
    with FileLock(cache_dir / "replies.lock"):
        answers = _run(_ask_all(chunks, config, cache, seed, endpoint or config.base_url))
    failed = [answer for answer in answers if answer.failure]
    if len(failed) * 2 > len(answers):
        raise EndpointError(
            f"{len(failed)} of {len(answers)} requests to {_where(config)} failed after {config.max_retries} retries; the "
            f"first: {failed[0].failure}. Replies that came are kept: the same command goes on from there."
        )
    return _collect(answers, config)


def _run(answers: Coroutine[Any, Any, list[_Answer]]) -> list[_Answer]:
    """Runs to the end, also below a caller's event loop (a notebook): then in a thread.

    Without one it stays in this thread, for there asyncio cancels what is under way at Ctrl-C; a thread would go on
    asking, and paying.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(answers)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, answers).result()


async def _ask_all(
    chunks: Sequence[Chunk], config: QuestionsConfig, cache: ReplyCache, seed: int, endpoint: str | None
) -> list[_Answer]:
    from tqdm.auto import tqdm

    prompt = Prompt(config.prompt, config.language)
    client = _client(config)
    slots = asyncio.Semaphore(config.concurrency)
    texts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    bar = tqdm(total=len(chunks), desc="questions", unit="chunk", disable=None)
    tokens = 0

    async def ask(chunk: Chunk) -> _Answer:
        nonlocal tokens
        # Chunks of equal text make equal requests: the second waits, holding no slot, and finds the first one's reply.
        async with texts[chunk.text], slots:
            answer = await _ask(client, chunk, prompt, config, cache, seed, endpoint)
        tokens += answer.tokens
        bar.set_postfix(tokens=tokens, refresh=False)
        bar.update()
        return answer

    tasks = [asyncio.ensure_future(ask(chunk)) for chunk in chunks]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        bar.close()
        await client.close()


async def _ask(
    client: Any,
    chunk: Chunk,
    prompt: Prompt,
    config: QuestionsConfig,
    cache: ReplyCache,
    seed: int,
    endpoint: str | None,
) -> _Answer:
    import openai

    request = {
        "model": config.model,
        "messages": [{"role": "user", "content": prompt.fill(chunk.text, config.per_chunk)}],
        "temperature": config.temperature,
        "max_tokens": config.max_tokens,
        "seed": seed,
    }
    keyed = {**request, "base_url": endpoint}
    key = cache.key(keyed)
    stored = cache.get(key)
    if stored is not None:
        return _Answer(chunk, parse_reply(stored["text"], config.per_chunk), None, True, 0)
    try:
        reply = await client.chat.completions.create(**request)
    except openai.AuthenticationError:
        raise EndpointError(
            f"{_where(config)} refused the key in ${config.api_key_env}: check it, or questions.base_url."
        ) from None
    except openai.NotFoundError:
        raise EndpointError(f"{_where(config)} has no model '{config.model}': check questions.model.") from None
    except openai.APITimeoutError:
        return _Answer(chunk, None, f"no answer within {config.timeout_seconds:g} s", False, 0)
    except openai.APIConnectionError:
        raise EndpointError(
            f"{_where(config)} cannot be reached: check questions.base_url and the network, or take questions=extractive, "
            "which needs no LLM. Replies that came are kept."
        ) from None
    except openai.APIStatusError as error:
        return _Answer(chunk, None, f"the server answered {error.status_code}", False, 0)
    except (openai.APIError, json.JSONDecodeError, ValueError):
        return _Answer(chunk, None, "the server's answer was no JSON", False, 0)
    choices = getattr(reply, "choices", None)
    if not choices:  # some gateways answer 200 with an error in it; kept, it would stand for a reply for ever
        return _Answer(chunk, None, "the server's answer held no reply", False, 0)
    text = choices[0].message.content or ""
    usage = getattr(reply, "usage", None)
    tokens = int(getattr(usage, "total_tokens", 0) or 0)
    cache.put(key, keyed, {"text": text, "tokens": tokens})
    return _Answer(chunk, parse_reply(text, config.per_chunk), None, False, tokens)


def _collect(answers: Sequence[_Answer], config: QuestionsConfig) -> tuple[list[Question], dict[str, Any]]:
    questions: list[Question] = []
    counts: Counter[str] = Counter()
    without: list[str] = []
    # An example of the prompt is no question about any chunk.
    seen = {_normal(text) for text in Prompt(config.prompt, config.language).examples}
    for answer in answers:
        counts["requests"] += not answer.cached
        counts["cached_replies"] += answer.cached
        counts["tokens"] += answer.tokens
        made = 0
        for text in answer.parsed.questions if answer.parsed else ():
            normal = _normal(text)
            if normal in seen:
                counts["duplicates"] += 1
                continue
            seen.add(normal)
            made += 1
            digest = hashlib.sha256(json.dumps([text, answer.chunk.id], ensure_ascii=False).encode()).hexdigest()[:16]
            questions.append(Question(f"l-{digest}", text, (answer.chunk.id,), config.backend))
        if answer.parsed:
            counts["chatter_removed"] += answer.parsed.chatter
            counts["duplicates"] += answer.parsed.duplicates
            counts["surplus"] += answer.parsed.surplus
        counts["chunks_with_fewer"] += made < config.per_chunk
        if not made:
            without.append(answer.chunk.id)
    failures = [{"chunk": answer.chunk.id, "reason": answer.failure} for answer in answers if answer.failure]
    return questions, {
        "asked": config.per_chunk * len(answers),
        "made": len(questions),
        **{
            name: counts[name]
            for name in (
                "duplicates", "chatter_removed", "surplus", "chunks_with_fewer", "requests", "cached_replies", "tokens",
            )
        },
        "chunks_without_questions": without,
        "failures": failures,
    }  # fmt: skip


def _normal(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _client(config: QuestionsConfig) -> Any:
    import openai

    variable = config.api_key_env
    key = os.environ.get(variable, "") if variable else "none"
    if not key:
        raise EndpointError(
            f"questions={config.name} needs a key in the environment variable {variable}, which is not set. Set it, or name "
            "another with questions.api_key_env, or null for an endpoint without keys, or take questions=extractive, which "
            "needs no LLM."
        )
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(
            f"The key in ${variable} holds a line break or a character that no key has (its value is not shown): set the "
            "variable again."
        )
    return openai.AsyncOpenAI(
        api_key=key, base_url=config.base_url, timeout=config.timeout_seconds, max_retries=config.max_retries
    )


def _where(config: QuestionsConfig) -> str:
    return config.base_url or "The OpenAI API"

"""Questions by the Batch API: half the price, within a day; the same requests, the same stored replies.

https://platform.openai.com/docs/guides/batch: a file of requests is uploaded, a batch is made of it, and its output is a
file of replies, each under the ``custom_id`` of its request: here the key that the reply is stored under.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import EndpointError
from embft.files import digest
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import BUDGET_SPENT, Reply, stored_replies
from embft.questions.client import open_client, refused_key, unreachable, where
from embft.questions.generated import Generated
from embft.questions.llm import ask_llm, estimate_llm
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.records import Chunk

logger = logging.getLogger(__name__)

_MOST = 20_000
"""Requests in a batch; the API takes 50,000 and 200 MB."""
_LOOKED_AT = 200
"""Earlier batches that are looked through for one that a killed run left."""
_UNDER_WAY = {"validating", "in_progress", "finalizing"}


def ask_batch(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Generated:
    """Asks about every chunk in one batch, and in a second one for what is missing.

    A run that is stopped finds its batch again by the requests in it: nothing is sent, or paid, twice.

    Raises:
        EndpointError: The endpoint refuses, cannot be reached, or has no Batch API.
        QuestionError: The batch could pass the budget; it is not sent.
    """
    return ask_llm(chunks, config, cache_dir, seed, asker=ask_by_batch)


estimate_batch = estimate_llm


async def ask_by_batch(
    requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """An `embft.questions.llm.Asker`."""
    replies, missing = stored_replies(requests, cache, budget)
    if not missing:
        return replies
    if not budget.fits(missing):
        budget.spent = True
        return {**replies, **dict.fromkeys((request.key for request in missing), BUDGET_SPENT)}
    client = open_client(config)
    try:
        with _translated(config):
            parts = [missing[start : start + _MOST] for start in range(0, len(missing), _MOST)]
            batches = [await _find(client, part) or await _send(client, part) for part in parts]
            for part, batch in zip(parts, batches, strict=True):
                replies |= await _collect(client, await _finished(client, batch, config), part, cache, budget)
    finally:
        await client.close()
    return replies


async def _find(client: Any, part: Sequence[Request]) -> Any | None:
    """The batch of these very requests that an earlier run made, if it is of use still."""
    name, looked_at = _name(part), 0
    async for batch in client.batches.list(limit=100):
        if (batch.metadata or {}).get("embft") == name:
            done = getattr(batch.request_counts, "completed", 0) or 0
            if batch.status in _UNDER_WAY or (batch.status == "completed" and done):
                logger.info("Batch %s of an earlier run has these requests.", batch.id)
                return batch
        looked_at += 1
        if looked_at == _LOOKED_AT:
            break
    return None


async def _send(client: Any, part: Sequence[Request]) -> Any:
    lines = (
        {"custom_id": request.key, "method": "POST", "url": "/v1/chat/completions", "body": request.body}
        for request in part
    )
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    file = await client.files.create(file=("questions.jsonl", content), purpose="batch")
    batch = await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"embft": _name(part)},
    )
    logger.info(
        "Batch %s of %d requests is under way. Stop whenever you like: the same command finds it again.",
        batch.id,
        len(part),
    )
    return batch


async def _finished(client: Any, batch: Any, config: QuestionsConfig) -> Any:
    from tqdm.auto import tqdm

    with tqdm(desc=f"batch {batch.id}", unit="request", disable=None) as bar:
        while batch.status in _UNDER_WAY:
            await asyncio.sleep(config.poll_seconds)
            batch = await client.batches.retrieve(batch.id)
            counts = batch.request_counts
            if counts is not None:
                bar.total, bar.n = counts.total, counts.completed + counts.failed
                bar.refresh()
    if batch.status not in {"completed", "expired", "cancelled"}:
        said = "; ".join(str(item.message) for item in getattr(batch.errors, "data", None) or ())
        raise EndpointError(f"{where(config)} ended batch {batch.id} as {batch.status}: {said or 'it gave no reason'}.")
    return batch


async def _collect(
    client: Any, batch: Any, part: Sequence[Request], cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """Stores what came; a request that the batch's files lack failed with the batch's state."""
    wanted = {request.key: request for request in part}
    replies: dict[str, Reply] = {}
    for file_id in (batch.output_file_id, batch.error_file_id):
        if not file_id:
            continue
        for line in (await client.files.content(file_id)).text.splitlines():
            try:
                row = json.loads(line)
                request = wanted[row["custom_id"]]
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut, or of another's request: its own is then among the missing
            found = _reply(row)
            if isinstance(found, str):
                replies[request.key] = Reply(None, found)
                continue
            cache.put(request.key, request.keyed, found)
            budget.note(found)
            replies[request.key] = Reply(found["text"], tokens=found["prompt_tokens"] + found["completion_tokens"])
    absent = Reply(None, f"the batch ended as {batch.status} without it")
    return {key: replies.get(key, absent) for key in wanted}


def _reply(row: Mapping[str, Any]) -> dict[str, Any] | str:
    response = row.get("response") or {}
    status = response.get("status_code")
    try:
        body = response["body"]
        usage = body.get("usage") or {}
        return {
            "text": body["choices"][0]["message"]["content"] or "",
            "prompt_tokens": int(usage.get("prompt_tokens", 0)),
            "completion_tokens": int(usage.get("completion_tokens", 0)),
        }
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return "the batch gave no answer" if status in {None, 200} else f"the server answered {status}"


def _name(part: Sequence[Request]) -> str:
    return digest(sorted(request.key for request in part))


@contextmanager
def _translated(config: QuestionsConfig) -> Iterator[None]:
    """The client's errors, which hold the request, as ours, which do not."""
    import openai

    try:
        yield
    except openai.AuthenticationError:
        raise refused_key(config) from None
    except openai.NotFoundError:
        raise EndpointError(f"{where(config)} has no Batch API: take questions=openai.") from None
    except openai.APIConnectionError:
        raise unreachable(config) from None
    except openai.APIStatusError as error:
        raise EndpointError(f"{where(config)} refused the batch with status {error.status_code}.") from None

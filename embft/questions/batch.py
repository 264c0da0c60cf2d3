"""Questions by the Batch API: half the price, within a day; the same requests, the same stored replies.

https://platform.openai.com/docs/guides/batch: a file of requests is uploaded, a batch is made of it, and its output is a
file of replies, each under the ``custom_id`` of its request: here the key that the reply is stored under.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import EndpointError
from embft.files import digest
from embft.foreign_json import parse_json
from embft.progress import progress
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import BUDGET_SPENT, Reply, keep, stored_replies
from embft.questions.chat_reply import Completion, completion_of
from embft.questions.client import open_client, refusal_of_all, unreachable, where
from embft.questions.generated import Generated
from embft.questions.llm import ask_llm, estimate_llm
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.records import Chunk
from embft.services.body import JsonObject
from embft.services.calls import Call, NoAnswerError
from embft.services.transport import Transport, run_to_end
from embft.services.words import shown, words_of

logger = logging.getLogger(__name__)

_MOST = 20_000
"""Requests in a batch; the API takes 50,000 and 200 MB."""
_LOOKED_AT = 200
"""Earlier batches that are looked through for one that a killed run left."""
_UNDER_WAY = {"validating", "in_progress", "finalizing", "cancelling"}
_COUNTS = ("total", "completed", "failed")
_OUTPUT_LIMIT = 1 << 30


def ask_batch(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Generated:
    """Asks about every chunk in one batch, and in a second one for what is missing.

    A run that is stopped finds its batch again by the requests in it: nothing is sent, or paid, twice.

    Raises:
        EndpointError: The endpoint refuses, cannot be reached, or has no Batch API.
        QuestionError: The batch could pass the budget; it is not sent.
    """
    return ask_llm(chunks, config, cache_dir, seed, asker=ask_by_batch)


estimate_batch = estimate_llm


def ask_by_batch(
    requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """An `embft.questions.llm.Asker`."""
    return run_to_end(_ask(requests, config, cache, budget))


async def _ask(
    requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    replies, missing = stored_replies(requests, cache, budget)
    if not missing:
        return replies
    if budget.room_for(missing) < len(missing):
        budget.spent = True
        return {**replies, **dict.fromkeys((request.key for request in missing), BUDGET_SPENT)}
    api = BatchApi(config)
    try:
        parts = [missing[start : start + _MOST] for start in range(0, len(missing), _MOST)]
        earlier = [await api.find(part) for part in parts]
        batches = [batch or await api.send(part) for part, batch in zip(parts, earlier, strict=True)]
        for part, batch, before in zip(parts, batches, earlier, strict=True):
            came = await _collect(api, await api.finished(batch), part, cache, budget)
            if before and not any(reply.text for reply in came.values()):
                # An earlier run had this batch, and nothing of use was in it: the same requests are sent once more.
                came = await _collect(api, await api.finished(await api.send(part)), part, cache, budget)
            replies |= came
    finally:
        await api.close()
    return replies


class BatchApi:
    """Files and batches at the endpoint; every call ends in JSON, or in an `EndpointError`."""

    def __init__(self, config: QuestionsConfig) -> None:
        self._config = config
        self._transport: Transport = open_client(config)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def find(self, part: Sequence[Request]) -> JsonObject | None:
        """The batch of these very requests that an earlier run made, if it is of use still."""
        name, looked_at, query = _name(part), 0, {"limit": "100"}
        while looked_at < _LOOKED_AT:
            page = await self._json(Call("/batches", query=query))
            listed = page.get("data")
            batches = [batch for batch in listed if isinstance(batch, dict)] if isinstance(listed, list) else []
            for batch in batches:
                metadata, counts = batch.get("metadata"), batch.get("request_counts")
                if isinstance(metadata, dict) and metadata.get("embft") == name:
                    done = counts.get("completed") if isinstance(counts, dict) else None
                    status = batch.get("status")
                    if status in _UNDER_WAY - {"cancelling"} or (status == "completed" and done):
                        logger.info("Batch %s of an earlier run has these requests.", batch.get("id"))
                        return batch
            looked_at += len(batches)
            if not batches or page.get("has_more") is not True:
                break
            query = {"limit": "100", "after": str(batches[-1].get("id"))}
        return None

    async def send(self, part: Sequence[Request]) -> JsonObject:
        """Uploads the requests and makes a batch of them."""
        lines = (
            {"custom_id": request.key, "method": "POST", "url": "/v1/chat/completions", "body": request.body}
            for request in part
        )
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("utf-8", "replace")
        file = await self._json(Call("/files", file=("questions.jsonl", content, {"purpose": "batch"})))
        batch = await self._json(
            Call(
                "/batches",
                json={
                    "input_file_id": self._id_of(file, "file"),
                    "endpoint": "/v1/chat/completions",
                    "completion_window": "24h",
                    "metadata": {"embft": _name(part)},
                },
            )
        )
        logger.info(
            "Batch %s of %d requests is under way. Stop whenever you like: the same command finds it again.",
            self._id_of(batch, "batch"),
            len(part),
        )
        return batch

    async def finished(self, batch: JsonObject) -> JsonObject:
        """Waits for the end of a batch.

        Raises:
            EndpointError: It ended without an output.
        """
        name = self._id_of(batch, "batch")
        with progress(f"batch {name}", unit="requests") as work:
            while batch.get("status") in _UNDER_WAY:
                await asyncio.sleep(self._config.poll_seconds)
                batch = await self._json(Call(f"/batches/{name}"))
                counts = batch.get("request_counts")
                numbers = [counts.get(key) if isinstance(counts, dict) else None for key in _COUNTS]
                total, completed, failed = (number if type(number) is int else 0 for number in numbers)
                work.total, work.done = total, completed + failed
        if batch.get("status") not in {"completed", "expired", "cancelled"}:
            errors = batch.get("errors")
            message = words_of(errors.get("data") if isinstance(errors, dict) else errors).text
            status = shown(str(batch.get("status")), longest=40)
            raise EndpointError(
                f"{where(self._config)} ended batch {name} as {status}: {message or 'it gave no reason'}."
            )
        return batch

    async def lines(self, file_id: str) -> list[Any]:
        """The lines of a file that are JSON; one that was cut is left out: its request is then among the missing."""
        answer = await self._answer(Call(f"/files/{file_id}/content", limit=_OUTPUT_LIMIT))
        rows = []
        for line in answer.split(b"\n"):
            try:
                rows.append(parse_json(line))
            except ValueError:
                continue
        return rows

    def _id_of(self, value: JsonObject, what: str) -> str:
        name = value.get("id")
        if not isinstance(name, str) or not name or "/" in name:
            raise EndpointError(f"{where(self._config)} answered without the id of its {what}: take questions=openai.")
        return name

    async def _json(self, call: Call) -> dict[str, Any]:
        content = await self._answer(call)
        try:
            value = parse_json(content)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise EndpointError(
                f"{where(self._config)} answered something else than the Batch API does: take questions=openai, or check "
                "questions.base_url."
            )
        return value

    async def _answer(self, call: Call) -> bytes:
        try:
            answer = await self._transport.send(call)
        except NoAnswerError as error:
            raise unreachable(self._config, str(error)) from None
        if answer.is_good:
            return answer.content
        if answer.status in {404, 405}:
            raise EndpointError(f"{where(self._config)} has no Batch API{answer.words.quoted}: take questions=openai.")
        if answer.status in {401, 402, 403, 429} or answer.status < 400:
            raise refusal_of_all(self._config, answer)
        raise EndpointError(f"{where(self._config)} refused the batch: it {answer.in_words}.")


async def _collect(
    api: BatchApi, batch: JsonObject, part: Sequence[Request], cache: ReplyCache, budget: Budget
) -> dict[str, Reply]:
    """Stores what came; a request that the batch's files lack failed with the batch's state."""
    requests = {request.key: request for request in part}
    replies: dict[str, Reply] = {}
    for name in ("output_file_id", "error_file_id"):
        file_id = batch.get(name)
        for row in await api.lines(file_id) if isinstance(file_id, str) and file_id else ():
            key = row.get("custom_id") if isinstance(row, dict) else None
            if not isinstance(key, str) or key not in requests or (key in replies and replies[key].text is not None):
                continue
            replies[key], usage = keep(requests[key], _completion(row), cache)
            budget.note(usage)
    absent = Reply(None, f"the batch ended as {batch.get('status')} without it")
    return {key: replies.get(key, absent) for key in requests}


def _completion(row: JsonObject) -> Completion:
    """What a line of a batch's output holds."""
    response = row.get("response")
    if not isinstance(response, dict):
        return Completion(None, f"the batch gave no answer{words_of(row.get('error')).quoted}", again=True)
    status, body = response.get("status_code"), response.get("body")
    if status not in {None, 200}:
        return Completion(None, f"the server answered {status}{words_of(body).quoted}", again=True)
    return completion_of(body)


def _name(part: Sequence[Request]) -> str:
    return digest(sorted(request.key for request in part))

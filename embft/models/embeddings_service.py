"""Asks an embeddings endpoint: in batches that it takes, in a form that it takes, and only for what can be used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embft.config import EndpointConfig
from embft.errors import EndpointError
from embft.models.embedding_reply import UnusableVectorsError, read_vectors
from embft.services.address import Address, problem_with
from embft.services.calls import Answer, Call, NoAnswerError, worth_retrying
from embft.services.key import read_key
from embft.services.refusals import (
    is_about_model,
    is_refusal,
    is_too_long,
    is_too_many,
    refused_parameters,
    says_no_address,
)
from embft.services.transport import Transport, run_to_end

Vectors = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)

_OPENAI = "https://api.openai.com/v1"
_CHARACTERS_A_TOKEN = 2.0
"""Cautious: English has about 4; code and Chinese fewer. Only inputs near the endpoint's limit are cut by it."""
_TRIES = 2
"""An answer without usable vectors is asked for once more."""
_LIMIT, _LIMIT_A_TEXT = 256 << 10, 256 << 10
"""Bytes of an answer: 8,192 numbers of 30 characters for each text, and something around them."""
_WAYS_OUT = {
    "evaluation.openai": ", or take 'openai' out of evaluation.systems",
    "model.endpoint": ", or choose an open model (model=minilm)",
}


def longest_input(config: EndpointConfig) -> int:
    """Characters of a text that is sent as it is."""
    return int(config.max_tokens * _CHARACTERS_A_TOKEN)


class EmbeddingsService:
    """Texts to vectors. Remembers for the rest of a run how many texts the server takes at once, and in which form.

    Args:
        config: Endpoint, and the name of the key's variable.
        setting: Where ``config`` stands, for what is said when something is wrong with it.
    """

    def __init__(self, config: EndpointConfig, setting: str) -> None:
        self._config, self._setting = config, setting
        self._size, self._taken = config.batch_size, 0
        self._halved = False
        self._without_format = False
        self._dimension: int | None = None

    def open(self) -> Transport:
        """The connection.

        Raises:
            EndpointError: There is no key, or the address is none.
        """
        base_url = self._config.base_url or _OPENAI
        if problem := problem_with(base_url):
            raise EndpointError(f"{self._setting}.base_url {problem}")
        key = read_key(self._config.api_key_env, self._setting, self._setting, self._way_out)
        return Transport(
            Address.of(base_url),
            key,
            timeout_seconds=self._config.timeout_seconds,
            max_retries=self._config.max_retries,
            connections=self._config.concurrency,
        )

    def vectors(self, texts: Sequence[str], model: str) -> Vectors:
        """Returns float32 [n_texts, dim]: one vector for each text, in order, all usable and of one length.

        Texts are cut at the endpoint's limit; an empty one, which is refused, goes as a space: the vector of nothing.

        Raises:
            EndpointError: No key, a refusal, no connection after the retries, or an answer that cannot be used.
        """
        if not texts:
            return np.zeros((0, 0), np.float32)
        return run_to_end(self._all([text[: longest_input(self._config)] or " " for text in texts], model))

    async def _all(self, texts: Sequence[str], model: str) -> Vectors:
        transport = self.open()
        slots = asyncio.Semaphore(self._config.concurrency)

        async def one(batch: Sequence[str]) -> Vectors:
            async with slots:
                return await self._batch(transport, batch, model)

        size = self._size
        tasks = [asyncio.ensure_future(one(texts[at : at + size])) for at in range(0, len(texts), size)]
        try:
            return np.concatenate(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await transport.close()

    async def _batch(self, transport: Transport, texts: Sequence[str], model: str) -> Vectors:
        if len(texts) > self._size:  # the server refused so many since this batch was made up
            return await self._parts(transport, texts, model)
        reason = ""
        for _ in range(_TRIES):
            answer = await self._send(transport, texts, model)
            if not answer.is_good:
                if len(texts) == 1 or not self._may_be_too_many(answer):
                    raise self._refusal(answer, model, len(texts))
                if len(texts) > self._taken:
                    self._size, self._halved = min(self._size, (len(texts) + 1) // 2), True
                    return await self._parts(transport, texts, model)
                # As many were taken before: it is about these texts, not about their number.
                half = len(texts) // 2
                halves = [await self._batch(transport, part, model) for part in (texts[:half], texts[half:])]
                return np.concatenate(halves)
            try:
                vectors = read_vectors(answer.content, len(texts), answer.secrets)
            except UnusableVectorsError as error:
                reason = str(error)
                continue
            self._remember(len(texts))
            return self._of_one_length(vectors, model)
        raise EndpointError(
            f"{self._where} {reason}. Nothing of that answer is kept: check {self._setting}.base_url and "
            f"{self._setting}.model ('{model}'), or run the same command again later{self._way_out}."
        )

    async def _parts(self, transport: Transport, texts: Sequence[str], model: str) -> Vectors:
        made: list[Vectors] = []
        at = 0
        while at < len(texts):
            part = texts[at : at + self._size]
            made.append(await self._batch(transport, part, model))
            at += len(part)
        return np.concatenate(made)

    async def _send(self, transport: Transport, texts: Sequence[str], model: str) -> Answer:
        body = {"model": model, "input": list(texts), "encoding_format": "float"}
        limit = _LIMIT + len(texts) * _LIMIT_A_TEXT

        def retry(answer: Answer) -> bool:
            # llama.cpp says 500 to a text that is too long for it.
            return worth_retrying(answer) and not (is_too_long(answer) or is_too_many(answer))

        try:
            for _ in range(2):
                if self._without_format:
                    body.pop("encoding_format", None)
                answer = await transport.send(Call("/embeddings", json=body, limit=limit), retry)
                if answer.is_good or not refused_parameters(answer, ["encoding_format"]):
                    break
                self._without_format = True
        except NoAnswerError as error:
            if error.unreachable:
                mend = f"check {self._setting}.base_url and the network{self._way_out}"
            else:
                mend = f"raise {self._setting}.timeout_seconds, lower {self._setting}.batch_size, or try again later"
            raise EndpointError(f"{self._where} {error}: {mend}. Vectors that were paid for are kept.") from None
        return answer

    def _may_be_too_many(self, answer: Answer) -> bool:
        """Whether fewer texts at once may be taken: the ways to say so are many, and to try costs little."""
        if answer.status in {400, 413, 422}:
            return not is_about_model(answer) or is_too_many(answer)
        return is_refusal(answer) and (is_too_many(answer) or is_too_long(answer))

    def _remember(self, count: int) -> None:
        self._taken = max(self._taken, count)
        if self._halved and count == self._size:
            self._halved = False
            logger.warning(
                "%s takes no more than about %d texts at once: %s.batch_size=%d saves the refusals.",
                self._where,
                count,
                self._setting,
                count,
            )

    def _of_one_length(self, vectors: Vectors, model: str) -> Vectors:
        length = vectors.shape[1]
        if self._dimension is None:
            self._dimension = length
        if length != self._dimension:
            raise EndpointError(
                f"{self._where} gave a vector of {length:,} numbers ('{model}') after one of {self._dimension:,}: they "
                f"cannot be compared. Check {self._setting}.model, {self._setting}.query_model, and what stands behind "
                f"{self._setting}.base_url; the vectors of other lengths are not kept."
            )
        return vectors

    def _refusal(self, answer: Answer, model: str, count: int) -> EndpointError:
        server, setting, words = self._where, self._setting, answer.words.quoted
        kept = "Vectors that were paid for are kept."
        if answer.status == 401:
            return EndpointError(
                f"{server} refused the key in ${self._config.api_key_env}{words}. Check it, or {setting}.base_url."
            )
        if answer.status in {404, 405}:
            lacks = "no embeddings" if says_no_address(answer) else f"no embedding model '{model}', or no embeddings"
            return EndpointError(
                f"{server} has {lacks} at this address: it {answer.in_words}. Check "
                f"{setting}.model and {setting}.base_url (most end in /v1; Azure's need ?api-version=... behind them)."
            )
        if 300 <= answer.status < 400:
            return EndpointError(
                f"{server} {answer.in_words}. Set {setting}.base_url to the address that answers itself."
            )
        said = f"{server} {answer.in_words}. The request: {count:,} text{'s' * (count > 1)} for model '{model}'."
        if is_too_long(answer):
            return EndpointError(f"{said} Lower {setting}.max_tokens, at which texts are cut. {kept}")
        if is_too_many(answer):
            return EndpointError(f"{said} Lower {setting}.batch_size. {kept}")
        if answer.status in {402, 403} or (answer.status == 429 and not worth_retrying(answer)):
            return EndpointError(f"{said} Check the account of the key in ${self._config.api_key_env}. {kept}")
        if is_refusal(answer) and answer.status < 500:
            return EndpointError(f"{said} Check {setting}.model. {kept}")
        return EndpointError(
            f"{said} It was tried {answer.retries + 1} times: run the same command again later. {kept}"
        )

    @property
    def _where(self) -> str:
        return self._config.base_url or "The OpenAI API"

    @property
    def _way_out(self) -> str:
        return _WAYS_OUT.get(self._setting, "")

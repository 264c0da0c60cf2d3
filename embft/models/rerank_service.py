"""Asks a rerank API: in batches and in a form that it takes, within the caps of the run, and only for what can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import numpy as np

from embft.config.reranking import RerankApiConfig
from embft.errors import EndpointError
from embft.models.rerank_reply import RerankReply, Scores, TooFewScoresError, UnusableScoresError, read_scores
from embft.prices import rerank_prices
from embft.questions.usage import text_tokens
from embft.services.address import Address, problem_with
from embft.services.calls import Answer, Call, NoAnswerError, worth_retrying
from embft.services.key import read_key
from embft.services.refusals import is_refusal, is_too_long, is_too_many, says_no_address
from embft.services.transport import Transport, run_to_end

COHERE = "https://api.cohere.com/v2"
_SETTING = "evaluation.reranker.api"
_PATH = "/rerank"
_TRIES = 2
"""An answer without usable scores is asked for once more."""
_LIMIT, _LIMIT_A_TEXT = 256 << 10, 1 << 10
_ECHO = 8
"""Bytes of an answer for a character of the texts: some servers send them back, escaped."""
_WAY_OUT = ", or take evaluation.reranker.kind=late, which needs no API"


class RerankService:
    """Questions and texts to scores. Remembers for the rest of a run what the server takes.

    Args:
        config: The API, the name of the key's variable, prices and caps.
    """

    def __init__(self, config: RerankApiConfig) -> None:
        self._config = config
        self._size = config.batch_size
        self._texts_form = False
        self._asks_for_all = False
        listed = rerank_prices(config.model)
        self._per_request = _first(config.price_per_thousand_requests, listed[0])
        self._per_token = _first(config.price_per_million_tokens, listed[1])
        self.requests, self.usd = 0, 0.0
        self._under_way = 0.0

    @property
    def model(self) -> str:
        """Its name at the API."""
        return self._config.model

    @property
    def concurrency(self) -> int:
        """Requests under way at once."""
        return self._config.concurrency

    @property
    def identity(self) -> str:
        """Address, model and batches: what else stands in a request may decide its scores."""
        return f"rerank:{self._where}:{self._config.model}:{self._config.batch_size}"

    @property
    def is_priced(self) -> bool:
        """Whether ``usd`` means anything."""
        return self._per_request is not None or self._per_token is not None

    def requests_for(self, texts: int) -> int:
        """Requests for one question with so many texts."""
        return -(-texts // self._config.batch_size)

    def price(self, question: str, texts: Sequence[str]) -> float:
        """US dollars of one question, estimated: the list price, or the configured one. 0 where neither is known."""
        tokens = sum(map(text_tokens, texts)) + len(texts) * text_tokens(question)
        return (
            self.requests_for(len(texts)) * (self._per_request or 0.0) / 1e3 + tokens * (self._per_token or 0.0) / 1e6
        )

    def scores(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Scores]:
        """Float32 [n_texts] for each question and its texts; see `each`."""
        made = dict(self.each(asked))
        return [made[place] for place in range(len(asked))]

    def each(self, asked: Sequence[tuple[str, Sequence[str]]]) -> Iterator[tuple[int, Scores]]:
        """Yields each question's position and its scores, float32 [n_texts], in any order.

        Where a question fails no further one is begun; those under way come to their end, and all scores that came are
        yielded before the error is raised: they were paid for.

        Raises:
            EndpointError: No key, a refusal, no connection after the retries, an answer that cannot be used, or a cap.
        """
        made, error = run_to_end(self._all(asked))
        yield from made
        if error is not None:
            raise error

    async def _all(
        self, asked: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[list[tuple[int, Scores]], EndpointError | None]:
        transport = self.open()
        slots = asyncio.Semaphore(self._config.concurrency)
        made: list[tuple[int, Scores]] = []
        errors: list[EndpointError] = []

        async def one(place: int, question: str, texts: Sequence[str]) -> None:
            async with slots:
                if errors:
                    return
                try:
                    made.append((place, await self._question(transport, question, list(texts))))
                except EndpointError as error:
                    errors.append(error)

        tasks = [asyncio.ensure_future(one(place, *what)) for place, what in enumerate(asked)]
        try:
            await asyncio.gather(*tasks)
            return made, errors[0] if errors else None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await transport.close()

    def open(self) -> Transport:
        """The connection.

        Raises:
            EndpointError: There is no key, the address is none, or a cap needs a price that is not known.
        """
        base_url = self._config.base_url or COHERE
        if problem := problem_with(base_url):
            raise EndpointError(f"{_SETTING}.base_url {problem}")
        if self._config.max_cost_usd is not None and not self.is_priced:
            raise EndpointError(
                f"{_SETTING}.max_cost_usd needs a price, and embft knows none of '{self.model}': give {_SETTING}."
                "price_per_thousand_requests or price_per_million_tokens, or cap max_requests."
            )
        return Transport(
            Address.of(base_url),
            read_key(self._config.api_key_env, _SETTING, _SETTING, _WAY_OUT),
            timeout_seconds=self._config.timeout_seconds,
            max_retries=self._config.max_retries,
            connections=self._config.concurrency,
        )

    async def _question(self, transport: Transport, question: str, texts: list[str]) -> Scores:
        made: list[Scores] = []
        at = 0
        while at < len(texts):
            part = texts[at : at + self._size]
            scores = await self._batch(transport, question, part)
            if scores is not None:  # None: the server takes fewer at once, and so the part is cut again
                made.append(scores)
                at += len(part)
        return np.concatenate(made)

    async def _batch(self, transport: Transport, question: str, texts: list[str]) -> Scores | None:
        reason, tries = "", 0
        while tries < _TRIES:
            # As it was sent: meanwhile another question's answer may have taught another form.
            texts_form, asked_for_all = self._texts_form, self._asks_for_all
            answer = await self._send(transport, question, texts)
            if not answer.is_good:
                if not texts_form and _wants_texts(answer):
                    self._texts_form = True
                    continue
                if len(texts) > 1 and (is_too_many(answer) or is_too_long(answer)):
                    self._size = min(self._size, (len(texts) + 1) // 2)
                    return None
                raise self._refusal(answer)
            try:
                reply = read_scores(answer.content, len(texts), answer.secrets)
            except TooFewScoresError as error:
                if not asked_for_all and not texts_form:
                    self._asks_for_all = True
                    continue
                reason, tries = str(error), tries + 1
                continue
            except UnusableScoresError as error:
                reason, tries = str(error), tries + 1
                continue
            self._note(reply, question, texts)
            return reply.scores
        raise EndpointError(
            f"{self._where} {reason}. Nothing of that answer is kept: check {_SETTING}.base_url and {_SETTING}.model "
            f"('{self.model}'), or run the same command again later{_WAY_OUT}."
        )

    async def _send(self, transport: Transport, question: str, texts: list[str]) -> Answer:
        body: dict[str, object] = {"query": question, "documents": texts, "model": self.model}
        if self._texts_form:
            body = {"query": question, "texts": texts, "truncate": True}
        elif self._asks_for_all:
            body["top_n"] = len(texts)
        reserved = self._reserve(question, texts)
        limit = _LIMIT + len(texts) * _LIMIT_A_TEXT + _ECHO * sum(map(len, texts))

        def retry(answer: Answer) -> bool:
            return worth_retrying(answer) and not (is_too_long(answer) or is_too_many(answer))

        try:
            return await transport.send(Call(_PATH, json=body, limit=limit), retry)
        except NoAnswerError as error:
            if error.unreachable:
                mend = f"check {_SETTING}.base_url and the network{_WAY_OUT}"
            else:
                mend = f"raise {_SETTING}.timeout_seconds, lower {_SETTING}.batch_size, or try again later"
            raise EndpointError(f"{self._where} {error}: {mend}. All scores that came are kept.") from None
        finally:
            self._under_way -= reserved

    def _reserve(self, question: str, texts: Sequence[str]) -> float:
        """Counts a request before it is made; what is under way counts as spent."""
        price = self.price(question, texts)
        cap, most = self._config.max_cost_usd, self._config.max_requests
        if most is not None and self.requests >= most:
            raise self._spent(f"{_SETTING}.max_requests={most}")
        if cap is not None and self.usd + self._under_way + price > cap:
            raise self._spent(f"{_SETTING}.max_cost_usd={cap:g}")
        self.requests += 1
        self._under_way += price
        return price

    def _note(self, reply: RerankReply, question: str, texts: Sequence[str]) -> None:
        if reply.tokens is not None and self._per_token is not None:
            self.usd += reply.tokens * self._per_token / 1e6
        else:
            self.usd += self.price(question, texts)

    def _spent(self, cap: str) -> EndpointError:
        return EndpointError(
            f"The next request to {self._where} would pass {cap} ({self.requests:,} requests were made, ${self.usd:.4f}). "
            "All scores are kept: raise it, and the same command continues from there."
        )

    def _refusal(self, answer: Answer) -> EndpointError:
        server, words = self._where, answer.words.quoted
        if answer.status == 401:
            return EndpointError(
                f"{server} refused the key in ${self._config.api_key_env}{words}. Check it, or {_SETTING}.base_url."
            )
        if answer.status in {404, 405}:
            lacks = "no /rerank" if says_no_address(answer) else f"no reranker '{self.model}', or no /rerank"
            return EndpointError(
                f"{server} has {lacks} at this address: it {answer.in_words}. Check {_SETTING}.model and {_SETTING}.base_url "
                "(Cohere's ends in /v2, Jina's, Voyage's and vLLM's in /v1, text-embeddings-inference's in nothing)."
            )
        if 300 <= answer.status < 400:
            return EndpointError(
                f"{server} {answer.in_words}. Set {_SETTING}.base_url to the address that answers itself."
            )
        kept = "All scores that came are kept."
        if answer.status in {402, 403} or (answer.status == 429 and not worth_retrying(answer)):
            return EndpointError(
                f"{server} {answer.in_words}. Check the account of ${self._config.api_key_env}. {kept}"
            )
        if is_refusal(answer) and answer.status < 500:
            return EndpointError(f"{server} {answer.in_words}. Check {_SETTING}.model ('{self.model}'). {kept}")
        return EndpointError(
            f"{server} {answer.in_words}. It was tried {answer.retries + 1} times: run the same command again later. {kept}"
        )

    @property
    def _where(self) -> str:
        return self._config.base_url or "Cohere's API"


def _wants_texts(answer: Answer) -> bool:
    """Whether a refusal is text-embeddings-inference's, which calls the documents texts."""
    words = answer.words
    return answer.status in {400, 422} and ("texts" in words.names or "texts" in words.whole)


def _first(own: float | None, listed: float | None) -> float | None:
    return listed if own is None else own

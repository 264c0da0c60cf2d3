"""What questions cost: prices, estimates before anything is asked, and caps that hold while it is."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.prices import price_table
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.questions.usage import Usage, tokens_of
from embft.services.body import JsonObject

_QUESTION_TOKENS = 25
_MARGIN = 1.25
"""A reservation is an estimate and so much more; what was used is known once the reply is there."""
_ASSUMED_SECONDS = 3.0


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float

    def cost(self, prompt_tokens: float, reply_tokens: float) -> float:
        """US dollars."""
        return (prompt_tokens * self.input + reply_tokens * self.output) / 1e6


@dataclass(frozen=True)
class Estimate:
    """What a set of questions would take; requests whose replies are stored already take nothing.

    Attributes:
        missing: Prompt tokens of each request to be made, by key: several jobs that share one pay it once.
        reply_tokens: Of all requests to be made. Second ones, for what is missing, are not included.
        usd: None where the price of the model is not known.
        seconds: By the mean of stored replies of this model (``measured``), or by an assumption.
    """

    chunks: int
    model: str
    missing: dict[str, int]
    stored: int
    reply_tokens: int
    usd: float | None
    price_date: str | None
    seconds: float
    measured: bool

    @property
    def prompt_tokens(self) -> int:
        """Of all requests to be made."""
        return sum(self.missing.values())

    def as_json(self) -> dict[str, object]:
        """For a file; read back with ``Estimate(**value)``."""
        return asdict(self)


def price_of(config: QuestionsConfig) -> tuple[Price | None, str | None]:
    """The model's price and the date of the table; None where it is not in it.

    A model on this machine costs nothing. A dated name (``gpt-4o-mini-2024-07-18``) has the price of its model.

    Raises:
        QuestionError: The table is not one.
    """
    import yaml

    if config.backend in {"local_llm", "extractive"}:
        return Price(0.0, 0.0), None
    own = Path(config.prices).expanduser() if config.prices else None
    try:
        text = own.read_text(encoding="utf-8") if own else price_table()
        table = _parsed(text)
        entry = table["models"].get(re.sub(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})$", "", config.model)) or table["models"].get(
            config.model
        )
        factor = float(table.get("batch_discount", 0.5)) if config.backend == "openai_batch" else 1.0
        price = Price(factor * float(entry["input"]), factor * float(entry["output"])) if entry else None
        return price, str(table["date"])
    except OSError as error:
        raise QuestionError(f"{config.setting}.prices={config.prices} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise QuestionError(
            f"{config.setting}.prices={config.prices} is no price table. It has a date, and models: "
            "{name: {input: 0.15, output: 0.60}}, in US dollars for a million tokens; see embft/prices.yaml."
        ) from error


@lru_cache(maxsize=4)
def _parsed(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def estimate(
    requests: Sequence[Request], chunks: int, per_request: float, config: QuestionsConfig, cache: ReplyCache
) -> Estimate:
    """What it takes to make these requests.

    Args:
        requests: The first request of each task.
        chunks: For the record.
        per_request: Mean number of questions that a request asks for.
    """
    unique = {request.key: request for request in requests}
    missing = {key: tokens_of(request.body) for key, request in unique.items() if cache.get(key) is None}
    seconds, reply_tokens = cache.means(config.model)
    prompt = sum(missing.values())
    reply = round(len(missing) * min(reply_tokens or _QUESTION_TOKENS * per_request, config.reply_tokens))
    price, date = price_of(config)
    wall = len(missing) * (seconds or _ASSUMED_SECONDS) / config.concurrency
    if config.requests_per_minute:
        wall = max(wall, 60.0 * len(missing) / config.requests_per_minute)
    return Estimate(
        chunks=chunks,
        model=config.model,
        missing=missing,
        stored=len(unique) - len(missing),
        reply_tokens=reply,
        usd=None if price is None else price.cost(prompt, reply),
        price_date=date,
        seconds=wall,
        measured=seconds is not None,
    )


def total(estimates: Sequence[Estimate]) -> Estimate:
    """The sum over a sweep: a request that several jobs share is counted once."""
    missing: dict[str, int] = {}
    reply_tokens, usd, seconds = 0.0, 0.0, 0.0
    for one in estimates:
        new = {key: tokens for key, tokens in one.missing.items() if key not in missing}
        share = len(new) / len(one.missing) if one.missing else 0.0
        missing |= new
        reply_tokens += share * one.reply_tokens
        usd += share * (one.usd or 0.0)
        seconds += share * one.seconds
    return Estimate(
        chunks=sum(one.chunks for one in estimates),
        model=" and ".join(dict.fromkeys(one.model for one in estimates)),
        missing=missing,
        stored=sum(one.stored for one in estimates),
        reply_tokens=round(reply_tokens),
        usd=None if any(one.usd is None for one in estimates) else usd,
        price_date=next((one.price_date for one in estimates if one.price_date), None),
        seconds=seconds,
        measured=all(one.measured for one in estimates),
    )


def read_total(files: Sequence[Path]) -> str:
    """The sum of the estimates that the jobs of a sweep left, in words."""
    return in_words(total([Estimate(**json.loads(file.read_text(encoding="utf-8"))) for file in files]))


def in_words(estimate: Estimate) -> str:
    """An estimate as a few lines for the terminal."""
    if estimate.usd is None:
        money = f"no price of {estimate.model} is known, so tokens only (questions.prices=FILE takes a table of yours)"
    elif estimate.price_date is None:
        money = "no money: it runs on this machine"
    else:
        money = f"about ${estimate.usd:.4f} (prices of {estimate.price_date})"
    minutes, seconds = divmod(round(estimate.seconds), 60)
    basis = "at the speed of earlier replies" if estimate.measured else "if a reply takes 3 s (assumed, not measured)"
    return "\n".join(
        (
            f"{estimate.chunks:,} chunks, {len(estimate.missing):,} requests to {estimate.model} "
            f"({estimate.stored:,} more are stored)",
            f"  tokens  about {estimate.prompt_tokens:,} in prompts, {estimate.reply_tokens:,} in replies",
            f"  money   {money}",
            f"  time    about {minutes} min {seconds:02d} s {basis}",
        )
    )


class Budget:
    """Counts tokens and money, and lets no request begin that could pass a cap.

    A request reserves what it may take at most; where that does not fit, it waits for those under way, whose replies are
    mostly shorter than they may be. Once nothing is under way and it still does not fit, the budget is spent.

    Raises:
        QuestionError: A cap in dollars for a model without a price.
    """

    def __init__(self, config: QuestionsConfig) -> None:
        self._price, _ = price_of(config)
        self._most_usd, self._most_tokens = config.max_cost_usd, config.max_tokens
        if self._most_usd is not None and self._price is None:
            raise QuestionError(
                f"{config.setting}.max_cost_usd needs the price of '{config.model}', which the table lacks: give your own "
                f"({config.setting}.prices=FILE, in the form of embft/prices.yaml), or cap {config.setting}.max_tokens."
            )
        self.tokens, self.usd, self.spent = 0, 0.0, False
        self._reserved: list[tuple[int, float]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._condition = asyncio.Condition()

    @property
    def priced(self) -> bool:
        """Whether ``usd`` means anything."""
        return self._price is not None

    def note(self, usage: Usage) -> None:
        """Counts what a reply took, stored or new."""
        self.tokens += usage.total
        self.usd += self._price.cost(usage.prompt, usage.reply) if self._price else 0.0

    def room_for(self, requests: Sequence[Request]) -> int:
        """How many of these, from the first, may be made on top of what was counted."""
        tokens, usd = self.tokens, self.usd
        for number, request in enumerate(requests):
            ceiling = self._ceiling(request.body)
            tokens, usd = tokens + ceiling[0], usd + ceiling[1]
            if not self._within(tokens, usd):
                return number
        return len(requests)

    async def reserve(self, request: Request) -> tuple[int, float] | None:
        """Room for a request; None once the budget is spent."""
        ceiling = self._ceiling(request.body)
        async with self._changed:
            while not self.spent:
                tokens = self.tokens + ceiling[0] + sum(item[0] for item in self._reserved)
                usd = self.usd + ceiling[1] + sum(item[1] for item in self._reserved)
                if self._within(tokens, usd):
                    self._reserved.append(ceiling)
                    return ceiling
                if not self._reserved:
                    self.spent = True
                    self._changed.notify_all()
                else:
                    await self._changed.wait()
        return None

    async def settle(self, reserved: tuple[int, float], spent: Sequence[Usage]) -> None:
        """Puts what a request took in place of its reservation: nothing, where it got no answer."""
        async with self._changed:
            self._reserved.remove(reserved)
            for usage in spent:
                self.note(usage)
            self._changed.notify_all()

    @property
    def _changed(self) -> asyncio.Condition:
        """Requests are made in rounds, each in an event loop of its own, and a condition belongs to one."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._condition = loop, asyncio.Condition()
        return self._condition

    def _within(self, tokens: int, usd: float) -> bool:
        """Whether so much is below the caps."""
        return (self._most_tokens is None or tokens <= self._most_tokens) and (
            self._most_usd is None or usd <= self._most_usd
        )

    def _ceiling(self, body: JsonObject) -> tuple[int, float]:
        prompt, reply = math.ceil(_MARGIN * tokens_of(body)), int(body["max_tokens"])
        return prompt + reply, self._price.cost(prompt, reply) if self._price else 0.0

"""What an LLM is asked: about each chunk, and about pairs of related chunks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from embft.config import QuestionsConfig
from embft.questions.prompt import PAIRS, Prompt
from embft.questions.reply_cache import ReplyCache
from embft.records import Chunk
from embft.services.body import JsonObject
from embft.text.content_words import content_words
from embft.text.languages import passage_languages

_REACH = 20
"""How far apart, in reading order, the chunks of a pair may stand: pairs tie their blocks together in a split."""
_TOO_LIKE = 0.8
_BOLDER = 0.7
_SCHEMA = {
    "type": "object",
    "properties": {"questions": {"type": "array", "items": {"type": "string"}}},
    "required": ["questions"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "questions", "strict": True, "schema": _SCHEMA}}


@dataclass(frozen=True)
class Task:
    """Chunks that questions are wanted about.

    Attributes:
        place: Decides the kinds of question.
        count: Questions wanted.
        language: Of the first chunk; None: to be told from its text.
    """

    chunks: tuple[Chunk, ...]
    prompt: Prompt
    place: int
    count: int
    language: str | None = None

    @property
    def chunk_ids(self) -> tuple[str, ...]:
        """All are relevant to the questions."""
        return tuple(chunk.id for chunk in self.chunks)

    def message(self, count: int, known: Sequence[str] = ()) -> str:
        """The prompt, for ``count`` questions other than the known ones."""
        other = self.chunks[1].text if len(self.chunks) > 1 else ""
        return self.prompt.fill(
            self.chunks[0].text, count, place=self.place, other=other, known=known, language=self.language
        )


@dataclass(frozen=True)
class Request:
    """One request to an LLM.

    Attributes:
        body: As the chat completions API takes it. No key of an API ever stands in it.
        endpoint: What it is for: an address, or what stands for one that changes.
    """

    body: JsonObject
    endpoint: str | None

    @cached_property
    def key(self) -> str:
        """What its reply is stored under."""
        return ReplyCache.key(self.keyed)

    @property
    def keyed(self) -> dict[str, object]:
        """All that decides the reply."""
        return {**self.body, "base_url": self.endpoint}


def make_tasks(chunks: Sequence[Chunk], config: QuestionsConfig) -> list[Task]:
    """A task for each chunk, then one for each pair."""
    prompt = Prompt(config.prompt, config.language, config.types, config.persona)
    spoken = spoken_in(chunks, config.language)
    tasks = [Task((chunk,), prompt, place, config.per_chunk, spoken[chunk.id]) for place, chunk in enumerate(chunks)]
    if config.pairs:
        both = Prompt(PAIRS, config.language)
        tasks += [
            Task(pair, both, place, 1, spoken[pair[0].id])
            for place, pair in enumerate(related(chunks, config.pairs, spoken))
        ]
    return tasks


def spoken_in(chunks: Sequence[Chunk], declared: str = "auto") -> dict[str, str]:
    """Chunk id to its language."""
    languages = passage_languages([chunk.text for chunk in chunks], declared, [chunk.document for chunk in chunks])
    return {chunk.id: language for chunk, language in zip(chunks, languages, strict=True)}


def make_request(
    task: Task, config: QuestionsConfig, endpoint: str | None, seed: int, known: Sequence[str] | None = None
) -> Request:
    """The request for a task; or, with the questions that the first one gave, for those that are missing.

    The second asks with another seed, and where the first gave nothing at a temperature that gives something else.
    """
    again = known is not None
    known = known or ()
    temperature = max(config.temperature, _BOLDER) if again and not known else config.temperature
    body: dict[str, object] = {
        "model": config.model,
        "messages": [{"role": "user", "content": task.message(task.count - len(known), known)}],
        "temperature": temperature,
        "max_tokens": config.reply_tokens,
        "seed": seed + again,
    }
    if config.structured == "auto":
        body["response_format"] = RESPONSE_FORMAT
    return Request(body, endpoint)


def related(chunks: Sequence[Chunk], count: int, spoken: Mapping[str, str] | None = None) -> list[tuple[Chunk, Chunk]]:
    """Pairs of chunks that share rare words and are not nearly the same; no chunk stands in two pairs.

    Likeness is the cosine of word counts weighted by inverse document frequency. Pairs come in reading order.

    Args:
        chunks: In reading order.
        count: Most pairs.
        spoken: Chunk id to its language.
    """
    spoken = spoken or {}
    bags = [Counter(word.lower() for word in content_words(chunk.text, spoken.get(chunk.id))) for chunk in chunks]
    documents = Counter(word for bag in bags for word in bag)
    vectors = []
    for bag in bags:
        weights = {word: number * math.log(len(chunks) / documents[word]) for word, number in bag.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        vectors.append({word: weight / norm for word, weight in weights.items()})
    scored = []
    for left in range(len(chunks)):
        for right in range(left + 1, min(left + 1 + _REACH, len(chunks))):
            likeness = sum(weight * vectors[right].get(word, 0.0) for word, weight in vectors[left].items())
            if 0 < likeness < _TOO_LIKE:
                scored.append((-likeness, left, right))
    taken: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for _, left, right in sorted(scored):
        if len(pairs) == count:
            break
        if left not in taken and right not in taken:
            taken |= {left, right}
            pairs.append((left, right))
    return [(chunks[left], chunks[right]) for left, right in sorted(pairs)]

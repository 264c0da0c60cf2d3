"""What is thrown out and why: each filter on its own, and nothing without its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from embft.config import FiltersConfig
from embft.questions.traits import copied_run
from embft.questions.unaskable import boilerplate
from embft.records import Chunk, Question
from embft.text.codes import name_of, scripts_of
from embft.text.content_words import word_count
from embft.text.languages import guess, script_of, share_of
from embft.text.passage_dependence import passage_dependence

BestRanks = Callable[[Sequence[Question]], Sequence[int | None]]
"""Rank, from 1, of each question's best relevant chunk by the reference retriever; None where it finds none."""
_BLOCK = 512
_DOUBT = 0.01
"""Probability from which a question may be in a language after all."""


@dataclass(frozen=True)
class Rejected:
    """A question, or a chunk that got none, and why.

    Attributes:
        question: None where a whole chunk is without questions.
        reason: The filter's name, or what failed.
        detail: What it saw.
    """

    question: str | None
    chunk_ids: tuple[str, ...]
    reason: str
    detail: str


def askable_chunks(chunks: Sequence[Chunk], config: FiltersConfig) -> tuple[list[Chunk], list[Rejected]]:
    """Takes out the chunks that people do not ask about, before a question about them is paid for."""
    kept: list[Chunk] = []
    rejected: list[Rejected] = []
    for chunk in chunks:
        detail = boilerplate(chunk.text) if config.boilerplate else None
        if detail is None:
            kept.append(chunk)
        else:
            rejected.append(Rejected(None, (chunk.id,), "boilerplate", detail))
    return kept, rejected


def filter_questions(
    questions: Sequence[Question], chunks: Sequence[Chunk], config: FiltersConfig, language: str, best_ranks: BestRanks
) -> tuple[list[Question], list[Rejected]]:
    """Applies the filters that are on, cheapest first; a question that several would reject has the first one's reason.

    Args:
        questions: Generated ones. What people asked is never filtered.
        chunks: All that the questions are about.
        config: Which filters, and their limits.
        language: Of all questions; ``auto``: each chunk's own.
        best_ranks: Asked only where ``round_trip`` is on.

    Returns:
        The rest, in order, and the rejected.
    """
    texts = {chunk.id: chunk.text for chunk in chunks}
    kept = list(questions)
    rejected: list[Rejected] = []
    for name, find in _filters(config, language, texts, best_ranks):
        details = find(kept)
        rejected.extend(
            Rejected(question.text, question.chunk_ids, name, details[place])
            for place, question in enumerate(kept)
            if place in details
        )
        kept = [question for place, question in enumerate(kept) if place not in details]
    return kept, rejected


def _filters(
    config: FiltersConfig, language: str, texts: Mapping[str, str], best_ranks: BestRanks
) -> Iterator[tuple[str, Callable[[Sequence[Question]], Mapping[int, str]]]]:
    """Name and function of each filter that is on. A function maps places of questions to what is wrong with them."""

    def each(check: Callable[[Question], str | None]) -> Callable[[Sequence[Question]], Mapping[int, str]]:
        return lambda questions: {
            place: detail for place, question in enumerate(questions) if (detail := check(question)) is not None
        }

    def passage(question: Question) -> str:
        return "\n".join(texts[chunk_id] for chunk_id in question.chunk_ids)

    low, high = config.fewest_words, config.most_words
    if low is not None or high is not None:
        yield "length", each(lambda question: _wrong_length(question.text, low, high))
    if config.language:
        yield "language", each(lambda question: _wrong_language(question.text, passage(question), language))
    if config.passage_dependent:
        yield "passage_dependent", each(lambda question: passage_dependence(question.text))
    share = config.copied_share
    if share is not None:
        yield "copied", each(lambda question: copied_run(question.text, passage(question), share))
    similarity = config.near_duplicates
    if similarity is not None:
        yield "near_duplicate", lambda questions: near_duplicates([one.text for one in questions], similarity)
    depth = config.round_trip
    if depth is not None:
        yield "round_trip", lambda questions: _answered_elsewhere(best_ranks(questions), depth)


def near_duplicates(questions: Sequence[str], similarity: float) -> dict[int, str]:
    """Places of questions that are as good as an earlier one, with that one; ``similarity`` in percent.

    Compared by rapidfuzz's token_sort_ratio, case, punctuation and the order of words aside.
    """
    from rapidfuzz import fuzz, process, utils

    plain = [utils.default_process(text) for text in questions]
    earlier_of: dict[int, str] = {}
    for start in range(0, len(plain), _BLOCK):
        block = plain[start : start + _BLOCK]
        # Only questions up to the block's end: the later of two goes.
        scores = process.cdist(
            block, plain[: start + len(block)], scorer=fuzz.token_sort_ratio, score_cutoff=similarity
        )
        for row, place in enumerate(range(start, start + len(block))):
            for earlier in scores[row, :place].nonzero()[0]:
                if int(earlier) not in earlier_of:  # a question that is dropped has no duplicates
                    earlier_of[place] = questions[int(earlier)]
                    break
    return earlier_of


def _wrong_length(question: str, low: int | None, high: int | None) -> str | None:
    words = word_count(question)
    if (low is not None and words < low) or (high is not None and words > high):
        return f"{words:g} words"
    return None


def _wrong_language(question: str, passage: str, language: str) -> str | None:
    """What a question is written in where its passage, or the setting, wants another language; None in doubt."""
    script, declared = script_of(question), language != "auto"
    wanted = language if declared else guess(passage).language
    scripts: Sequence[str | None] = scripts_of(wanted) if wanted else (script_of(passage),)
    # A name or two in another script is how people type: "GPU", "NVIDIA 10-K".
    if script is None or None in scripts or (script == "Latin" and word_count(question) <= 2):
        return None
    if script not in scripts:
        return f"{script}, not {_main_of(scripts, passage)}"
    asked = guess(question)
    sure = asked.firm and (declared or guess(passage).firm) and asked.language != wanted
    if not sure or wanted is None or share_of(wanted, question) >= _DOUBT:
        return None
    return f"{name_of(str(asked.language))}, not {name_of(wanted)}"


def _main_of(scripts: Sequence[str | None], passage: str) -> str | None:
    """Of a language's scripts, the passage's."""
    script = script_of(passage)
    return script if script in scripts else scripts[0]


def _answered_elsewhere(ranks: Sequence[int | None], depth: int) -> dict[int, str]:
    return {
        place: "not found" if rank is None else f"rank {rank}"
        for place, rank in enumerate(ranks)
        if rank is None or rank > depth
    }

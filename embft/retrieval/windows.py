"""Chunks cut into windows that a model sees whole.

A chunk longer than the model's limit is otherwise cut off unseen; and a short window says one thing, where a long chunk
says many. A chunk's score is that of its best window (MaxP: Dai and Callan, "Deeper Text Understanding for IR with
Contextual Neural Language Modeling", SIGIR 2019).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from embft.embedded_text import IndexedCorpus, prefix_of
from embft.progress import each
from embft.records import Passages
from embft.retrieval.window_texts import WindowTexts
from embft.text.tokens import spans_in_blocks

TokenSpans = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]
"""Texts to the character span of each of their tokens."""

_LONGEST_WORD = 4
"""Pieces of one word that a window keeps together; longer strings, such as hashes, are torn."""


def whole_chunks(corpus: Mapping[str, str]) -> Passages:
    """One passage a chunk; the model cuts off what it cannot see."""
    return Passages(tuple(corpus), tuple(corpus.values()), np.arange(len(corpus), dtype=np.int64))


def cut_windows(corpus: Mapping[str, str], token_spans: TokenSpans, tokens: int, overlap: int) -> Passages:
    """Cuts every chunk into windows of ``tokens`` tokens.

    A chunk's windows are equally long, at most ``tokens``; neighbours share at least ``overlap`` tokens, as far as whole
    words allow. A window does not begin or end inside a word. Each begins with the chunk's context, whose tokens count; of a
    context that would take more than half of a window, only the beginning is taken.

    Args:
        corpus: Chunk id to text, with contexts where it is an `IndexedCorpus`.
        token_spans: What a token is: for a model whose tokenizer is here, that tokenizer's.
        tokens: Length of a window, without special tokens and prompt.
        overlap: Tokens that neighbours share at least.
    """
    owner, places = array("i"), array("i")
    before: dict[int, str] = {}
    corpus = IndexedCorpus.of(corpus)
    spans = spans_in_blocks(token_spans, list(corpus.own.values()))
    contexts = _fitting_contexts(corpus, token_spans, tokens // 2)
    for position, chunk_id in enumerate(each(corpus, "cutting windows", "chunks")):
        text, offsets = corpus.own[chunk_id], next(spans)
        context, taken = contexts[corpus.context(chunk_id)]
        if context:
            before[position] = context
        room = tokens - taken
        for start, end in window_spans(text, offsets, room, min(overlap, room - 1)):
            end = start + len(text[start:end].rstrip())
            places.extend((end - len(text[start:end].lstrip()), end))
            owner.append(position)
    owners = np.array(owner, np.int32)
    texts = WindowTexts(list(corpus.own.values()), owners, np.array(places, np.int32).reshape(-1, 2), before)
    return Passages(tuple(corpus), texts, owners.astype(np.int64))


def _fitting_contexts(corpus: IndexedCorpus, token_spans: TokenSpans, most: int) -> dict[str, tuple[str, int]]:
    """Each different context as windows carry it, at most so many tokens of whole words, and the tokens that it takes."""
    fitting = {"": ("", 0)}
    distinct = [context for context in dict.fromkeys(map(corpus.context, corpus)) if context]
    for context, offsets in zip(distinct, token_spans([prefix_of(context) for context in distinct]), strict=True):
        taken, kept = len(offsets), context
        if taken > most:
            taken = _word_start(context, offsets, most, most)
            kept = context[: offsets[taken][0]].rstrip()
        fitting[context] = (kept, taken if kept else 0)
    return fitting


def window_spans(text: str, offsets: Sequence[tuple[int, int]], tokens: int, overlap: int) -> list[tuple[int, int]]:
    """Returns character spans of a text's windows; the whole text where it fits into one.

    Args:
        text: The chunk.
        offsets: Character span of each token.
        tokens: Longest window, in tokens.
        overlap: Tokens that neighbours share at least; smaller than ``tokens``.
    """
    count = len(offsets)
    if count <= tokens:
        return [(0, len(text))]
    slack = min(_LONGEST_WORD, tokens // 8)
    room = tokens - slack
    overlap = min(overlap, room - 1)
    # As many windows as are needed, all of one length: none is a leftover of three words, none longer than it must be.
    number = math.ceil((count - overlap) / (room - overlap))
    length = math.ceil((count + (number - 1) * overlap) / number)
    spans = []
    for start in np.linspace(0, count - length, number).round().astype(int):
        first = _word_start(text, offsets, int(start), slack)
        end = _word_start(text, offsets, int(start) + length, slack)
        spans.append((0 if first == 0 else offsets[first][0], len(text) if end == count else offsets[end][0]))
    return spans


def _word_start(text: str, offsets: Sequence[tuple[int, int]], position: int, slack: int) -> int:
    """Steps back to the first piece of the word at ``position``, or stays where that is more than ``slack`` away."""
    for candidate in range(position, max(position - slack, 0) - 1, -1):
        if candidate in (0, len(offsets)) or not _inside_word(text, offsets[candidate][0]):
            return candidate
    return position


def _inside_word(text: str, position: int) -> bool:
    """True between two letters or digits of one ASCII or Latin word; Chinese has no such places."""
    before, after = text[position - 1], text[position]
    return before.isalnum() and after.isalnum() and ord(before) < 0x2E80 and ord(after) < 0x2E80

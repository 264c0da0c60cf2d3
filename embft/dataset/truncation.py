"""Truncation: what of each chunk a model never reads, and which questions ask about that part."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from embft.dataset.findings import EXAMPLES, Finding, count_of, example
from embft.records import RetrievalDataset
from embft.text.terms import plain_words
from embft.text.tokens import spans_in_blocks

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；।॥۔؟።။។])|\n{2,}")
_MOST = 0.5


@dataclass(frozen=True)
class Sight:
    """How a model sees a chunk that is embedded whole.

    Attributes:
        tokens: Of the whole chunk, without special tokens.
        end: Characters that fit; the length of the text where all of it does.
        unread: Tokens beyond them.
    """

    tokens: int
    end: int
    unread: int = 0


def sights_of(
    corpus: Mapping[str, str],
    token_spans: Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]],
    ends: Sequence[int] | None,
) -> dict[str, Sight]:
    """What a model reads of each chunk.

    Args:
        corpus: Chunk id to text.
        token_spans: Texts to the character span of each of their tokens.
        ends: Characters of each chunk that are read; None: all of them.
    """
    texts = list(corpus.values())
    ends = [len(text) for text in texts] if ends is None else ends
    return {
        key: Sight(len(spans), end, sum(start >= end for start, _ in spans))
        for key, spans, end in zip(corpus, spans_in_blocks(token_spans, texts), ends, strict=True)
    }


def hidden_evidence(dataset: RetrievalDataset, sights: Mapping[str, Sight]) -> dict[str, str]:
    """Questions that ask about what is cut off: id to the sentence that answers best by the words it shares.

    The sentence is the one of all relevant chunks with the most of the question's words, a rare word counting more than a
    common one; the first of equals. A question is listed where that sentence ends beyond what the model reads.
    """
    sentences = {
        key: [(start, end, set(plain_words(text[start:end]))) for start, end in _sentences(text)]
        for ids in dataset.relevant_docs.values()
        for key in ids
        for text in [dataset.corpus[key]]
        if sights[key].end < len(text)
    }
    if not sentences:
        return {}
    frequency = Counter(word for text in dataset.corpus.values() for word in set(plain_words(text)))
    weights = {word: math.log(1 + len(dataset.corpus) / count) for word, count in frequency.items()}
    hidden = {}
    for question_id, question in dataset.queries.items():
        ids = dataset.relevant_docs[question_id]
        if any(key not in sentences for key in ids):
            continue  # one of its chunks is read whole
        question_words = set(plain_words(question))
        score, key, start, end = max(
            (
                (sum(weights[word] for word in question_words & words), key, start, end)
                for key in ids
                for start, end, words in sentences[key]
            ),
            key=lambda candidate: candidate[0],
            default=(0.0, "", 0, 0),
        )
        if score > 0 and end > sights[key].end:
            hidden[question_id] = dataset.corpus[key][start:end]
    return hidden


def truncation_findings(
    dataset: RetrievalDataset, sights: Mapping[str, Sight], hidden: Mapping[str, str]
) -> list[Finding]:
    """What share of the chunks, and of their text, is never read; and the questions about it."""
    cut = {key: sight for key, sight in sights.items() if sight.end < len(dataset.corpus[key])}
    if not cut:
        return []
    tokens_in_all = sum(sight.tokens for sight in sights.values())
    unread = sum(sight.unread for sight in cut.values())
    total = len(sights)
    # An API's limit is in characters here, so one chunk has more tokens before it than another.
    read = [sight.tokens - sight.unread for sight in cut.values()]
    about = "" if len(set(read)) == 1 else "about "
    return [
        Finding(
            "truncation",
            "warning",
            len(cut),
            total,
            f"{'Most chunks are' if len(cut) > _MOST * total else 'Some chunks are'} truncated: {len(cut):,} of {total:,} are "
            f"longer than what the model reads, {about}{median_low(read)} tokens, which hides {unread / tokens_in_all:.0%} of "
            f"the text; {len(hidden):,} of {count_of(len(dataset.queries), 'test question')} seem to ask about the hidden part.",
            "retrieval=windows reads all of it; or cut shorter chunks with corpus.chunk_tokens.",
            _examples(dataset, sights, hidden),
        )
    ]


def _examples(
    dataset: RetrievalDataset, sights: Mapping[str, Sight], hidden: Mapping[str, str]
) -> Sequence[dict[str, str]]:
    return [
        example(
            question=dataset.queries[key],
            unread_sentence=sentence,
            the_model_stops_after="… " + dataset.corpus[chunk][: sights[chunk].end][-120:],
        )
        for key, sentence in list(hidden.items())[:EXAMPLES]
        for chunk in dataset.relevant_docs[key][:1]
    ]


def _sentences(text: str) -> list[tuple[int, int]]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [(start, end) for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if text[start:end].strip()]

"""Questions without an LLM: queries made from a chunk's most specific sentences. Deterministic, in the chunk's language.

They train a retriever about as well as an LLM's questions do (see docs), but as a test they flatter BM25: their words are
the passage's. So half of them drop the sentence's form, and none repeats a long sentence whole.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from embft.config import QuestionsConfig
from embft.questions.clauses import Rarity, askable, clause, keywords
from embft.questions.generated import Generated
from embft.questions.sentences import sentences, without_numbers
from embft.questions.unaskable import is_contents
from embft.records import Chunk, Question
from embft.text.content_words import content_words
from embft.text.languages import languages_of


def write_extractive(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Generated:
    """The backend ``extractive``: no LLM, so neither cache nor seed."""
    return Generated(*extractive(chunks, config.per_chunk, config.language), [])


def extractive(
    chunks: Sequence[Chunk], per_chunk: int, language: str = "auto"
) -> tuple[list[Question], dict[str, object]]:
    """Writes up to ``per_chunk`` queries about each chunk.

    A sentence is the more specific, the rarer its words are in the corpus (mean inverse document frequency). The first
    query of a chunk is a clause or a plain question, the second its sentence's rarest words as people type them, and so
    on in turn; each is about another sentence while there are any. A table of contents is not asked about.

    Args:
        chunks: In reading order.
        per_chunk: Most queries of a chunk.
        language: That all are in; ``auto``: each document's, see `embft.text.languages`.

    Returns:
        The questions, and counts.
    """
    spoken = languages_of([chunk.text for chunk in chunks], language, [chunk.document for chunk in chunks]).each
    rarity = _rarity(chunks, spoken)
    questions: list[Question] = []
    seen: set[str] = set()
    fewer: list[str] = []
    duplicates = 0
    for chunk, own in zip(chunks, spoken, strict=True):
        written = 0
        for place, (query, sentence) in enumerate(_queries(chunk.text, rarity, own, 3 * per_chunk)):
            if written == per_chunk:
                break
            key = "".join(content_words(query.lower(), own)) or query
            if key in seen:
                duplicates += 1
                continue
            seen.add(key)
            written += 1
            questions.append(_question(query, chunk, place, sentence))
        if written < per_chunk:
            fewer.append(chunk.id)
    return questions, {
        "asked": per_chunk * len(chunks),
        "made": len(questions),
        "duplicates": duplicates,
        "chunks_with_fewer": len(fewer),
        "chunks_without_questions": sorted(set(fewer) - {key for question in questions for key in question.chunk_ids}),
    }


def _question(query: str, chunk: Chunk, place: int, sentence: str) -> Question:
    key = hashlib.sha256(json.dumps([query, chunk.id, place], ensure_ascii=False).encode()).hexdigest()[:16]
    return Question(f"e-{key}", query, (chunk.id,), "extractive", sentence)


def _rarity(chunks: Sequence[Chunk], spoken: Sequence[str]) -> Rarity:
    """Inverse document frequency of each word over chunks."""
    counts = Counter(
        word
        for chunk, language in zip(chunks, spoken, strict=True)
        for word in {word.lower() for word in content_words(chunk.text, language)}
    )
    return {word: math.log((len(chunks) + 1) / (count + 0.5)) for word, count in counts.items()}


def _queries(text: str, rarity: Rarity, language: str, most: int) -> Iterable[tuple[str, str]]:
    """Queries of a chunk with the sentence behind each, best first: sentences in order of specificity, forms in turn."""
    if is_contents(text):
        return
    scored = []
    for position, sentence in enumerate(sentences(text, language)):
        words = content_words(sentence, language)
        if askable(sentence, words, language):
            # A word counts once, and the rarest few decide: a long sentence is not better for its length.
            rare = sorted((rarity.get(word.lower(), 0.0) for word in set(words)), reverse=True)[:8]
            scored.append((-sum(rare) / len(rare), position, sentence))
    ranked = [sentence for _, _, sentence in sorted(scored)]
    forms = (clause, keywords)
    count = 0
    for lap in range(len(forms)):
        for place, sentence in enumerate(ranked):
            query = forms[(place + lap) % len(forms)](without_numbers(sentence), rarity, language)
            if query:
                yield query, sentence
                count += 1
                if count == most:
                    return

"""Questions without an LLM: queries made from a chunk's most specific sentences. Deterministic, English and Chinese.

They train a retriever about as well as an LLM's questions do (see docs), but as a test they flatter BM25: their words are
the passage's. So half of them drop the sentence's form, and none repeats a long sentence whole.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.questions.generated import Generated
from embft.questions.sentences import STOP_WORDS, content_words, cut_chinese, is_chinese, sentences
from embft.records import Chunk, Question

_FEWEST, _MOST = 5, 60
"""Words that a sentence must have to be asked about."""
_QUERY_WORDS = 14
_QUERY_CHARACTERS = 25
_KEYWORDS = 6
_LEADS = re.compile(
    r"^(?:however|therefore|thus|hence|moreover|furthermore|in addition|additionally|also|as a result|for example|"
    r"for instance|in particular|in general|specifically|accordingly|consequently|similarly|finally|note that|"
    r"in other words|that is|and|but|or|so|if so|otherwise|then|instead)\b,?\s+",
    re.IGNORECASE,
)
_LEADS_ZH = re.compile(
    r"^(?:但是|但|因此|所以|此外|另外|同时|其中|例如|然而|并且|而且|即|如果|"
    r"第[一二三四五六七八九十百千零〇0-9]+[条章节款项][、 \u3000]*)[，,]?"
)
_PRONOUN = re.compile(r"^(?:it|this|that|these|those|they|we|he|she|such|our|its|their)\b\s*", re.IGNORECASE)
_COPULA = re.compile(
    r"^(?:the |an? )?([\w\s'’-]{3,60}?)\s+(is|are)\s+(?!not\b)(?:an?|the|used|defined|called|made|based)\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"^(?:and|or|but|of|as|than|at|to|also|is|are|was|were|be|been|may|might|can|could|will|would|shall|should|must|have|"
    r"has|had|do|does|did|not limited to|not)\b,?\s*",
    re.IGNORECASE,
)
_MARKUP = str.maketrans("", "", '*`"“”|')
_COPULA_ZH = re.compile(r"^(?![这那其它该本此])([\u3400-\u9fff]{2,14}?)(?:是指|是|指)")
_BREAKS = re.compile(r"[;:()（）；：]|\s[–—-]\s|,\s+(?:which|where|while|and|but|or|as|because|including|such)\b")
_BREAKS_ZH = re.compile(r"[，；：。、！？（）]")


def write_extractive(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Generated:
    """The backend ``extractive``: no LLM, so neither cache nor seed."""
    return Generated(*extractive(chunks, config.per_chunk), [])


def extractive(chunks: Sequence[Chunk], per_chunk: int) -> tuple[list[Question], dict[str, Any]]:
    """Writes up to ``per_chunk`` queries about each chunk.

    A sentence is the more specific, the rarer its words are in the corpus (mean inverse document frequency). The first
    query of a chunk is a clause or a plain question, the second its sentence's rarest words as people type them, and so
    on in turn; each is about another sentence while there are any.

    Returns:
        The questions, and counts.
    """
    rarity = _rarity(chunks)
    questions: list[Question] = []
    seen: set[str] = set()
    fewer: list[str] = []
    duplicates = 0
    for chunk in chunks:
        made = 0
        for place, (query, sentence) in enumerate(_queries(chunk.text, rarity, 3 * per_chunk)):
            if made == per_chunk:
                break
            key = "".join(content_words(query.lower()))
            if key in seen:
                duplicates += 1
                continue
            seen.add(key)
            made += 1
            questions.append(_question(query, chunk, place, sentence))
        if made < per_chunk:
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


def _rarity(chunks: Sequence[Chunk]) -> dict[str, float]:
    """Inverse document frequency of each word over chunks."""
    counts = Counter(word for chunk in chunks for word in {word.lower() for word in content_words(chunk.text)})
    return {word: math.log((len(chunks) + 1) / (count + 0.5)) for word, count in counts.items()}


def _queries(text: str, rarity: dict[str, float], most: int) -> Iterable[tuple[str, str]]:
    """Queries of a chunk with the sentence behind each, best first: sentences in order of specificity, forms in turn."""
    scored = []
    for position, sentence in enumerate(sentences(text)):
        words = content_words(sentence)
        if _askable(sentence, words):
            # A word counts once, and the rarest few decide: a long sentence is not better for its length.
            rare = sorted((rarity.get(word.lower(), 0.0) for word in set(words)), reverse=True)[:8]
            scored.append((-sum(rare) / len(rare), position, sentence))
    ranked = [sentence for _, _, sentence in sorted(scored)]
    forms = (_clause, _keywords)
    made = 0
    for lap in range(len(forms)):
        for place, sentence in enumerate(ranked):
            query = forms[(place + lap) % len(forms)](sentence, rarity)
            if query:
                yield query, sentence
                made += 1
                if made == most:
                    return


def _askable(sentence: str, words: Sequence[str]) -> bool:
    """A sentence of prose: no table row, signature, grammar rule or heading."""
    if is_chinese(sentence):
        return 8 <= len(sentence) <= 200 and len(words) >= 3
    tokens = sentence.split()
    letters = sum(character.isalpha() or character.isspace() for character in sentence)
    lower = sum(token[0].islower() for token in tokens)
    return (
        _FEWEST <= len(tokens) <= _MOST
        and len(words) >= 3
        and letters >= 0.75 * len(sentence)
        and lower >= 0.4 * len(tokens)
        and "::=" not in sentence
        and ">>>" not in sentence
    )


def _clause(sentence: str, rarity: dict[str, float]) -> str:
    """The part of a sentence that says most, as a statement or, where grammar allows it, as a question."""
    if is_chinese(sentence):
        return _clause_zh(sentence, rarity)
    text = _LEADS.sub("", _LEADS.sub("", sentence)).strip()
    if match := _COPULA.match(text):
        subject = match.group(1).strip()
        if not _PRONOUN.match(subject) and content_words(subject):
            return f"what {match.group(2).lower()} {_uncapital(subject)}"
    clauses = [_shorn(clause) for clause in _BREAKS.split(text) if clause and len(clause.split()) >= 4]
    best = max(clauses or [_shorn(text)], key=lambda clause: _weight(clause, rarity))
    words = best.split()[:_QUERY_WORDS]
    while words and words[-1].lower().strip(",.") in STOP_WORDS:
        words.pop()
    query = " ".join(words).strip(" ,.;:")
    return _uncapital(query) if len(words) >= 3 and len(content_words(query)) >= 2 else ""


def _shorn(clause: str) -> str:
    """A clause without the pronoun, verbs and particles that it begins with once its sentence is gone, nor markup."""
    text = " ".join(_PRONOUN.sub("", clause.strip()).translate(_MARKUP).split())
    while (shorter := _FRAGMENT.sub("", text)) != text:
        text = shorter
    return text.strip(" ,.")


def _clause_zh(sentence: str, rarity: dict[str, float]) -> str:
    text = _LEADS_ZH.sub("", sentence).strip()
    if match := _COPULA_ZH.match(text):
        return f"什么是{match.group(1)}"
    clauses = [clause for clause in _BREAKS_ZH.split(text) if len(clause) >= 5]
    best = cut_chinese(max(clauses or [text], key=lambda clause: _weight(clause, rarity)), _QUERY_CHARACTERS)
    return f"{best}有什么规定" if best.endswith(("的", "时")) else best


def _keywords(sentence: str, rarity: dict[str, float]) -> str:
    """The rarest words of a sentence in their order, lower-cased: what people type into a search box."""
    leads = _LEADS_ZH if is_chinese(sentence) else _LEADS
    words = list(dict.fromkeys(word.lower() for word in content_words(leads.sub("", sentence).translate(_MARKUP))))
    kept = set(sorted(words, key=lambda word: -rarity.get(word, 0.0))[:_KEYWORDS])
    chosen = [word for word in words if word in kept]
    return " ".join(chosen) if len(chosen) >= 3 else ""


def _weight(text: str, rarity: dict[str, float]) -> float:
    return sum(rarity.get(word.lower(), 0.0) for word in set(content_words(text)))


def _uncapital(text: str) -> str:
    """Lower-cases the first letter, unless the first word is a name or an acronym."""
    first = text.split(" ", 1)[0]
    return text if sum(character.isupper() for character in first) > 1 else text[:1].lower() + text[1:]

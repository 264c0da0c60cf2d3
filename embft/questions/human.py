"""Questions that people asked, and the chunks that answer them, regardless of chunk size."""

from __future__ import annotations

import hashlib
import json
import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from embft.errors import QuestionError, nearest
from embft.questions.human_files import HumanQuestion
from embft.questions.quote_chunks import FoundQuote, chunks_of_places
from embft.questions.quotes import QuoteFinder, in_words
from embft.records import Chunk, Page, Question

logger = logging.getLogger(__name__)

_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‛": "'", "`": "'", "–": "-", "—": "-"}
)


_LOST = 1 / 3
"""Share of the questions without a place in the corpus from which a reader of the verdict must know."""


@dataclass(frozen=True)
class Unmapped:
    """A question that no chunk answers, and why."""

    question: str
    reason: str


@dataclass(frozen=True)
class Mapped:
    """Human questions and their chunks.

    Attributes:
        questions: Each with its chunks; a question that stands several times is one, with its count.
        unmapped: Questions whose evidence, page or chunks the corpus lacks.
        unjudged: Questions that came without any, with how often each was asked.
        warnings: What a reader of the verdict must know.
        by_words: Quotes that were found by their words alone.
    """

    questions: list[Question]
    unmapped: list[Unmapped]
    unjudged: dict[str, int]
    warnings: tuple[str, ...] = ()
    by_words: tuple[FoundQuote, ...] = ()


def map_to_chunks(rows: Sequence[HumanQuestion], pages: Sequence[Page], chunks: Sequence[Chunk]) -> Mapped:
    """Finds the chunks that hold each question's evidence.

    A quote is searched in every page, ignoring white space, case and the style of quotation marks; a passage that
    stands in several places makes all of them relevant; a document and a page beside it choose among them. A quote that is
    not there letter by letter is looked for by its words (`embft.questions.quotes`), and last its page is taken. Where chunk
    borders cut a quote, the chunks that hold at least half of it are relevant, or else the one that holds most. Rows that name
    chunks, and have the same words, are one question.
    """
    index = [_Squeezed(page) for page in pages] if any(row.evidence and not row.chunk_ids for row in rows) else []
    finder: QuoteFinder | None = None
    by_page: dict[tuple[str, int | None], list[Chunk]] = {}
    for chunk in chunks:
        by_page.setdefault((chunk.document, chunk.page), []).append(chunk)
    known = {chunk.id for chunk in chunks}
    questions: dict[tuple[str, tuple[str, ...]], Question] = {}
    by_id: dict[str, list[HumanQuestion]] = {}
    unmapped: list[Unmapped] = []
    unjudged: Counter[str] = Counter()
    by_words: list[FoundQuote] = []
    for row in rows:
        if row.chunk_ids:
            by_id.setdefault(_same(row.question), []).append(row)
        elif not row.is_judged:
            unjudged[row.question] += row.count
        else:
            matches = _by_quote(row, index, by_page) if row.evidence else _by_page(row, by_page)
            if row.evidence and isinstance(matches, str):
                finder = finder or QuoteFinder(pages)  # an index of its own, made where a quote needs it
                matches = _by_words(row, matches, finder, by_page, by_words)
            if isinstance(matches, str):
                unmapped.append(Unmapped(row.question, matches))
                continue
            ids = tuple(dict.fromkeys(chunk.id for chunk in matches))
            _add(questions, Question("", row.question, ids, "human", row.evidence, count=row.count))
    missing = 0
    for same in by_id.values():
        grades = _grades_of(same)
        ids = tuple(key for key, grade in grades.items() if grade > 0 and key in known)
        lacking = [key for key, grade in grades.items() if grade > 0 and key not in known]
        missing += len(lacking) if ids else 0
        if ids:
            # Equal rows of a log are counted; the rows of one question's several chunks are one asking.
            count = max(Counter((one.chunk_ids, one.grades) for one in same).values()) * max(one.count for one in same)
            own = tuple(grades[key] for key in ids) if any(grades[key] > 1 for key in ids) else ()
            _add(questions, Question("", same[0].question, ids, "human", same[0].evidence, own, count))
        else:
            reason = f"the corpus has no chunk '{lacking[0]}'" if lacking else "all its chunks have grade 0"
            unmapped.append(Unmapped(same[0].question, f"{reason} ({same[0].where})"))
    warnings = _warnings(len(questions), unmapped, unjudged, missing)
    return Mapped(list(questions.values()), unmapped, _merged(unjudged), warnings, tuple(by_words))


def require_mapped(mapped: Mapped, source: str) -> None:
    """Refuses questions of which none has its place in the corpus.

    Raises:
        QuestionError: With the first reasons.
    """
    if mapped.questions:
        return
    if not mapped.unmapped:
        raise QuestionError(
            f"questions.human={source}: none of its {len(mapped.unjudged):,} questions says what answers it. Give evidence (a "
            "quote), document and page, or chunk_ids for those that are known; others may stay without."
        )
    shown = "\n".join(f"  - {row.question[:80]}: {row.reason}" for row in mapped.unmapped[:5])
    raise QuestionError(
        f"questions.human={source}: none of its {len(mapped.unmapped):,} questions has its place in this corpus. Is it the "
        f"corpus that they were asked about?\n{shown}"
    )


def _add(questions: dict[tuple[str, tuple[str, ...]], Question], question: Question) -> None:
    about = (question.text, question.chunk_ids)
    key = hashlib.sha256(json.dumps(about, ensure_ascii=False).encode()).hexdigest()[:16]
    count = question.count + (questions[about].count if about in questions else 0)
    questions[about] = replace(question, id=f"h-{key}", count=count)


def _grades_of(rows: Sequence[HumanQuestion]) -> dict[str, int]:
    grades: dict[str, int] = {}
    for row in rows:
        for key, grade in zip(row.chunk_ids, row.grades or (1,) * len(row.chunk_ids), strict=True):
            grades[key] = max(grade, grades.get(key, 0))
    return grades


def _merged(unjudged: Mapping[str, int]) -> dict[str, int]:
    """Counts of questions, those with the same words together."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for question, count in unjudged.items():
        counts[first.setdefault(_same(question), question)] += count
    return dict(counts)


def _same(question: str) -> str:
    return " ".join(question.casefold().split())


def _warnings(mapped: int, unmapped: Sequence[Unmapped], unjudged: Mapping[str, int], missing: int) -> tuple[str, ...]:
    warnings = []
    if unmapped and len(unmapped) >= _LOST * (mapped + len(unmapped)):
        warnings.append(
            f"{len(unmapped):,} of {mapped + len(unmapped):,} human questions have no place in this corpus and were left out: "
            "the verdict rests on the others, and these may be the harder ones. The report lists each with its reason."
        )
    if missing:
        warnings.append(
            f"{missing:,} chunks that people named as relevant are not in the corpus; their questions keep the others."
        )
    if unjudged:
        warnings.append(
            f"{len(unjudged):,} human questions say nothing of what answers them: they are kept as unjudged, and not scored."
        )
    return tuple(warnings)


class _Squeezed:
    """A page's text without white space, case and typography, and the way back to its positions."""

    def __init__(self, page: Page) -> None:
        self.document, self.number = page.document, page.number
        letters: list[str] = []
        self.positions: list[int] = []
        for position, letter in enumerate(page.text):
            squeezed = _squeeze_letter(letter)
            letters.append(squeezed)
            self.positions.extend([position] * len(squeezed))
        self.text = "".join(letters)

    def spans(self, quote: str) -> Iterable[tuple[int, int]]:
        """Character spans in the page's text where the squeezed quote stands."""
        start = self.text.find(quote)
        while start >= 0:
            yield self.positions[start], self.positions[start + len(quote) - 1] + 1
            start = self.text.find(quote, start + 1)


def squeeze(text: str) -> str:
    """What quotes are compared by: no white space, lower case, plain quotation marks and dashes, NFKD.

    Letter by letter, as pages are indexed, and decomposed: a PDF may spell é as one character or as two.
    """
    return "".join(map(_squeeze_letter, text))


@cache
def _squeeze_letter(letter: str) -> str:
    # Quotation marks first: NFKD makes a space and an accent of some of them.
    decomposed = unicodedata.normalize("NFKD", letter.translate(_QUOTES))
    return "".join(decomposed.translate(_QUOTES).casefold().split())


def _by_quote(
    row: HumanQuestion, index: Sequence[_Squeezed], by_page: dict[tuple[str, int | None], list[Chunk]]
) -> list[Chunk] | str:
    quote = squeeze(row.evidence or "")
    index = _named(row, index)
    matches: list[Chunk] = []
    for page in index:
        for start, end in page.spans(quote):
            overlaps = [
                (min(end, chunk.end) - max(start, chunk.start), chunk)
                for chunk in by_page.get((page.document, page.number), [])
            ]
            most = max((length for length, _ in overlaps), default=0)
            if most > 0:
                enough = min(most, (end - start) / 2)
                matches.extend(chunk for length, chunk in overlaps if length >= enough)
    shown = (row.evidence or "")[:80]
    return matches or f"its evidence is not in the corpus: “{shown}” ({row.where})"


def _named(row: HumanQuestion, index: Sequence[_Squeezed]) -> Sequence[_Squeezed]:
    """The pages that the row's page and document leave, where the quote stands in one of them; else all."""
    quote = squeeze(row.evidence or "")
    of_document = [
        one
        for one in index
        if row.document and Path(one.document).name == Path(row.document).name and quote in one.text
    ]
    return [one for one in of_document if one.number == row.page] or of_document or index


def _by_words(
    row: HumanQuestion,
    reason: str,
    finder: QuoteFinder,
    by_page: dict[tuple[str, int | None], list[Chunk]],
    by_words: list[FoundQuote],
) -> list[Chunk] | str:
    """Chunks of a quote that is not there letter by letter: where most of its words are, else of the page beside it."""
    quote = row.evidence or ""
    search = finder.find(quote, row.document, row.page)
    for place in search.places:
        by_words.append(FoundQuote(row.question, quote, place.text, place.document, place.page, place.score))
        logger.info("%s: found by its words (%.0f%%): “%s”", row.where, 100 * place.score, " ".join(place.text.split()))
    if chunks := chunks_of_places(search.places, by_page):
        return chunks
    on_page = _by_page(row, by_page) if row.document and row.page is not None else reason
    return on_page if not isinstance(on_page, str) else reason + in_words(search)


def _by_page(row: HumanQuestion, by_page: dict[tuple[str, int | None], list[Chunk]]) -> list[Chunk] | str:
    document = row.document or ""
    chunks = by_page.get((document, row.page), [])
    if not chunks:
        # People write the file's name, the corpus may have folders before it.
        for (name, page), candidates in by_page.items():
            if page == row.page and Path(name).name == Path(document).name:
                chunks = candidates
    if chunks:
        return chunks
    documents = {name for name, _ in by_page}
    if document not in documents and not any(Path(name).name == document for name in documents):
        return f"the corpus has no document '{document}'.{nearest(document, documents)} ({row.where})"
    return f"'{document}' has no text on page {row.page} ({row.where})"

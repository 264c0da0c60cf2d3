"""Questions that people asked, and the chunks that answer them, regardless of chunk size."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embft.errors import QuestionError, nearest
from embft.questions.evidence import Where, by_page, chunks_of, place_of
from embft.questions.human_rows import HumanQuestion
from embft.questions.quote_chunks import FoundQuote
from embft.questions.quotes import QuoteFinder, QuotePlace, in_words
from embft.questions.squeezing import SqueezedText, squeeze
from embft.records import Chunk, Page, Place, Question
from embft.text.known_ids import KnownIds

logger = logging.getLogger(__name__)

_LOST = 1 / 3
"""Share of the questions without a place in the corpus from which a reader of the verdict must know."""
_ALL_ZERO = "all its chunks have grade 0"
_ONCE = 1.5
"""Times a quote's length: two places that are longer together are the quote twice."""


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
    index = [_IndexedPage(page) for page in pages] if any(row.evidence and not row.chunk_ids for row in rows) else []
    finder: QuoteFinder | None = None
    on_page = by_page(chunks)
    page_of = {(page.document, page.number): page for page in pages}
    known = {chunk.id: chunk for chunk in chunks}
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
            answer = _by_quote(row, index, on_page) if row.evidence else _by_page(row, on_page, page_of)
            if row.evidence and isinstance(answer, str):
                finder = finder or QuoteFinder(pages)  # an index of its own, made where a quote needs it
                answer = _by_words(row, answer, finder, (on_page, page_of), by_words)
            if isinstance(answer, str):
                unmapped.append(Unmapped(row.question, answer))
                continue
            every = [place for alternative in answer.places for place in alternative]
            ids = tuple(dict.fromkeys(chunk.id for chunk in chunks_of(every, on_page, whole=answer.whole)))
            question = Question("", row.question, ids, "human", row.evidence, count=row.count)
            _add(questions, replace(question, places=answer.places, whole=answer.whole))
    missing = contradicted = 0
    ids_of = KnownIds(known)
    for same in by_id.values():
        grades, differing = _grades_of(same, ids_of)
        contradicted += differing
        ids = tuple(key for key, grade in grades.items() if grade > 0 and key in known)
        lacking = [key for key, grade in grades.items() if grade > 0 and key not in known]
        missing += len(lacking) if ids else 0
        if ids:
            # Equal rows of a log are counted; the rows of one question's several chunks are one asking.
            count = max(Counter((one.chunk_ids, one.grades) for one in same).values()) * max(one.count for one in same)
            own = tuple(grades[key] for key in ids) if any(grades[key] > 1 for key in ids) else ()
            question = Question("", same[0].question, ids, "human", same[0].evidence, own, count)
            places = tuple((place_of(known[key]),) for key in ids)
            _add(questions, replace(question, places=places, whole=False))
        else:
            reason = f"the corpus has no chunk '{lacking[0]}'" + ids_of.hint(lacking[0]) if lacking else _ALL_ZERO
            unmapped.append(Unmapped(same[0].question, f"{reason} ({same[0].where})"))
    warnings = _warnings(len(questions), unmapped, unjudged, missing)
    if contradicted:
        warnings = (*warnings, f"{contradicted:,} chunks have several grades for one question: the highest one counts.")
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
    same = questions.get(about)
    count = question.count + (same.count if same else 0)
    places = tuple(dict.fromkeys((*same.places, *question.places))) if same else question.places
    questions[about] = replace(question, id=f"h-{key}", count=count, places=places)


def _grades_of(rows: Sequence[HumanQuestion], ids: KnownIds) -> tuple[dict[str, int], int]:
    """Chunk id to the highest grade, and how many chunks have several grades."""
    given: dict[str, set[int]] = {}
    for row in rows:
        for key, grade in zip(row.chunk_ids, row.grades or (1,) * len(row.chunk_ids), strict=True):
            given.setdefault(ids.find(key), set()).add(grade)
    return {key: max(own) for key, own in given.items()}, sum(len(own) > 1 for own in given.values())


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


@dataclass(frozen=True)
class _Answer:
    """Where a question is answered; see `embft.records.Question`."""

    places: tuple[tuple[Place, ...], ...]
    whole: bool


class _IndexedPage(SqueezedText):
    """A page that quotes are looked for in."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.text)
        self.document, self.number = page.document, page.number


def _by_quote(
    row: HumanQuestion, index: Sequence[_IndexedPage], chunks: Mapping[Where, Sequence[Chunk]]
) -> _Answer | str:
    quote = squeeze(row.evidence or "")
    places = [
        Place(page.document, page.number, start, end, row.evidence or "")
        for page in _named(row, index)
        for start, end in page.spans(quote)
    ]
    if held := tuple((place,) for place in places if chunks_of([place], chunks)):
        return _Answer(held, whole=True)
    return f"its evidence is not in the corpus: “{(row.evidence or '')[:80]}” ({row.where})"


def _named(row: HumanQuestion, index: Sequence[_IndexedPage]) -> Sequence[_IndexedPage]:
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
    index: tuple[Mapping[Where, Sequence[Chunk]], Mapping[Where, Page]],
    by_words: list[FoundQuote],
) -> _Answer | str:
    """A quote that is not there letter by letter: where most of its words are, else the page beside it.

    Args:
        index: Chunks and pages by document and page.
        by_words: Gets what was found.
    """
    chunks, pages = index
    quote = row.evidence or ""
    search = finder.find(quote, row.document, row.page)
    for place in search.places:
        by_words.append(FoundQuote(row.question, quote, place.text, place.document, place.page, place.score))
        logger.info("%s: found by its words (%.0f%%): “%s”", row.where, 100 * place.score, " ".join(place.text.split()))
    places = [Place(one.document, one.page, one.start, one.end, one.text) for one in search.places]
    if chunks_of(places, chunks):
        goes_on = _goes_on(search.places, quote)
        return _Answer((tuple(places),) if goes_on else tuple((place,) for place in places), whole=True)
    on_page = _by_page(row, chunks, pages) if row.document and row.page is not None else reason
    return on_page if not isinstance(on_page, str) else reason + in_words(search)


def _goes_on(places: Sequence[QuotePlace], quote: str) -> bool:
    """Whether two places are one quote over a page's end, not the quote twice."""
    if len(places) != 2 or None in (places[0].page, places[1].page) or places[0].document != places[1].document:
        return False
    together = sum(len(squeeze(place.text)) for place in places)
    return abs((places[0].page or 0) - (places[1].page or 0)) == 1 and together <= _ONCE * len(squeeze(quote))


def _by_page(row: HumanQuestion, chunks: Mapping[Where, Sequence[Chunk]], pages: Mapping[Where, Page]) -> _Answer | str:
    document = row.document or ""
    where: Where = (document, row.page)
    if where not in chunks:
        # People write the file's name, the corpus may have folders before it.
        alike = [one for one in chunks if one[1] == row.page and Path(one[0]).name == Path(document).name]
        where = alike[-1] if alike else where
    if where in chunks:
        end = len(pages[where].text) if where in pages else max(chunk.end for chunk in chunks[where])
        return _Answer(((Place(*where, 0, end),),), whole=False)
    documents = {name for name, _ in chunks}
    if document not in documents and not any(Path(name).name == document for name in documents):
        return f"the corpus has no document '{document}'.{nearest(document, documents)} ({row.where})"
    return f"'{document}' has no text on page {row.page} ({row.where})"

"""Questions that people asked, and the chunks that answer them, whatever the chunking."""

from __future__ import annotations

import hashlib
import json
import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from embft.errors import QuestionError, nearest
from embft.questions.quote_chunks import chunks_of_places
from embft.questions.quotes import QuoteFinder, in_words
from embft.records import Chunk, Page, Question

logger = logging.getLogger(__name__)

BUNDLED = "bundled:"
_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‛": "'", "`": "'", "–": "-", "—": "-"}
)


@dataclass(frozen=True)
class HumanQuestion:
    """A question with what answers it: a quote, or a page.

    Attributes:
        where: File and line, for messages.
    """

    question: str
    evidence: str | None
    document: str | None
    page: int | None
    where: str


@dataclass(frozen=True)
class Unmapped:
    """A question that no chunk answers, and why."""

    question: str
    reason: str


def read_human(source: str) -> list[HumanQuestion]:
    """Reads JSON Lines with ``question`` and either ``evidence`` (a quote) or ``document`` and ``page``.

    Args:
        source: A path, or ``bundled:NAME`` for questions that embft carries.

    Raises:
        QuestionError: No such file, or lines that cannot be used; names file and line, all of them at once.
    """
    found: list[HumanQuestion] = []
    wrong: list[str] = []
    for name, text in _texts(source):
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            parsed = _parse(line, f"{name}, line {number}")
            if isinstance(parsed, str):
                wrong.append(parsed)
            else:
                found.append(parsed)
    if wrong:
        shown = "\n".join(f"  - {problem}" for problem in wrong[:10])
        more = f"\n  ... and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise QuestionError(
            f'{len(wrong)} lines of human questions cannot be used. A line is {{"question": "...", "evidence": "a quote '
            f'that answers it"}} or {{"question": "...", "document": "file.pdf", "page": 12}}:\n{shown}{more}'
        )
    if not found:
        raise QuestionError(f"questions.human={source} holds no question.")
    return found


def map_to_chunks(
    rows: Sequence[HumanQuestion], pages: Sequence[Page], chunks: Sequence[Chunk]
) -> tuple[list[Question], list[Unmapped]]:
    """Finds the chunks that hold each question's evidence.

    A quote is searched in every page, ignoring white space, case and the style of quotation marks; a passage that
    stands in several places makes all of them relevant; a document and a page beside it choose among them. A quote that is
    not there letter by letter is looked for by its words (`embft.questions.quotes`), and last its page is taken. Where chunk
    borders cut a quote, the chunks that hold at least half of it are relevant, or else the one that holds most.
    """
    finder = QuoteFinder(pages)
    index = [_Squeezed(page) for page in pages]
    by_page: dict[tuple[str, int | None], list[Chunk]] = {}
    for chunk in chunks:
        by_page.setdefault((chunk.document, chunk.page), []).append(chunk)
    questions: dict[tuple[str, tuple[str, ...]], Question] = {}
    unmapped: list[Unmapped] = []
    for row in rows:
        found = _by_quote(row, index, by_page) if row.evidence else _by_page(row, by_page)
        if row.evidence and isinstance(found, str):
            found = _by_words(row, found, finder, by_page)
        if isinstance(found, str):
            unmapped.append(Unmapped(row.question, found))
            continue
        ids = tuple(dict.fromkeys(chunk.id for chunk in found))
        key = hashlib.sha256(json.dumps([row.question, ids], ensure_ascii=False).encode()).hexdigest()[:16]
        questions[row.question, ids] = Question(f"h-{key}", row.question, ids, "human", row.evidence)
    return list(questions.values()), unmapped


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
    found: list[Chunk] = []
    for page in index:
        for start, end in page.spans(quote):
            held = [
                (min(end, chunk.end) - max(start, chunk.start), chunk)
                for chunk in by_page.get((page.document, page.number), [])
            ]
            most = max((length for length, _ in held), default=0)
            if most > 0:
                enough = min(most, (end - start) / 2)
                found.extend(chunk for length, chunk in held if length >= enough)
    shown = (row.evidence or "")[:80]
    return found or f"its evidence is not in the corpus: “{shown}” ({row.where})"


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
    row: HumanQuestion, reason: str, finder: QuoteFinder, by_page: dict[tuple[str, int | None], list[Chunk]]
) -> list[Chunk] | str:
    """Chunks of a quote that is not there letter by letter: where most of its words are, else of the page beside it."""
    search = finder.find(row.evidence or "", row.document, row.page)
    for place in search.places:
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


def _texts(source: str) -> list[tuple[str, str]]:
    if source.startswith(BUNDLED):
        name = source.removeprefix(BUNDLED)
        folder = files("embft.corpus") / "bundled"
        found = sorted(item.name for item in folder.iterdir() if item.name.endswith(".jsonl"))
        chosen = [item for item in found if item == f"{name}.jsonl" or item.startswith(f"{name}.")]
        if not chosen:
            names = sorted({item.split(".")[0] for item in found})
            raise QuestionError(f"questions.human={source}: there are no such questions. Bundled: {', '.join(names)}.")
        return [(item, (folder / item).read_text(encoding="utf-8")) for item in chosen]
    path = Path(source).expanduser()
    try:
        return [(str(path), path.read_text(encoding="utf-8-sig"))]
    except FileNotFoundError as error:
        raise QuestionError(f"questions.human={source}: no such file (paths are relative to {Path.cwd()}).") from error
    except (UnicodeDecodeError, OSError) as error:
        raise QuestionError(f"questions.human={source} cannot be read as UTF-8 text: {error}.") from error


def _parse(line: str, where: str) -> HumanQuestion | str:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return f"{where}: not JSON ({error.msg})"
    if not isinstance(row, dict):
        return f"{where}: not an object"
    question, evidence = row.get("question"), row.get("evidence")
    document, page = row.get("document"), row.get("page")
    if not isinstance(question, str) or not question.strip():
        return f"{where}: no question"
    if evidence is not None and (not isinstance(evidence, str) or not squeeze(evidence)):
        return f"{where}: the evidence is not a quote"
    if evidence is None and not (isinstance(document, str) and isinstance(page, int)):
        return f"{where}: neither evidence nor document and page"
    if document is not None and not isinstance(document, str):
        return f"{where}: the document is not a name"
    return HumanQuestion(question.strip(), evidence, document, page if isinstance(page, int) else None, where)

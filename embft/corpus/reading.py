"""Documents of any corpus to cleaned pages, and what happened on the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embft.corpus import python_reference
from embft.corpus.cleaning import clean_characters
from embft.corpus.document import Document
from embft.corpus.download import fetch_document
from embft.corpus.entitled import entitled_pages
from embft.corpus.lines import join_pages
from embft.corpus.ocr import Tesseract, open_tesseract
from embft.corpus.office import read_office
from embft.corpus.pdf import read_pdf
from embft.corpus.rows import read_rows
from embft.corpus.running_heads import Boilerplate, drop_boilerplate
from embft.corpus.sources import FoundFiles, Source, find_sources
from embft.corpus.text_files import read_text_file
from embft.errors import CorpusError
from embft.files import digest, file_digest
from embft.progress import each
from embft.records import Page

if TYPE_CHECKING:
    from embft.config import CorpusConfig

log = logging.getLogger(__name__)

_SHOWN = 5
"""Files that a warning names."""


@dataclass(frozen=True)
class ReadingReport:
    """What was read and what was left out; `dataclasses.asdict` makes it JSON.

    Attributes:
        documents: Read and not empty.
        pages: With text.
        characters: Of all pages after cleaning.
        skipped: ``{document, reason}`` for each that could not be read.
        boilerplate: ``{document, line, pages}`` for each running head or foot that was dropped; ``#`` is a number.
        copies: ``{document, same_as}`` for each file that has the bytes of another; left out.
        repeated_paragraphs: Left out of the Python reference, since a shorter topic has them.
        joined_lines: Hard-wrapped lines put back into their paragraphs.
        empty_pages: Without text.
        encodings: ``{document, encoding}`` for each text file that is not UTF-8 and did not say so: a guess.
        replaced_bytes: ``{document, bytes}`` for each text file with bytes that are no text: each became U+FFFD.
        other_files: Files of types that embft does not read, by extension.
        left_out: Files of types that embft reads and did not take for documents, by reason.
        scans: ``{document, scanned, unreadable, recognised}``, numbers of pages, for each PDF that has such.
        columns: Of a file of chunks: what was read from which column.
        unread_columns: Of a file of chunks: the columns that were not read.
        empty_chunks: Ids of the chunks without text, which are left out.
        warnings: Sentences a person should see.
    """

    documents: int
    pages: int
    characters: int
    skipped: tuple[dict[str, str], ...] = ()
    boilerplate: tuple[dict[str, str | int], ...] = ()
    copies: tuple[dict[str, str], ...] = ()
    repeated_paragraphs: int = 0
    joined_lines: int = 0
    empty_pages: int = 0
    encodings: tuple[dict[str, str], ...] = ()
    replaced_bytes: tuple[dict[str, str | int], ...] = ()
    other_files: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    scans: tuple[dict[str, str | list[int]], ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    unread_columns: tuple[str, ...] = ()
    empty_chunks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_corpus(config: CorpusConfig, cache_dir: Path) -> tuple[list[Page], ReadingReport]:
    """Reads and cleans all documents of a corpus.

    Args:
        config: The group ``corpus``.
        cache_dir: Where a download is kept.

    Raises:
        CorpusError: A document cannot be read (all of them are named at once) and ``on_error`` is ``stop``; nothing is
            left to read; the file cannot be downloaded.
    """
    if config.kind == "python_reference":
        pages, joined, repeated = python_reference.reference_pages(python_reference.read_topics())
        characters = sum(len(page.text) for page in pages)
        return pages, ReadingReport(
            len(pages), len(pages), characters, repeated_paragraphs=repeated, joined_lines=joined
        )
    files, warnings = _find(config, cache_dir)
    sources, copies = _without_copies(files.sources)
    tesseract = open_tesseract(config.language, cache_dir / "ocr") if config.ocr == "auto" else None
    documents: dict[str, Document] = {}
    skipped: list[dict[str, str]] = []
    for source in each(sources, "reading", "files"):
        try:
            documents[source.name] = _read(source, config, tesseract)
        except CorpusError as error:
            skipped.append({"document": source.name, "reason": str(error)})
        except OSError as error:
            reason = f"cannot be opened ({error.strerror or error}): check its permissions"
            skipped.append({"document": source.name, "reason": reason})
        except Exception as error:  # a library's, about this file; the others may well be read
            log.debug("%s", source.name, exc_info=True)
            reason = f"cannot be read ({type(error).__name__}: {error}"[:300] + "): repair it, or take it out"
            skipped.append({"document": source.name, "reason": reason})
    if skipped and (config.on_error == "stop" or not documents):
        raise _unreadable(skipped, len(sources), config.on_error)
    pages = entitled_pages(documents)
    return pages, ReadingReport(
        documents=len({page.document for page in pages}),
        pages=len(pages),
        characters=sum(len(page.text) for page in pages),
        skipped=tuple(skipped),
        boilerplate=tuple(
            {"document": name, "line": item.line, "pages": item.pages}
            for name, document in documents.items()
            for item in document.boilerplate
        ),
        copies=tuple(copies),
        joined_lines=sum(document.joined_lines for document in documents.values()),
        empty_pages=sum(document.empty_pages for document in documents.values()),
        encodings=tuple(
            {"document": name, "encoding": document.encoding}
            for name, document in documents.items()
            if document.encoding
        ),
        replaced_bytes=tuple(
            {"document": name, "bytes": document.replaced_bytes}
            for name, document in documents.items()
            if document.replaced_bytes
        ),
        other_files=files.others,
        left_out=files.left_out,
        scans=tuple(
            {
                "document": name,
                "scanned": list(document.pdf.scanned),
                "unreadable": list(document.pdf.unreadable),
                "recognised": list(document.pdf.recognised),
            }
            for name, document in documents.items()
            if document.pdf and document.pdf.notes
        ),
        warnings=(
            *warnings,
            *_left_out(skipped, len(sources)),
            *_guesses(documents),
            *(f"{name} {warning}" for name, document in documents.items() for warning in document.warnings),
            *(f"{name}: {note}" for name, document in documents.items() if document.pdf for note in document.pdf.notes),
        ),
    )


def _left_out(skipped: Sequence[Mapping[str, str]], total: int) -> Iterator[str]:
    """A sentence for the files that could not be read, where ``corpus.on_error=skip`` lets the run go on without them."""
    if skipped:
        shown = "; ".join(f"{item['document']} {item['reason']}" for item in skipped[:_SHOWN])
        more = f"; and {len(skipped) - _SHOWN:,} more" if len(skipped) > _SHOWN else ""
        yield (
            f"{len(skipped):,} of {total:,} documents could not be read, and {'are' if len(skipped) > 1 else 'is'} left "
            f"out: {shown}{more}."
        )


def _guesses(documents: Mapping[str, Document]) -> Iterator[str]:
    """A sentence for each encoding that was guessed, since a wrong guess makes wrong letters of right ones."""
    by_encoding: dict[str, list[str]] = {}
    for name, document in documents.items():
        if document.encoding and document.guess:
            by_encoding.setdefault(document.encoding, []).append(f"{name} as {document.guess}")
    for shown in by_encoding.values():
        more = f" and {len(shown) - 1:,} more" if len(shown) > 1 else ""
        yield (
            f"{'Files' if more else 'A file'} whose encoding is not named, and is not UTF-8, "
            f"{'were' if more else 'was'} read by a guess: {shown[0]}{more}. Where the letters are wrong, save as UTF-8."
        )


def input_digests(config: CorpusConfig, cache_dir: Path) -> list[str]:
    """Returns a digest of each input (name and content), for the stage's key; reads no text.

    Only ``nvidia_10k`` without a local copy may download, once.

    Raises:
        CorpusError: There is nothing at ``corpus.path``, or the download failed.
    """
    if config.kind == "python_reference":
        return [python_reference.topics_digest()]
    files, _ = _find(config, cache_dir)
    return [digest([source.name, _content_digest(source.path)]) for source in files.sources]


def _content_digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:  # reading will name the file
        return "unreadable"


def _find(config: CorpusConfig, cache_dir: Path) -> tuple[FoundFiles, list[str]]:
    """Returns the files and warnings."""
    if config.path:
        files = find_sources(config.path, cache_dir)
        warnings = []
        if config.kind == "nvidia_10k" and config.sha256:
            sha256 = _content_digest(files.sources[0].path)
            if sha256 != config.sha256:
                warnings.append(
                    f"corpus.path={config.path} is not the filing of the article (its sha256 is {sha256}, not "
                    f"{config.sha256}): figures will not compare with published ones."
                )
        return files, warnings
    if config.kind == "nvidia_10k":
        if not config.url:
            raise CorpusError("corpus=nvidia_10k has neither corpus.url nor corpus.path: give corpus.path=FILE.pdf.")
        path = fetch_document(config.url, config.sha256, cache_dir)
        return FoundFiles([Source("nvidia-sec-10k-2022.pdf", path, "pdf")]), []
    raise CorpusError("corpus=files needs corpus.path=FILE, a folder or a quoted glob such as 'docs/**/*.md'.")


def _without_copies(sources: Sequence[Source]) -> tuple[list[Source], list[dict[str, str]]]:
    """Keeps one of each set of files with the same bytes: copies on both sides of a split would leak."""
    first: dict[str, Source] = {}
    kept: list[Source] = []
    copies: list[dict[str, str]] = []
    size_of = {source.name: source.path.stat().st_size for source in sources}
    sizes = Counter(size_of.values())
    for source in sources:
        size = size_of[source.name]
        alone = size == 0 or sizes[size] == 1  # only files of one size can be equal; empty ones are errors of their own
        content = source.name if alone else _content_digest(source.path)
        if content != "unreadable" and first.setdefault(content, source) is not source:
            copies.append({"document": source.name, "same_as": first[content].name})
        else:
            kept.append(source)
    return kept, copies


def _read(source: Source, config: CorpusConfig, tesseract: Tesseract | None) -> Document:
    """Reads one file.

    Raises:
        CorpusError: It cannot be read, or no text is in it.
    """
    if source.format == "pdf":
        document = _read_pdf(source, config, tesseract)
    elif source.format in ("csv", "jsonl"):
        document = read_rows(source.path, source.name, source.format)
    elif source.format in ("docx", "pptx", "xlsx", "epub"):
        document = read_office(source.path, source.name, source.format)
    else:
        document = read_text_file(source.path, source.name, source.format)
    if not document.pages:
        why = "; ".join(document.warnings[-2:])
        raise CorpusError(f"has no text in it ({why}): take it out" if why else "has no text in it: take it out")
    return document


def _read_pdf(source: Source, config: CorpusConfig, tesseract: Tesseract | None) -> Document:
    boilerplate: list[Boilerplate] = []
    pdf = read_pdf(source.path, config.pdf_reader, tesseract)
    pages = [clean_characters(text).split("\n") for text in pdf.pages]
    if config.drop_boilerplate:
        pages, boilerplate = drop_boilerplate(pages)
    texts, joined = join_pages([[line.strip() for line in lines] for lines in pages])
    kept = [Page(source.name, number, text) for number, text in enumerate(texts, start=1) if text.strip()]
    return Document(kept, boilerplate, joined, len(texts) - len(kept), pdf=pdf, title=pdf.title, outline=pdf.outline)


def _unreadable(skipped: Sequence[dict[str, str]], total: int, on_error: str) -> CorpusError:
    listed = "\n".join(f"  - {item['document']} {item['reason']}" for item in skipped)
    head = f"{len(skipped)} of {total} documents cannot be read:\n{listed}\n"
    if on_error == "stop" and len(skipped) < total:
        return CorpusError(head + "Mend them, or set corpus.on_error=skip to go on without them, named in the report.")
    return CorpusError(head + "Nothing is left to read: mend them, or point corpus.path somewhere else.")

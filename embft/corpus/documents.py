"""A corpus's documents, whatever kind it is: the one way from a configuration to pages, and to chunks that exist already."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from embft.corpus.chunk_files import read_chunk_file
from embft.corpus.drawn import drawn_pages
from embft.corpus.ocr import open_tesseract
from embft.corpus.reading import ReadingReport, input_digests, read_corpus
from embft.errors import CorpusError
from embft.files import digest, file_digest
from embft.records import Chunk, Page

if TYPE_CHECKING:
    from embft.config import CorpusConfig

logger = logging.getLogger(__name__)


def read_documents(config: CorpusConfig, cache_dir: Path) -> tuple[list[Page], list[Chunk] | None, ReadingReport]:
    """Reads a corpus to pages.

    Args:
        config: The group ``corpus``.
        cache_dir: Where a download and the texts of OCR are kept.

    Returns:
        The pages; the chunks, where they exist already, else None: the pages are to be cut; what was read.

    Raises:
        CorpusError: See `embft.corpus.reading.read_corpus`; a file of chunks is not right; OCR is asked for and missing.
    """
    chunks: list[Chunk] | None = None
    if config.kind == "chunks":
        pages, chunks, report = _existing(config)
    else:
        pages, report = read_corpus(config, cache_dir)
    if config.share < 1:
        pages, chunks, report = drawn_pages(pages, chunks, report, config.share)
    for warning in report.warnings:
        logger.warning("%s", warning)
    return pages, chunks, report


def corpus_digests(config: CorpusConfig, cache_dir: Path) -> list[str]:
    """Returns a digest of each input, for the stage's key: names and contents of files, and the OCR that reads them.

    Raises:
        CorpusError: There is nothing at ``corpus.path``, the download failed, or OCR is asked for and missing.
    """
    if config.kind == "chunks":
        path = _chunk_path(config)
        return [digest([path.name, file_digest(path)])]
    digests = input_digests(config, cache_dir)
    if config.ocr == "auto" and config.kind != "python_reference":
        tesseract = open_tesseract(config.language)
        digests.append(digest([tesseract.version, tesseract.languages, tesseract.choose]))
    return digests


def _existing(config: CorpusConfig) -> tuple[list[Page], list[Chunk], ReadingReport]:
    path = _chunk_path(config)
    try:
        file = read_chunk_file(path)
    except CorpusError as error:
        raise CorpusError(f"corpus.path={config.path} {error}.") from None
    except OSError as error:
        raise CorpusError(
            f"corpus.path={config.path} cannot be read ({error.strerror}): check its permissions."
        ) from None
    columns = ", ".join(f"{what} from '{column}'" for what, column in file.columns.items())
    warnings = [f"{path.name} {note}." for note in file.notes]
    if file.unread:
        listed = ", ".join(file.unread[:20])
        logger.info("%s: %s; not read: %s", path.name, columns, listed)
    if file.empty:
        named = ", ".join(file.empty[:5]) + (", ..." if len(file.empty) > 5 else "")
        count = "1 chunk has" if len(file.empty) == 1 else f"{len(file.empty)} chunks have"
        warnings.append(f"{path.name}: {count} no text and {'is' if len(file.empty) == 1 else 'are'} left out: {named}")
    return (
        file.pages,
        file.chunks,
        ReadingReport(
            documents=len({page.document for page in file.pages}),
            pages=len(file.pages),
            characters=sum(len(chunk.text) for chunk in file.chunks),
            columns=file.columns,
            unread_columns=tuple(file.unread),
            empty_chunks=tuple(file.empty),
            warnings=tuple(warnings),
        ),
    )


def _chunk_path(config: CorpusConfig) -> Path:
    if not config.path:
        raise CorpusError(
            "corpus=chunks needs corpus.path=FILE: JSON Lines, CSV or Parquet with an id and a text in each row."
        )
    path = Path(config.path).expanduser()
    if path.is_dir():
        raise CorpusError(
            f"corpus.path={config.path} is a folder: corpus=chunks takes one file (JSON Lines, CSV or Parquet)."
        )
    if not path.is_file():
        if path.exists():
            raise CorpusError(f"corpus.path={config.path} is a pipe or a device: write what it gives into a file.")
        raise CorpusError(f"corpus.path={config.path}: there is no such file (looked at {path.absolute()}).")
    return path

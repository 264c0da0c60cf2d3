"""Chunks that exist already, as people export them from their vector database."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.corpus.chunk_rows import Row, read_chunk_rows
from embft.corpus.titles import clean_title, title_of_name
from embft.errors import CorpusError
from embft.records import Chunk, Page

_ID = (
    "id", "_id", "id_", "chunk_id", "chunkid", "node_id", "point_id", "passage_id", "uuid", "uid", "pk", "embedding_id",
    "vector_id", "custom_id", "key", "ids", "编号", "切片id", "片段id", "分块id", "doc_id", "docid", "document_id",
)  # fmt: skip
_TEXT = (
    "text", "content", "contents", "page_content", "chunk_text", "chunk_content", "chunk", "passage", "passage_text",
    "body", "node_text", "raw_text", "document_text", "document_content", "document", "documents",
    "正文", "文本", "内容", "切片", "片段", "切片内容", "分块内容",
)  # fmt: skip
_DOCUMENT = (
    "document", "doc", "document_name", "doc_name", "source_document", "source", "file_name", "filename", "file",
    "file_path", "filepath", "path", "url", "uri", "document_id", "doc_id", "docid", "ref_doc_id",
    "文档", "文档名", "文件", "文件名", "来源",
)  # fmt: skip
_PAGE = ("page", "page_number", "page_no", "page_num", "pagenum", "pageno", "page_label", "页", "页码", "页号")
_TITLE = ("title", "doc_title", "document_title", "标题")
_HEADINGS = (
    "headings", "heading", "heading_path", "header_path", "headers", "breadcrumbs", "breadcrumb", "section", "section_title",
    "section_path", "章节", "小节",
)  # fmt: skip
_SHOWN = 5
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class ChunkFile:
    """What a file of chunks holds.

    Attributes:
        pages: One for each page (document, where there are no page numbers), its chunks one below the other.
        chunks: With the file's own ids; documents side by side, in the order of their first rows.
        empty: Ids of the rows without text, which are left out.
        columns: What was read from which column: ``{"id": "_id", "text": "payload.text"}``.
        unread: Names of the columns that were not read.
        notes: What a person should know about the file, to be put behind its name.
    """

    pages: list[Page]
    chunks: list[Chunk]
    empty: list[str]
    columns: dict[str, str]
    unread: list[str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Row:
    number: int
    id: str
    text: str
    document: str
    page: int | None
    title: str
    headings: tuple[str, ...]
    mended: bool


def read_chunk_file(path: Path) -> ChunkFile:
    """Reads a file of chunks: JSON Lines, JSON, CSV or Parquet with an id and a text, and what else a database adds.

    A text is taken as it is, and never cut. A title names the document where nothing else does.

    Raises:
        CorpusError: A column is missing, an id is missing or stands twice, nothing holds text; says where.
    """
    rows, notes = read_chunk_rows(path)
    if not rows:
        raise CorpusError("holds no rows: export it again")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = _choose(rows, names)
    read = [_row(number, row, columns, path.stem) for number, row in enumerate(rows, start=1)]
    _refuse_ids(read, columns["id"])
    filled = [row for row in read if row.text.strip()]
    if not filled:
        raise CorpusError(f"has no text in its column '{columns['text']}': its columns are {_listed(names)}")
    mended = sum(row.mended for row in filled)
    if mended:
        notes = (
            *notes,
            f"has {mended:,} texts with half a character or bytes that are no text; each of these stands as \ufffd",
        )
    pages, chunks = _lay_out(filled)
    return ChunkFile(
        pages,
        chunks,
        [row.id for row in read if not row.text.strip()],
        columns,
        [name for name in names if name not in columns.values()],
        notes,
    )


def _choose(rows: Sequence[Row], names: Sequence[str]) -> dict[str, str]:
    """Maps ``id``, ``text``, ``document`` and ``page`` to the columns that hold them."""
    full = Counter(name for row in rows for name, value in row.items() if _as_text(value).strip())
    shared = {name for name in names if _leaf(name) in _ID and _repeats(rows, name)}
    columns: dict[str, str] = {}
    known_names = {
        "id": _ID,
        "text": _TEXT,
        "document": _DOCUMENT,
        "page": _PAGE,
        "title": _TITLE,
        "headings": _HEADINGS,
    }
    for what, known in known_names.items():
        left = [name for name in names if name not in columns.values()]
        # An id that stands in several rows is that of something else: the document's, where the chunk's is deeper.
        column = _best(known, left, full, len(rows), shared if what == "id" else ())
        if column is not None:
            columns[what] = column
    for what, known in (("id", _ID), ("text", _TEXT)):
        if what not in columns:
            raise CorpusError(
                f"has no column with the chunks' {'ids' if what == 'id' else 'texts'} ({', '.join(known[:6])}...); its columns "
                f"are {_listed(names)}: rename one of them to '{what}'"
            )
    if "title" in columns and "document" not in columns:
        columns["document"] = columns["title"]
    return columns


def _best(
    known: Sequence[str], names: Iterable[str], full: Mapping[str, int], total: int, last: Collection[str]
) -> str | None:
    """The column that is known best; one that is mostly empty, or one of ``last``, only where there is no other."""
    candidates = []
    for name in names:
        leaf = _leaf(name)
        if leaf in known and full[name]:
            candidates.append((2 * full[name] < total, name in last, name.count("."), known.index(leaf), name))
    return min(candidates)[-1] if candidates else None


def _leaf(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.rpartition(".")[2].strip().casefold())


def _repeats(rows: Sequence[Row], name: str) -> bool:
    values = [text for row in rows if (text := _as_text(row.get(name)))]
    return len(set(values)) < len(values)


def _row(number: int, row: Row, columns: Mapping[str, str], stem: str) -> _Row:
    def cell(what: str) -> str:
        return _as_text(row.get(columns[what])) if what in columns else ""

    label = cell("page").strip()
    page = int(label) if re.fullmatch(r"\d{1,9}", label) else None
    # A lone surrogate cannot be written as UTF-8.
    given = cell("text")
    text = _HALF.sub("\ufffd", given)
    binary = isinstance(row.get(columns["text"]), bytes)
    headings = [clean_title(part) for part in re.split(r"\s*(?:>|›|»|→|\||\n|;)\s*", cell("headings"))]
    document = cell("document").strip()
    title = clean_title(cell("title")) or title_of_name(document.rstrip("/").rpartition("/")[2])
    return _Row(
        number,
        cell("id"),
        text,
        document or stem,
        page,
        title,
        tuple(filter(None, headings)),
        text != given or (binary and "\ufffd" in text),
    )


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # numbers of a column with gaps, as pandas writes them
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _refuse_ids(rows: Sequence[_Row], column: str) -> None:
    broken = [str(row.number) for row in rows if row.id.encode("utf-8", "replace").decode() != row.id]
    if broken:
        raise CorpusError(f"has half a character in the ids of row {_listed(broken)}: mend them, or export it again")
    missing = [str(row.number) for row in rows if not row.id.strip()]
    if missing:
        raise CorpusError(
            f"has {len(missing)} of {len(rows)} rows without an id in its column '{column}' (row {_listed(missing)}): each chunk "
            "needs one"
        )
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row.id, []).append(str(row.number))
    twice = [f"'{name}' in rows {_listed(numbers)}" for name, numbers in places.items() if len(numbers) > 1]
    if twice:
        raise CorpusError(
            f"has {len(twice)} ids that stand more than once in its column '{column}' ({'; '.join(twice[:_SHOWN])}"
            f"{'; ...' if len(twice) > _SHOWN else ''}): each chunk needs its own"
        )


def _lay_out(rows: Sequence[_Row]) -> tuple[list[Page], list[Chunk]]:
    documents: dict[str, dict[int | None, list[_Row]]] = {}
    for row in rows:
        documents.setdefault(row.document, {}).setdefault(row.page, []).append(row)
    pages: list[Page] = []
    chunks: list[Chunk] = []
    for document, by_page in documents.items():
        for number, members in sorted(by_page.items(), key=lambda item: item[0] if item[0] is not None else -1):
            start, texts, headings = 0, [], []
            for row in members:
                headings.append((start, row.headings))
                chunks.append(Chunk(row.id, row.text, document, number, start, start + len(row.text)))
                texts.append(row.text)
                start += len(row.text) + 2
            title = next((row.title for row in members if row.title), "")
            pages.append(Page(document, number, "\n\n".join(texts), title, tuple(headings)))
    return pages, chunks


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[: 4 * _SHOWN])
    return shown + (f" and {len(names) - 4 * _SHOWN} more" if len(names) > 4 * _SHOWN else "")

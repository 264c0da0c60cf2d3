"""Office files: Word, PowerPoint, Excel and EPUB, by the extra ``office``."""

from __future__ import annotations

import importlib
import posixpath
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from embft.corpus.decoding import decode
from embft.corpus.document import Document, numbered_pages
from embft.corpus.html import read_html
from embft.corpus.outlines import Heading
from embft.corpus.spreadsheets import most_characters, sheet_texts
from embft.corpus.word_parts import readable_document
from embft.corpus.xml_entities import unfolded
from embft.errors import CorpusError

_LIMIT = 1 << 29  # bytes that a file may unpack to: more is a zip bomb, or nothing that anybody reads
_RATIO = 200  # unpacked to packed, from 10 MB on
_REPAIR = "open it in the program that made it and save it again"
_PICTURED = re.compile(r"(?:word|ppt)/(?:charts/chart|diagrams/data)\d*\.xml")
_COMMENTS = re.compile(r"(?:word|ppt|xl)/(?:comments\d*|comments/\w+|threadedComments/\w+)\.xml")
_SLIDE = re.compile(r"ppt/slides/[^/]+\.xml")
_CHOICES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SLIDE_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_CHAPTERS = (".xhtml", ".html", ".htm", ".xml")
_ENCRYPTED = "is encrypted: remove its password"
_OLD = b"\xd0\xcf\x11\xe0"
_Read = tuple[list[str], list[str], Sequence[Heading]]
"""Texts of pages, warnings, headings."""


def read_office(path: Path, name: str, format_name: str) -> Document:
    """Reads an office file; slides, sheets and chapters are its pages.

    Args:
        path: Where it lies.
        name: The document's name.
        format_name: ``docx``, ``pptx``, ``xlsx`` or ``epub``.

    Raises:
        CorpusError: It is broken, encrypted, or unpacks to more than 512 MB; the library is not installed.
    """
    readers: dict[str, Callable[[zipfile.ZipFile, Path], _Read]] = {
        "docx": _docx_texts,
        "pptx": _pptx_texts,
        "xlsx": _xlsx_texts,
        "epub": _epub_texts,
    }
    with _open(path, format_name) as archive:
        try:
            texts, warnings, outline = readers[format_name](archive, path)
            title = _title_property(archive)
        except CorpusError:
            raise
        except RecursionError:
            raise CorpusError(f"nests its tables or groups too deep to be read: {_REPAIR}, without them") from None
        except Exception as error:  # the libraries let errors of their parsers through as they come
            raise CorpusError(f"is broken ({type(error).__name__}: {str(error)[:200]}): {_REPAIR}") from error
        if sum(map(len, texts)) > most_characters(archive):
            raise CorpusError("shows one of its parts so often that its text is many times the file: take it out")
        pictured = sum(_PICTURED.fullmatch(part) is not None for part in archive.namelist())
    if pictured:
        warnings.append(f"has {pictured} charts or diagrams, whose words were not read")
    if any(map(_COMMENTS.fullmatch, archive.namelist())):
        warnings.append("has comments, which were not read")
    pages, empty = numbered_pages(name, texts)
    if format_name == "docx":
        pages = [type(page)(name, None, page.text) for page in pages]
    return Document(pages, empty_pages=empty, warnings=tuple(warnings), title=title, outline=outline)


def _open(path: Path, format_name: str) -> zipfile.ZipFile:
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise CorpusError("is empty (0 bytes): get it again")
    if head.startswith(_OLD):
        raise CorpusError(
            f"is encrypted, or of an office program before 2007: save it as .{format_name}, without a password"
        )
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CorpusError(f"is broken or no .{format_name} ({error}): {_REPAIR}") from None
    parts = archive.infolist()
    unpacked, packed = sum(part.file_size for part in parts), max(1, sum(part.compress_size for part in parts))
    if unpacked > _LIMIT or (unpacked > 10_000_000 and unpacked > _RATIO * packed):
        raise CorpusError(f"would unpack from {packed:,} to {unpacked:,} bytes: a zip bomb, or broken; take it out")
    if any(part.flag_bits & 1 for part in parts):
        raise CorpusError(_ENCRYPTED)
    if format_name != "epub":
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                _refuse_entities(archive, part)
    return archive


def _refuse_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Office files never declare entities; one that does is made to blow up its reader."""
    try:
        with archive.open(part) as file:
            head = file.read(2048)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise CorpusError(f"is broken at {part.filename} ({error}): {_REPAIR}") from None
    except Exception as error:  # zlib's
        raise CorpusError(f"is broken at {part.filename} ({type(error).__name__}: {error}): {_REPAIR}") from None
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise CorpusError(f"declares entities in {part.filename}, which no office program does: take it out")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != name:
            raise
        raise CorpusError(f"needs the Python package {name}: pip install 'embft[office]'") from None


def _docx_texts(archive: zipfile.ZipFile, path: Path) -> _Read:
    mammoth = _library("mammoth")
    with readable_document(archive, path) as file:
        result = mammoth.convert_to_html(file, convert_image=mammoth.images.img_element(lambda image: {"src": ""}))
    read = read_html(result.value)
    return [read.text], [], read.headings


def _pptx_texts(archive: zipfile.ZipFile, path: Path) -> _Read:
    presentation = _library("pptx").Presentation(str(path))
    held = sum(_SLIDE.fullmatch(part) is not None for part in archive.namelist())
    if held and len(presentation.slides) > held:
        raise CorpusError(f"lists {len(presentation.slides):,} slides and holds {held:,}: {_REPAIR}")
    slides = list(presentation.slides)
    for slide in slides:
        _choose_alternatives(slide.shapes.element)
    titles = [_slide_title(slide) for slide in slides]
    outline = [Heading(1, title, number) for number, title in enumerate(titles, start=1) if title]
    return [_slide_text(slide) for slide in slides], [], outline


def _choose_alternatives(shapes: Any) -> None:
    """Puts what stands in two forms (a text with a formula, and its picture) into its place, in the form that has text."""
    for both in list(shapes.iter(f"{_CHOICES}AlternateContent")):
        forms = [form for form in both if any((text.text or "").strip() for text in form.iter(_SLIDE_TEXT))]
        for shape in (forms or list(both)[-1:])[0] if len(both) else ():
            both.addprevious(shape)
        both.getparent().remove(both)


def _slide_title(slide: Any) -> str:
    title = slide.shapes.title
    return title.text_frame.text.strip() if title is not None and title.has_text_frame else ""


def _slide_text(slide: Any) -> str:
    title, heading = slide.shapes.title, _slide_title(slide)
    blocks = [heading] if heading else []
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            rows = [" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in shape.table.rows]
            blocks.append("\n".join(rows))
        elif shape.has_text_frame and shape.text_frame.text.strip():
            blocks.append("\n".join(paragraph.text.replace("\v", "\n") for paragraph in shape.text_frame.paragraphs))
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        blocks.append(notes.text.strip())
    return "\n\n".join(blocks)


def _shapes(shapes: Any) -> Iterator[Any]:
    """All shapes, those of groups among them, from top to bottom and from left to right."""
    stack = [_in_reading_order(shapes)]
    while stack:
        shape = next(stack[-1], None)
        if shape is None:
            stack.pop()
        elif hasattr(shape, "shapes"):
            stack.append(_in_reading_order(shape.shapes))
        else:
            yield shape


def _in_reading_order(shapes: Any) -> Iterator[Any]:
    # A placeholder may have no place of its own; it stands where it is in the file, before those that have one.
    return iter(sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)))


def _xlsx_texts(archive: zipfile.ZipFile, path: Path) -> _Read:
    texts, warnings = sheet_texts(_library("openpyxl"), archive, path)
    names = [text.split("\n", 1)[0] for text in texts]  # a sheet's text begins with its name
    return texts, warnings, [Heading(1, name, number) for number, name in enumerate(names, start=1) if name]


def _epub_texts(archive: zipfile.ZipFile, path: Path) -> _Read:
    names = set(archive.namelist())
    caseless = {name.casefold(): name for name in sorted(names, reverse=True)}
    if "META-INF/rights.xml" in names:
        raise CorpusError("is protected by DRM: get it without")
    container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
    named = [item.attrib.get("full-path", "") for item in container.iter() if item.tag.endswith("rootfile")]
    if not named or named[0] not in names:
        raise CorpusError(f"is no whole EPUB: its container.xml names no package that is in it: {_REPAIR}")
    package_name = named[0]
    package = ElementTree.fromstring(archive.read(package_name))
    folder = posixpath.dirname(package_name)
    listed = [item.attrib for item in package.iter() if item.tag.endswith("}item")]
    items = {item["id"]: item for item in listed if "id" in item}
    order = [items.get(item.attrib.get("idref", ""), {}) for item in package.iter() if item.tag.endswith("}itemref")]
    parts = list(dict.fromkeys(_epub_part(item, folder, names, caseless) for item in order if not _is_nav(item)))
    warnings = []
    if missing := sum(_epub_part(item, folder, names, caseless) is None for item in order):
        warnings.append(f"names {missing} chapters that are not in it")
    if not any(parts):
        pages = [item for item in listed if item.get("href", "").partition("#")[0].lower().endswith(_CHAPTERS)]
        parts = list(dict.fromkeys(_epub_part(item, folder, names, caseless) for item in pages if not _is_nav(item)))
        if any(parts):
            warnings.append(
                "does not say in which order its chapters are read; they are taken as its list of files has them"
            )
    texts: list[str] = []
    outline: list[Heading] = []
    refused: list[str] = []
    for part in parts:
        if part is None or not (data := archive.read(part)).strip():
            continue
        try:
            decoded = decode(data, html=True)
            source, faults = unfolded(decoded.text)
        except CorpusError as error:
            refused.append(f"has a chapter {part} that {error}")
            continue
        warnings += [f"has a chapter {part} that {fault}" for fault in (*decoded.faults, *faults)]
        chapter = read_html(source, xml=True)
        texts.append(chapter.text)
        outline += [replace(heading, page=len(texts)) for heading in chapter.headings]
    return texts, [*warnings, *refused], outline


def _is_nav(item: Mapping[str, str]) -> bool:
    return "nav" in item.get("properties", "").split()


def _epub_part(item: Mapping[str, str], folder: str, names: Collection[str], caseless: Mapping[str, str]) -> str | None:
    """The file that an item names, though the case of its letters differ; None where there is none."""
    href = unquote(item.get("href", "").partition("#")[0])
    part = posixpath.normpath(posixpath.join(folder, href))
    if not href or part in names:
        return part if href else None
    return caseless.get(part.casefold())


def _title_property(archive: zipfile.ZipFile) -> str:
    """The title that the file's properties give it; empty where they are missing or broken."""
    parts = [name for name in archive.namelist() if name == "docProps/core.xml" or name.endswith(".opf")]
    if not parts:
        return ""
    try:
        properties = ElementTree.fromstring(archive.read(parts[0]))
    except (ElementTree.ParseError, KeyError):
        return ""
    titles = (item.text for item in properties.iter("{http://purl.org/dc/elements/1.1/}title"))
    return next((text.strip() for text in titles if text), "")

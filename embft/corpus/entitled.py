"""Documents' pages with their title and the headings that each place in them stands under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from embft.corpus.document import Document
from embft.corpus.outlines import Heading, with_headings
from embft.corpus.titles import TitleSources, document_titles, first_title_line
from embft.records import Page


def entitled_pages(documents: Mapping[str, Document]) -> list[Page]:
    """The pages of all documents, in order, each with its document's title and its headings.

    Args:
        documents: By name. Rows of a table are documents of their own in one file, with titles of their own or none.
    """
    whole = {name: document for name, document in documents.items() if not _is_table(name, document)}
    titles = document_titles({name: _sources(document) for name, document in whole.items()})
    pages: list[Page] = []
    for name, document in documents.items():
        if name in whole:
            own = [replace(page, title=titles[name]) for page in document.pages]
            pages += with_headings(own, document.outline)
        else:
            pages += document.pages
    return pages


def _is_table(name: str, document: Document) -> bool:
    return any(page.document != name for page in document.pages)


def _sources(document: Document) -> TitleSources:
    first = document.pages[0].text if document.pages else ""
    return TitleSources(document.title, _name_giving(document.outline, first), first_title_line(first))


def _name_giving(outline: Sequence[Heading], text: str) -> str:
    """The heading that names the document: the only one of the highest level, or one that the text begins with.

    Bookmarks and slides name parts ("Cover", "Agenda"), never the whole.
    """
    if not outline or outline[0].page is not None:
        return ""
    highest = min(heading.level for heading in outline)
    top = [heading for heading in outline if heading.level == highest]
    begins = text.lstrip().startswith(outline[0].text[:40])
    return top[0].text if len(top) == 1 or (begins and outline[0].level == highest) else ""

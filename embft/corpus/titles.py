"""What a document is called, for the context of its chunks: from metadata, its first heading and its file's name.

None of them can be trusted alone. Metadata says "Microsoft Word - doc1", a first heading "Table of contents", a file
"0000320193-22-000108.pdf"; and all filings of a form may have one title, where only the file's name says whose each is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_LONGEST = 120
"""Characters of a title; the rest of a longer one is left out at a word."""
_LOOKED_AT = 10 * _LONGEST
"""Characters that are looked at; the "title" of a file without line ends may be the whole file."""
_PROGRAM = re.compile(
    r"^(?:microsoft (?:word|powerpoint|excel)|powerpoint presentation|word|adobe \w+)\s*[-–:]+\s*", re.IGNORECASE
)
_EXTENSION = re.compile(
    r"\.(?:pdf|docx?|pptx?|xlsx?|rtf|odt|indd|tex|html?|txt|md|mdx|rst|csv|jsonl|epub|qxd|pages|fm)$", re.IGNORECASE
)
_EMPTY = re.compile(
    r"(?:untitled|unbenannt|sans titre|无标题|文档|no ?title|title|document|dokument|doc|draft|final|print|layout|page|"
    r"slide|sheet|powerpoint presentation|presentation|microsoft word|book|index|readme|main|home|default|contents?|toc|"
    r"part|chapter|ch|section|sec|file|output|report|copy|new|text|table of contents|目录|template|cover|article|paper)?"
    r"[\s\d_.()#-]*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z]|(?:19|20)\d\d(?!\d))")
_CODE = re.compile(
    r"[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|tmp\w*|(?=\w*\d)(?=\w*[a-z])\w{16,}", re.IGNORECASE
)
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LEAST_LETTERS = 3
_FOLDERS = {"docs", "doc", "src", "content", "pages", "files", "data", "en", "html", "text", "pdf", "pdfs", "documents"}


@dataclass(frozen=True)
class TitleSources:
    """Where a title may come from.

    Attributes:
        metadata: Of the file: a PDF's or office file's property, an HTML page's or front matter's title.
        heading: The document's first heading of the highest level.
        first_line: The first line of its text that could be a title, for files that have nothing else.
    """

    metadata: str = ""
    heading: str = ""
    first_line: str = ""


def document_titles(sources: Mapping[str, TitleSources]) -> dict[str, str]:
    """A title for each document, none of them twice where that can be helped.

    The metadata's title, else the first heading, else the file's name where it says something, else the first line. What
    several documents share does not tell them apart: there the name is put before it, and folders before the name. A name that
    says much else than the title (a year, a ticker) stands behind it, in brackets.

    Args:
        sources: By the document's name, its path below the corpus's folder.
    """
    shared = Counter(
        _key(title)
        for one in sources.values()
        for title in {clean_title(one.metadata), clean_title(one.heading)}
        if title
    )
    titles = {name: _title(name, one, shared) for name, one in sources.items()}
    twice = Counter(_key(title) for title in titles.values())
    return {
        name: title if twice[_key(title)] < 2 else _joined([_title_of_folders(name), title])
        for name, title in titles.items()
    }


def clean_title(text: str) -> str:
    """A title without what programs add to it; empty where nothing is left that says something."""
    title = " ".join(re.sub(r"[\x00-\x1f\ufffd]", " ", text[:_LOOKED_AT]).split())
    title = _EXTENSION.sub("", _PROGRAM.sub("", title)).strip(" -–_|:.")
    if ("_" in title and " " not in title) or re.fullmatch(r"[\w.]+(?:-[\w.]+)+", title):
        return title_of_name(title)
    if not _says_something(title):
        return ""
    return title if len(title) <= _LONGEST else title[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:-–")


def title_of_name(name: str) -> str:
    """The words of a file's name: ``nvidia-sec-10k_2022.pdf`` says "nvidia sec 10k 2022"; empty where they say nothing."""
    stem = _EXTENSION.sub("", PurePosixPath(name.partition("#")[0]).name)
    words = [word for part in re.split(r"[\s_\-–+.,()\[\]]+", stem) for word in _CAMEL.split(part) if word]
    title = " ".join(word for word in words if not _CODE.fullmatch(word))
    return title[:_LONGEST] if _says_something(title) else ""


def first_title_line(text: str) -> str:
    """The first line of a text that could be its title: short, and no sentence."""
    for line in text.lstrip().split("\n", 3)[:3]:
        title = clean_title(line.strip("#=*~ \t")) if len(line.strip()) <= _LONGEST else ""
        if title and not re.search(r"[.,;:!?。，；！？]$", line.strip()):
            return title
    return ""


def _title(name: str, sources: TitleSources, shared: Mapping[str, int]) -> str:
    named = title_of_name(name)
    for candidate in (sources.metadata, sources.heading):
        title = clean_title(candidate)
        if title and shared[_key(title)] < 2:
            return f"{title} ({named})" if named and _adds(named, title) else title
        if title and named:
            return _joined([named, title])
    return named or clean_title(sources.first_line) or clean_title(sources.metadata) or clean_title(sources.heading)


def _adds(named: str, title: str) -> bool:
    """Whether half of a name's words or more are new, several of them or one with a digit, such as a year."""
    words = [word.casefold() for word in _WORD.findall(named)]
    squeezed = "".join(_WORD.findall(title.casefold()))
    new = [word for word in words if word not in squeezed]
    return 2 * len(new) >= len(words) and (len(new) > 1 or any(map(str.isdigit, "".join(new))))


def _title_of_folders(name: str) -> str:
    parents = [
        part if re.fullmatch(r"(?:19|20)\d\d", part) else title_of_name(part)
        for part in PurePosixPath(name).parts[:-1]
        if part.casefold() not in _FOLDERS
    ]
    return " ".join(filter(None, parents[-2:]))


def _joined(parts: Sequence[str]) -> str:
    """Parts with a colon between, without one that another says already."""
    kept: list[str] = []
    for part in filter(None, parts):
        if not any(_key(part) in _key(other) for other in kept):
            kept.append(part)
    return ": ".join(kept)


def _says_something(title: str) -> bool:
    if _EMPTY.fullmatch(title):
        return False
    if len(_IDEOGRAPH.findall(title)) >= 2:
        return True
    words = _WORD.findall(title)
    if any(_CODE.fullmatch(word) for word in words) and len(words) == 1:
        return False
    letters, digits = sum(map(str.isalpha, title)), sum(map(str.isdigit, title))
    if any(sum(map(str.isalpha, word)) >= 2 for word in words):
        return letters >= _LEAST_LETTERS and 3 * letters >= digits
    return len(words) >= 3 and letters >= 2  # 3M 2018 10K


def _key(title: str) -> str:
    return " ".join(_WORD.findall(title.casefold()))

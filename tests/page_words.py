"""A page read as its reader does: what it shows and reads out, and what of that is English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from embft.config import OBJECTIVE_METRICS
from embft.systems import SYSTEM_NAMES

NAMES = {
    *SYSTEM_NAMES, *OBJECTIVE_METRICS, "embft", "API", "BM25", "Holm", "McNemar", "JavaScript", "Python", "Linux", "cores",
    "jieba", "float32", "sentence-transformers", "InformationRetrievalEvaluator", "nDCG", "MRR", "MAP", "MB", "kB", "ms",
    "s", "min", "h", "p", "N", "k1", "b", "cpu", "fp32", "commit", "dot", "cosine",
}  # fmt: skip
"""Systems, metrics, products, units, and what the code itself is called."""


class Words(HTMLParser):
    """What a page shows or reads out, less its scripts, styles and what is typed into a computer."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.language: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang")
        if tag not in {"meta", "link", "input", "br"}:
            self.inside.append(tag)
        self.texts += [value for name in ("placeholder", "title", "aria-label") if (value := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "pre"} & set(self.inside) and data.strip():
            self.texts.append(data.strip())


def english(text: str) -> list[str]:
    """Runs of two and more English words that are neither names nor keys, settings, files and paths."""
    found = []
    for run in re.findall(r"[A-Za-z][A-Za-z ,.'-]+", re.sub(r"\S*[=/_@\\]\S*", " ; ", text)):
        words = [word.strip(".,'-") for word in run.split()]
        left = [word for word in words if word and word not in NAMES]
        if len(left) > 1:
            found.append(run)
    return found

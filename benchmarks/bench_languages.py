"""BM25 by language, before and after: titles of sections as queries over the sections' own text.

    apt-get install debian-reference-de debian-reference-fr debian-reference-ja debian-reference-zh-cn installation-guide-amd64
    python benchmarks/bench_languages.py

Debian's reference manual in five languages and its installation guide in Korean and others (and English, to compare). A
query is the title of a section, relevant are the chunks of the section, from which the title is taken out. "Before" is what
embft did before it told languages apart: words in small letters, English stop words and stems for whatever is not Chinese,
and jieba for runs that begin with a Han character or a Hangul syllable.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from report import machine, write_result

from embft.corpus.chunking import chunk_pages
from embft.corpus.html import html_text
from embft.dataset.question_audits import language_findings
from embft.questions.extractive import extractive
from embft.records import Page, RetrievalDataset, Splits
from embft.retrieval.bm25 import BM25Scorer
from embft.text.chinese import jieba
from embft.text.codes import name_of
from embft.text.languages import guess, languages_of
from embft.text.stop_words import stop_words

REFERENCE = Path("/usr/share/debian-reference")
GUIDE = Path("/usr/share/doc/installation-guide-amd64")
_TITLE = re.compile(r"^(?:[A-Z]\.)?\d+(?:\.\d+)+\.?\s+(\S.{3,120})$")
_HEADING_OF_CHAPTER = re.compile(r"^(?:Kapitel|Chapitre|Chapter|Anhang|Annexe|Appendix|第|제|부록|付録|附录).{0,120}$")
_RUNS = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+(?:[.'’][^\W\u3400-\u9fff\uf900-\ufaff]+)*"
)
SETTINGS = {"plain": {}, "windows and pairs": {"window": 32, "pairs": 0.5}}


class Before:
    """The terms as they were, for `BM25Scorer` in the place of `CorpusTerms`."""

    def __init__(self, chunks: list[list[str]]) -> None:
        self.chunks = chunks

    @classmethod
    def of(cls, texts: list[str], declared: str) -> Before:
        """Cuts all texts by the one rule."""
        return cls([words_before(text) for text in texts])

    def question(self, text: str) -> list[list[str]]:
        """Cuts a question by the same."""
        return [words_before(text)]


def words_before(text: str) -> list[str]:
    """Index terms as they were."""
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    found: list[str] = []
    for match in _RUNS.finditer(text.lower()):
        word = match.group()
        if "\u3400" <= word[0] <= "\uf9ff":
            found.extend(term for term in jieba().lcut(word) if term not in stop_words("zh"))
        elif word not in stop_words("en"):
            found.append(stemmer.stemWord(word))
    return found


def main() -> int:
    """Prints and writes results/languages.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="sources to run, such as reference/de")
    parser.add_argument("--audits", action="store_true", help="print what questions and audits are like, write nothing")
    options = parser.parse_args()
    sources = {
        f"reference/{code}": sorted(REFERENCE.glob(f"*.{code}.html")) for code in ("en", "zh-cn", "de", "fr", "ja")
    }
    sources |= {f"guide/{code}": sorted((GUIDE / code).glob("*.html")) for code in ("en", "ko", "es", "it", "ru", "cs")}
    rows = []
    for name, files in sources.items():
        if not files or (options.only and name not in options.only):
            continue
        if options.audits:
            print(audits(name, files), flush=True)
            continue
        corpus, queries, relevant = sections(files)
        rows.append(row(name, corpus, queries, relevant))
        print(rows[-1], flush=True)
    if options.audits:
        return 0
    head = [
        "# BM25 by language",
        "",
        "Titles of sections search the sections' text, titles taken out. nDCG@10 with a standard error of the difference; hit "
        f"rate@5. {machine()}.",
        "",
        "| text | found | queries | chunks | plain: before | after | difference | windows and pairs: before | after | "
        "difference | hit rate@5 | index, seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    write_result("languages", "\n".join([*head, *rows]))
    return 0


def audits(name: str, files: list[Path]) -> str:
    """A row: extractive questions, how many are in the chunk's language or are section numbers, and the audit of the model."""
    pages = [Page(file.name, None, html_text(file.read_text(encoding="utf-8", errors="replace"))) for file in files]
    chunks = chunk_pages(pages, 256, 0)
    questions = extractive(chunks, 2)[0]
    spoken = languages_of([chunk.text for chunk in chunks], "auto", [chunk.document for chunk in chunks])
    language_of = dict(zip((chunk.id for chunk in chunks), spoken.each, strict=True))
    other = sum(
        bool(guess(one.text).firm and guess(one.text).language != language_of[one.chunk_ids[0]]) for one in questions
    )
    numbers = sum(bool(re.fullmatch(r"[\d.\s]+|(?:[A-Z]\.)?\d+(?:\.\d+)+\.?\s.*", one.text)) for one in questions)
    corpus = {chunk.id: chunk.text for chunk in chunks}
    part = RetrievalDataset(
        {one.id: one.text for one in questions}, corpus, {one.id: one.chunk_ids for one in questions}
    )
    nothing = RetrievalDataset({}, {}, {})
    splits = Splits(nothing, nothing, part, {}, {"test": ("test",), "dev": ("dev",)}, {})
    says = "; ".join(finding.text for finding in language_findings(splits, "en")) or "nothing"
    own = language_findings(splits, "+".join(spoken.all))
    cells = [name, f"{len(chunks):,}", f"{len(questions):,}", f"{other:,}", f"{numbers:,}", says, f"{len(own)}"]
    return f"| {' | '.join(cells)} |"


def sections(files: list[Path]) -> tuple[dict[str, str], list[str], list[set[str]]]:
    """Chunks of sections; titles that stand once; the chunks of each title's section."""
    parts: list[tuple[str, list[str]]] = []
    for file in files:
        title, body = "", []
        for line in html_text(file.read_text(encoding="utf-8", errors="replace")).split("\n"):
            if match := _TITLE.match(line.strip()):
                parts.append((title, body))
                title, body = match.group(1), []
            elif not _HEADING_OF_CHAPTER.match(line.strip()):
                body.append(line)
        parts.append((title, body))
    corpus: dict[str, str] = {}
    queries, relevant = [], []
    # A table of contents has every title, with nothing behind it.
    kept = [(title, "\n".join(body).strip()) for title, body in parts if len("".join(body)) >= 80]
    often = Counter(title for title, _ in kept)
    for place, (title, body) in enumerate(kept):
        chunks = chunk_pages([Page(f"s{place}", None, body)], 256, 0)
        corpus |= {chunk.id: chunk.text for chunk in chunks}
        if title and often[title] == 1 and chunks:
            queries.append(title)
            relevant.append({chunk.id for chunk in chunks})
    return corpus, queries, relevant


def row(name: str, corpus: dict[str, str], queries: list[str], relevant: list[set[str]]) -> str:
    """A row of the table."""
    cells = [
        name,
        " + ".join(map(name_of, languages_of(list(corpus.values())).all)),
        f"{len(queries):,}",
        f"{len(corpus):,}",
    ]
    hits, seconds = "", ""
    for settings in SETTINGS.values():
        with patch("embft.retrieval.bm25.CorpusTerms", Before):
            before, took_before = score(corpus, queries, relevant, settings)
        after, took = score(corpus, queries, relevant, settings)
        gain = after[:, 0] - before[:, 0]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        cells += [f"{before[:, 0].mean():.3f}", f"{after[:, 0].mean():.3f}", f"{gain.mean():+.3f} ± {error:.3f}"]
        hits, seconds = f"{before[:, 1].mean():.3f} to {after[:, 1].mean():.3f}", f"{took_before:.1f} to {took:.1f}"
    return f"| {' | '.join([*cells, hits, seconds])} |"


def score(
    corpus: dict[str, str], queries: list[str], relevant: list[set[str]], settings: dict[str, Any]
) -> tuple[Any, float]:
    """Float [n, 2]: nDCG@10 and hit rate@5 of each query; and the CPU seconds that cutting and indexing took."""
    start = time.process_time()
    scorer = BM25Scorer(corpus, queries, **settings)
    took = time.process_time() - start
    ids = list(corpus)
    rows = []
    for place, wanted in enumerate(relevant):
        scores = scorer.scores(place, place + 1)[0]
        best = [ids[at] for at in np.lexsort((np.arange(len(ids)), -scores))[:10] if scores[at] > 0]
        gains = [1 / np.log2(rank + 2) for rank, key in enumerate(best) if key in wanted]
        ideal = sum(1 / np.log2(rank + 2) for rank in range(min(len(wanted), 10)))
        rows.append((sum(gains) / ideal, float(any(key in wanted for key in best[:5]))))
    return np.array(rows), took


if __name__ == "__main__":
    raise SystemExit(main())

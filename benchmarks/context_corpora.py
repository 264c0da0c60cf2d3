"""Corpora of several documents with questions, to see what a document's title before each chunk is worth.

Nothing of them is kept here: CISI and CACM are BEIR folders, the 10-K is the article's PDF's dataset, the others lie in public
repositories, whose clones (``owner+name``) `bench_context.py --clones DIR` reads.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embft.corpus.chunking import chunk_pages
from embft.corpus.titles import title_of_name
from embft.dataset.formats import read_llama_index
from embft.records import Page, RetrievalDataset

_MOST = 360
"""Questions about a corpus; more are left out."""
_ARTICLES = 24
_SITE = re.compile(r"^\s*(.{3,90}?) \| The Nutrition Source")


@dataclass
class Corpus:
    """Chunks, the title of each chunk's document, and questions.

    Attributes:
        chunks: Chunk id to text.
        titles: Chunk id to title.
        questions: Question id to text and relevant chunks.
    """

    chunks: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    questions: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def dataset(self) -> RetrievalDataset:
        """At most 360 questions over the chunks, drawn by their ids, with a title as each chunk's context."""
        asked = sorted(self.questions, key=_digest)[:_MOST]
        return RetrievalDataset(
            {key: self.questions[key][0] for key in asked},
            dict(sorted(self.chunks.items())),
            {key: self.questions[key][1] for key in asked},
            contexts={key: " ".join(title.split()) for key, title in self.titles.items() if title.strip()},
        )


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def beir(folder: Path) -> Corpus:
    """A BEIR folder whose titles are taken apart from the texts."""
    corpus = Corpus()
    for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        corpus.chunks[row["_id"]] = row["text"].strip() or row["title"]
        corpus.titles[row["_id"]] = row.get("title", "")
    relevant: dict[str, list[str]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, chunk, score = line.split("\t")
        if int(score) > 0 and chunk in corpus.chunks:
            relevant.setdefault(query, []).append(chunk)
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["_id"] in relevant:
            corpus.questions[row["_id"]] = row["text"], tuple(relevant[row["_id"]])
    return corpus


def filings(data: Path, clones: Path) -> Corpus:
    """The 10-Ks of NVIDIA, Uber and Lyft with questions by gpt-3.5 about each; the files' names are the titles."""
    corpus = Corpus()
    parts = [("nvidia-sec-10k-2022.pdf", read_llama_index(data / "nvidia-sec-10k" / f"{name}_dataset.json"))
             for name in ("train", "val")]  # fmt: skip
    for name, file in (("lyft_2021.pdf", "train"), ("uber_2021.pdf", "val")):
        rows = _shown(clones, "run-llama/finetune-embedding", f"data/{file}_dataset.json")
        relevant = {key: tuple(ids) for key, ids in rows["relevant_docs"].items()}
        parts.append((name, RetrievalDataset(rows["queries"], rows["corpus"], relevant)))
    for name, part in parts:
        for key, text in part.corpus.items():
            if text.strip():
                corpus.chunks[key], corpus.titles[key] = text, title_of_name(name)
        for key, text in part.queries.items():
            if all(chunk in corpus.chunks for chunk in part.relevant_docs[key]):
                corpus.questions[key] = text, tuple(part.relevant_docs[key])
    return corpus


def covid_qa(clones: Path) -> Corpus:
    """Experts' questions about research articles; an article's first line is its title."""
    content = _shown(clones, "deepset-ai/COVID-QA", "data/question-answering/200423_covidQA.json")
    articles = [paragraph for entry in content["data"] for paragraph in entry["paragraphs"]]
    articles.sort(key=lambda article: (-len(article["qas"]), article["document_id"]))
    corpus = Corpus()
    for article in articles[:_ARTICLES]:
        text, name = article["context"], str(article["document_id"])
        chunks = chunk_pages([Page(name, None, text)], 256)
        for chunk in chunks:
            corpus.chunks[chunk.id], corpus.titles[chunk.id] = chunk.text, text.strip().split("\n")[0]
        for question in article["qas"]:
            start = question["answers"][0]["answer_start"]
            found = [chunk.id for chunk in chunks if chunk.start <= start < chunk.end]
            if found:
                corpus.questions[f"{name}-{question['id']}"] = question["question"].strip(), (found[0],)
    return corpus


def squad(clones: Path) -> Corpus:
    """Five articles of SQuAD's dev set, a paragraph a chunk, with questions that people asked seeing the paragraph."""
    corpus = Corpus()
    for article in _shown(clones, "VinACE/san_mrc", "dev-v1.1.json")["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            chunk = f"{article['title']}-{number}"
            corpus.chunks[chunk], corpus.titles[chunk] = paragraph["context"], article["title"].replace("_", " ")
            for question in paragraph["qas"]:
                corpus.questions[question["id"]] = question["question"], (chunk,)
    return corpus


def food(clones: Path) -> Corpus:
    """Web pages on nutrition and recipes, with questions by an LLM; a page begins with its title, chunks follow each other."""
    content = _shown(clones, "brevankumar/NutriChef-Your-Personal-Healthy-Recipe-Assistant", "train_dataset.json")
    corpus, title = Corpus(), ""
    for key, text in content["corpus"].items():
        if begins := _SITE.match(text):
            title = begins[1].strip()
        if text.strip():
            corpus.chunks[key], corpus.titles[key] = re.sub(r"\n{3,}", "\n\n", text), title
    for key, text in content["queries"].items():
        ids = tuple(chunk for chunk in content["relevant_docs"].get(key, ()) if chunk in corpus.chunks)
        if ids and len(text) > 15:
            corpus.questions[key] = text, ids
    return corpus


def _shown(clones: Path, repository: str, path: str) -> Any:
    clone = clones / repository.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", f"https://github.com/{repository}", clone], check=True)
    where = clone / "repo" if (clone / "repo").exists() else clone
    return json.loads(
        subprocess.run(["git", "-C", where, "show", f"HEAD:{path}"], check=True, capture_output=True).stdout
    )


CORPORA: Mapping[str, Callable[[Path, Path], Corpus]] = {
    "filings": filings,
    "cisi": lambda data, clones: beir(data / "cisi"),
    "cacm": lambda data, clones: beir(data / "cacm"),
    "covid_qa": lambda data, clones: covid_qa(clones),
    "squad": lambda data, clones: squad(clones),
    "food": lambda data, clones: food(clones),
}
"""By name: how a corpus is made from the folders of data and of clones."""

"""Searches an export as the run did, and compares hit rate and nDCG with the report's: python check.py.

It needs this folder alone, numpy, and for questions sentence-transformers (or onnxruntime); not embft.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.001
Array = Any
Object = dict[str, Any]


def read_json(name: str) -> Any:
    """A JSON file of the export."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def read_lines(name: str) -> list[Any]:
    """The objects of a JSON Lines file of the export."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").split("\n") if line]


def kept_length(terms: int) -> int:
    """A field's length after it went through Lucene's byte: exact up to 40, then four significant bits."""
    free = 24
    if terms < free:
        return terms
    number = terms - free
    bits = number.bit_length()
    if bits < 4:
        return terms
    shift = bits - 4
    return free + ((number >> shift) << shift)


class Index:
    """BM25 over lists of terms, as Lucene has it: idf ln(1 + (N - n + .5) / (n + .5)), tf / (tf + k1 (1 - b + b l / mean l))."""

    def __init__(self, texts: list[list[str]], k1: float, b: float, lucene: bool) -> None:
        # Lucene counts texts that have a term at all, and keeps lengths in a byte.
        self.counted = sum(map(bool, texts)) if lucene else len(texts)
        self.size = len(texts)
        mean = sum(map(len, texts)) / max(1, self.counted)
        postings: dict[str, list[tuple[int, float]]] = {}
        for place, terms in enumerate(texts):
            length = kept_length(len(terms)) if lucene else len(terms)
            norm = k1 * (1 - b + b * length / mean) if mean else k1
            for term, count in Counter(terms).items():
                postings.setdefault(term, []).append((place, count / (count + norm)))
        self.postings = {
            term: (np.array([at for at, _ in rows]), np.array([weight for _, weight in rows]) * self._idf(len(rows)))
            for term, rows in postings.items()
        }

    def _idf(self, count: int) -> float:
        return math.log(1 + (self.counted - count + 0.5) / (count + 0.5))

    def scores(self, asked: list[str]) -> Array:
        """A score for each text."""
        row = np.zeros(self.size)
        for term in asked:
            if term in self.postings:
                places, weights = self.postings[term]
                row[places] += weights
        return row


class Lexical:
    """BM25 of chunks, plus that of each chunk's best window, plus that of pairs of neighbouring terms."""

    def __init__(
        self,
        chunks: list[list[str]],
        windows: list[list[str]],
        owner: list[int],
        search: Object,
        lucene: bool = False,
    ) -> None:
        k1, b = search["bm25"]["k1"], search["bm25"]["b"]
        self.share = search["bm25"]["pairs"]
        self.chunks = Index(chunks, k1, b, lucene)
        self.windows = Index(windows, k1, b, lucene) if windows else None
        self.owner = np.array(owner, int)
        pairs = [[f"{one} {two}" for one, two in pairwise(terms)] for terms in chunks]
        self.pairs = Index(pairs, k1, b, lucene) if self.share else None

    def scores(self, question: Object) -> Array:
        """A score for each chunk."""
        row = self.chunks.scores(question["terms"])
        if self.windows:
            row = row + best_by_chunk(self.windows.scores(question["terms"]), self.owner, len(row))
        if self.pairs:
            row = row + self.share * self.pairs.scores(question["pairs"])
        return np.round(row, 6)


def best_by_chunk(scores: Array, owner: Array, chunks: int) -> Array:
    """MaxP: the best of each chunk's windows."""
    best = np.full(chunks, -np.inf)
    np.maximum.at(best, owner, scores)
    return best


def min_max(row: Array) -> Array:
    """Scales a question's scores to 0..1 over all chunks."""
    low, high = row.min(), row.max()
    return (row - low) / (high - low if high > low else 1)


def mixed(dense: Array | None, lexical: Array | None, weight: float) -> Array:
    """The score of each chunk for one question."""
    if lexical is None or weight >= 1:
        return dense
    if dense is None or weight <= 0:
        return lexical
    return np.round(weight * min_max(dense) + (1 - weight) * min_max(lexical), 6)


def hit_rate_and_ndcg(ranked: list[str], relevant: dict[str, int], relevant_from: int) -> tuple[float, float]:
    """Of one question: whether a relevant chunk is among the first 5, and nDCG of the first 10."""
    hit = any(relevant.get(chunk, 0) >= relevant_from for chunk in ranked[:5])
    gain = sum(relevant.get(chunk, 0) / math.log2(rank + 2) for rank, chunk in enumerate(ranked[:10]))
    best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(sorted(relevant.values(), reverse=True)[:10]))
    return float(hit), gain / best


def question_vectors(texts: list[str], search: Object) -> Array:
    """By the model of this folder, asked as the run asked it; of length 1."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(HERE / "model"), device="cpu", local_files_only=True)
    if search["max_seq_length"]:
        model.max_seq_length = search["max_seq_length"]
    vectors = model.encode(texts, prompt=search["query_prompt"], task="query", convert_to_numpy=True)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def read_lexical(chunk_ids: list[str]) -> Lexical | None:
    """BM25 from lexical.jsonl: chunks and windows as the terms that the run indexed."""
    search = read_json("search.json")
    if not (HERE / "lexical.jsonl").is_file():
        return None
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    rows = {row["id"]: row for row in read_lines("lexical.jsonl")}
    windows = [(terms, place[chunk]) for chunk in chunk_ids for terms in rows[chunk]["windows"]]
    return Lexical(
        [rows[chunk]["terms"] for chunk in chunk_ids],
        [terms for terms, _ in windows],
        [at for _, at in windows],
        search,
    )


def check(
    chunk_ids: list[str],
    dense: Callable[[list[str]], Iterable[Array]] | None,
    lexical: Lexical | None,
) -> int:
    """Ranks every test question and compares the figures; prints them. Returns the exit status.

    Args:
        chunk_ids: Sorted: ties go to the first.
        dense: From the questions' texts to, for each, the score of every chunk.
        lexical: BM25.
    """
    search, questions = read_json("search.json"), read_lines("questions.jsonl")
    rows = dense([question["text"] for question in questions]) if dense else [None] * len(questions)
    place = {chunk: at for at, chunk in enumerate(chunk_ids)}
    results = []
    for question, row in zip(questions, rows, strict=True):
        words = lexical.scores(question) if lexical else None
        excluded = [place[chunk] for chunk in question["excluded"] if chunk in place]
        for scores in (row, words):
            if scores is not None and excluded:
                scores[excluded] = scores.min()
        scores = mixed(row, words, search["weight"])
        order = [at for at in np.argsort(-scores, kind="stable") if at not in excluded]
        if search["weight"] <= 0:
            order = [at for at in order if scores[at] > 0]  # no word in common: not retrieved
        ranked = [chunk_ids[at] for at in order[: search["depth"]]]
        results.append(hit_rate_and_ndcg(ranked, question["relevant"], search["relevant_from"]))
    # 1 each, unless the report weighs questions by how often they were asked.
    counts = [question["count"] for question in questions]
    return compare(np.average(results, axis=0, weights=counts), search)


def compare(means: Array, search: Object) -> int:
    """Prints figures beside the report's. Returns 0 where they agree, else 1."""
    good = True
    print(f"{search['system']}, {search['chunks']} chunks")
    for name, mean in zip(("hit_rate@5", "ndcg@10"), means, strict=True):
        agrees = abs(mean - search["figures"][name]) <= TOLERANCE
        good = good and agrees
        print(f"  {name:12} {mean:.4f}   report {search['figures'][name]:.4f}   {'agrees' if agrees else 'DIFFERS'}")
    return 0 if good else 1


def finish(status: int) -> None:
    """Ends the script."""
    sys.exit(status)

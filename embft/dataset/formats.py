"""Datasets on disk: LlamaIndex's JSON and BEIR's folder, both read and written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embft.errors import DatasetError
from embft.files import replacing, write_json, write_jsonl
from embft.records import RetrievalDataset

_MAPS = ("queries", "corpus", "relevant_docs")
_LLAMA_INDEX_SHAPE = (
    'Expected {"queries": {id: text}, "corpus": {id: text}, "relevant_docs": {query id: [corpus id, ...]}}.'
)
_BEIR_SHAPE = "A BEIR folder has corpus.jsonl, queries.jsonl and qrels/<split>.tsv."
_QRELS_HEADER = ("query-id", "corpus-id", "score")


def read_llama_index(path: Path) -> RetrievalDataset:
    """Reads the JSON of LlamaIndex's ``EmbeddingQAFinetuneDataset``, with or without its later ``"mode": "text"``.

    Ids are not checked against each other: `embft.dataset.validation` does that, and reports all of it at once.

    Raises:
        DatasetError: No such file, not JSON in UTF-8, or another shape; names the file and what was expected.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DatasetError(f"No dataset file {path} (relative paths start at {Path.cwd()}).") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}. {_LLAMA_INDEX_SHAPE}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON in UTF-8 ({error}). {_LLAMA_INDEX_SHAPE}") from error
    found = content if isinstance(content, dict) else {}
    lacking = [name for name in _MAPS if not isinstance(found.get(name), dict)]
    if lacking:
        raise DatasetError(f"{path} has no object {' and no object '.join(lacking)}. {_LLAMA_INDEX_SHAPE}")
    if found.get("mode", "text") != "text":
        raise DatasetError(f'{path} has mode {json.dumps(found["mode"])}: only datasets of mode "text" are read.')
    queries, corpus, relevant_docs = (found[name] for name in _MAPS)
    for name, texts in (("queries", queries), ("corpus", corpus)):
        for key, text in texts.items():
            _require_text(key, f"{path}: the id {key!r} in {name}")
            _require_text(text, f"{path}: {name}[{key!r}]")
    for key, ids in relevant_docs.items():
        if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
            raise DatasetError(f"{path}: relevant_docs[{key!r}] is not a list of ids. {_LLAMA_INDEX_SHAPE}")
    return RetrievalDataset(queries, corpus, {key: tuple(dict.fromkeys(ids)) for key, ids in relevant_docs.items()})


def write_llama_index(path: Path, dataset: RetrievalDataset) -> None:
    """Writes LlamaIndex's JSON in one step: UTF-8, readable whatever the language."""
    write_json(
        path,
        {
            "queries": dict(dataset.queries),
            "corpus": dict(dataset.corpus),
            "relevant_docs": {key: list(ids) for key, ids in dataset.relevant_docs.items()},
            "mode": "text",
        },
    )


def read_beir(folder: Path, split: str) -> RetrievalDataset:
    """Reads one split of a BEIR folder, with the whole corpus and the queries that the split judges.

    A title is put before the text with a space, as BEIR and MTEB do. Scores above 0 are relevant. Queries of which
    nothing is relevant are left out.

    Source: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models",
    NeurIPS Datasets and Benchmarks 2021, and the repository beir-cellar/beir.

    Raises:
        DatasetError: A file is missing or malformed; names the file and the line.
    """
    corpus = _read_texts(folder / "corpus.jsonl")
    queries = _read_texts(folder / "queries.jsonl")
    path = folder / "qrels" / f"{split}.tsv"
    relevant: dict[str, dict[str, None]] = {}
    for query_id, chunk_id, score in _read_judgements(path):
        if score > 0:
            if query_id not in queries:
                raise DatasetError(f"{path} judges query '{query_id}', which {folder / 'queries.jsonl'} lacks.")
            relevant.setdefault(query_id, {})[chunk_id] = None
    return RetrievalDataset(
        {key: queries[key] for key in relevant}, corpus, {key: tuple(ids) for key, ids in relevant.items()}
    )


def write_beir(folder: Path, parts: Mapping[str, RetrievalDataset]) -> None:
    """Writes a BEIR folder: one corpus, one list of queries, and judgements for each part.

    Args:
        folder: Made where it is not there; its files of the same names are replaced, each in one step.
        parts: Split name (``train``, ``dev``, ``test``) to dataset.

    Raises:
        DatasetError: Two parts have different texts under one id.
    """
    queries, corpus = (_merged(parts, name) for name in ("queries", "corpus"))
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "corpus.jsonl", ({"_id": key, "title": "", "text": text} for key, text in corpus.items()))
    write_jsonl(folder / "queries.jsonl", ({"_id": key, "text": text} for key, text in queries.items()))
    for split, dataset in parts.items():
        with (
            replacing(folder / "qrels" / f"{split}.tsv") as path,
            path.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(_QRELS_HEADER)
            writer.writerows((key, chunk_id, 1) for key, ids in dataset.relevant_docs.items() for chunk_id in ids)


def _read_texts(path: Path) -> dict[str, str]:
    """Id to text of corpus.jsonl or queries.jsonl."""
    texts: dict[str, str] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
            key, title, text = str(row["_id"]), row.get("title") or "", row["text"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DatasetError(f'{where}: expected {{"_id": id, "text": text}}, and for a chunk "title".') from error
        _require_text(text, f"{where}: text")
        _require_text(title, f"{where}: title")
        if key in texts:
            raise DatasetError(f"{where}: the id '{key}' stands on an earlier line too; ids must be unique.")
        texts[key] = f"{title} {text}".strip() if title else text
    return texts


def _read_judgements(path: Path) -> Iterator[tuple[str, str, float]]:
    """Query id, chunk id and score of each line below the header."""
    reader = csv.reader(_lines(path), delimiter="\t")
    try:
        for number, row in enumerate(reader):
            if not row:
                continue
            try:
                query_id, chunk_id, score = row[0], row[1], float(row[2])
            except (IndexError, ValueError) as error:
                if number == 0 and len(row) == len(_QRELS_HEADER):
                    continue  # the header, whatever it calls its columns
                raise DatasetError(
                    f"{path}, line {reader.line_num}: expected {', '.join(_QRELS_HEADER)} with tabs between, "
                    "the score a number."
                ) from error
            yield query_id, chunk_id, score
    except csv.Error as error:
        raise DatasetError(f"{path}, line {reader.line_num}: not a table with tabs ({error}).") from error


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except FileNotFoundError as error:
        raise DatasetError(f"No file {path}. {_BEIR_SHAPE}") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}. {_BEIR_SHAPE}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 ({error}): convert it, such as with iconv.") from error


def _require_text(text: Any, where: str) -> None:
    if not isinstance(text, str):
        raise DatasetError(f"{where} is not a text but {json.dumps(text)[:40]}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # JSON can hold half of a surrogate pair; no file in UTF-8 and no tokenizer can.
        raise DatasetError(f"{where} holds half a character at position {error.start}: remove or mend it.") from error


def _merged(parts: Mapping[str, RetrievalDataset], name: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for part in parts.values():
        for key, text in getattr(part, name).items():
            if merged.setdefault(key, text) != text:
                raise DatasetError(f"Two parts have different texts for '{key}' in {name}: a BEIR folder has one.")
    return merged

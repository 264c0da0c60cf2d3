"""Datasets on disk: LlamaIndex's JSON, written and read, and BEIR's folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embft.errors import DatasetError
from embft.records import RetrievalDataset, write_jsonl
from embft.stages import write_json

_MAPS = ("queries", "corpus", "relevant_docs")


def read_llama_index(path: Path) -> RetrievalDataset:
    """Reads ``{"queries", "corpus", "relevant_docs"}``, with or without LlamaIndex's later ``"mode": "text"``.

    Raises:
        DatasetError: No such file, not JSON, or another shape.
    """
    shape = 'expected {"queries": {id: text}, "corpus": {id: text}, "relevant_docs": {query id: [corpus id]}}'
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DatasetError(f"No dataset file {path} (paths are relative to {Path.cwd()}).") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path} is not JSON in UTF-8 ({error}): {shape}.") from error
    if not isinstance(content, dict) or any(not isinstance(content.get(name), dict) for name in _MAPS):
        missing = [name for name in _MAPS if not isinstance(content, dict) or not isinstance(content.get(name), dict)]
        raise DatasetError(f"{path} lacks {', '.join(missing)}: {shape}.")
    if content.get("mode", "text") != "text":
        raise DatasetError(f"{path} has mode {content['mode']!r}: only text datasets are read.")
    queries, corpus, relevant = (content[name] for name in _MAPS)
    _require_texts(path, {"queries": queries, "corpus": corpus}, shape)
    docs = {}
    for question_id, ids in relevant.items():
        listed = [ids] if isinstance(ids, str) else ids
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise DatasetError(f"{path}: relevant_docs['{question_id}'] is not a list of ids: {shape}.")
        docs[question_id] = tuple(dict.fromkeys(listed))
    return RetrievalDataset(queries, corpus, docs)


def _require_texts(path: Path, maps: Mapping[str, Mapping[str, Any]], shape: str) -> None:
    for name, texts in maps.items():
        wrong = next((key for key, text in texts.items() if not isinstance(text, str)), None)
        if wrong is not None:
            raise DatasetError(f"{path}: {name}['{wrong}'] is not a text: {shape}.")


def write_llama_index(path: Path, dataset: RetrievalDataset) -> None:
    """Writes LlamaIndex's JSON, UTF-8, readable whatever the language."""
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
    """Reads one split of a BEIR folder: corpus.jsonl, queries.jsonl, qrels/<split>.tsv; judgements above 0 are relevant.

    Raises:
        DatasetError: A file is missing or malformed; the message names file and line.
    """
    corpus = {
        str(row["_id"]): "\n".join(part for part in (row.get("title"), row["text"]) if part)
        for row in _beir_rows(folder / "corpus.jsonl")
    }
    texts = {str(row["_id"]): row["text"] for row in _beir_rows(folder / "queries.jsonl")}
    relevant: dict[str, list[str]] = {}
    path = folder / "qrels" / f"{split}.tsv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter="\t"), 1):
                if number == 1 and row and not _is_number(row[-1]):
                    continue
                if len(row) < 3 or not _is_number(row[-1]):
                    raise DatasetError(f"{path}, line {number}: expected query-id, corpus-id and score with tabs between.")
                if float(row[-1]) > 0:
                    # Three columns in BEIR, four (with a 0 in the second) in TREC.
                    relevant.setdefault(row[0], []).append(row[-2])
    except FileNotFoundError as error:
        raise DatasetError(f"No file {path}: a BEIR folder has qrels/train.tsv, qrels/test.tsv...") from error
    dangling = [key for key in relevant if key not in texts]
    if dangling:
        raise DatasetError(f"{path} judges {len(dangling)} queries that queries.jsonl lacks, such as {dangling[0]}.")
    return RetrievalDataset(
        {key: texts[key] for key in relevant}, corpus, {key: tuple(dict.fromkeys(ids)) for key, ids in relevant.items()}
    )


def write_beir(folder: Path, dataset: RetrievalDataset, split: str) -> None:
    """Writes a BEIR folder with one split."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    write_jsonl(
        folder / "corpus.jsonl", ({"_id": key, "title": "", "text": text} for key, text in dataset.corpus.items())
    )
    write_jsonl(folder / "queries.jsonl", ({"_id": key, "text": text} for key, text in dataset.queries.items()))
    with (folder / "qrels" / f"{split}.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["query-id", "corpus-id", "score"])
        writer.writerows([key, chunk_id, 1] for key, ids in dataset.relevant_docs.items() for chunk_id in ids)


def _beir_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    row["_id"], row["text"]
                except (json.JSONDecodeError, KeyError, TypeError) as error:
                    raise DatasetError(f'{path}, line {number}: expected {{"_id": ..., "text": ...}}.') from error
                rows.append(row)
    except FileNotFoundError as error:
        raise DatasetError(f"No file {path}: a BEIR folder has corpus.jsonl, queries.jsonl and qrels/.") from error
    return rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

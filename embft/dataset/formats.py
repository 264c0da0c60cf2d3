"""LlamaIndex's JSON, read and written; and BEIR's folder, which has a module of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embft.dataset.beir import read_beir, write_beir
from embft.dataset.table_rows import graded
from embft.dataset.texts import require_text
from embft.errors import DatasetError
from embft.files import write_json
from embft.foreign_json import parse_json
from embft.records import RetrievalDataset
from embft.text.outside import decoded

__all__ = ["read_beir", "read_llama_index", "write_beir", "write_llama_index"]

_MAPS = ("queries", "corpus", "relevant_docs")
_SHAPE = 'Expected {"queries": {id: text}, "corpus": {id: text}, "relevant_docs": {query id: [corpus id, ...]}}.'


def read_llama_index(path: Path) -> RetrievalDataset:
    """Reads the JSON of LlamaIndex's ``EmbeddingQAFinetuneDataset``, with or without its later ``"mode": "text"``.

    ``relevant_docs`` may also map each corpus id to its grade; ids of grade 0 are not relevant. embft's own files hold
    ``grades``, ``excluded`` and ``contexts`` beside the three maps, where a dataset has them; LlamaIndex passes over them.

    Ids are not checked against each other: `embft.dataset.validation` does that, and reports all of it at once.

    Raises:
        DatasetError: No such file, not JSON, or another shape; names the file and what was expected.
    """
    content, notes = _content(path)
    lacking = [name for name in _MAPS if not isinstance(content.get(name), dict)]
    if lacking:
        raise DatasetError(f"{path} has no object {' and no object '.join(lacking)}. {_SHAPE}")
    if content.get("mode", "text") != "text":
        raise DatasetError(f'{path} has mode {json.dumps(content["mode"])}: only datasets of mode "text" are read.')
    queries, corpus, relevant_docs = (content[name] for name in _MAPS)
    for name, texts in (("queries", queries), ("corpus", corpus)):
        for key, text in texts.items():
            require_text(key, f"{path}: the id {key!r} in {name}")
            require_text(text, f"{path}: {name}[{key!r}]")
    grades = _grades(content, path)
    relevant = {key: _relevant(key, ids, grades, path) for key, ids in relevant_docs.items()}
    unanswered = [key for key, ids in relevant.items() if not ids and relevant_docs[key]]
    if unanswered:
        notes = (
            *notes,
            f"{len(unanswered):,} questions of {path} have grades of 0 alone and were left out, such as {unanswered[0]}.",
        )
        queries = {key: text for key, text in queries.items() if key not in set(unanswered)}
        relevant = {key: ids for key, ids in relevant.items() if key not in set(unanswered)}
    return RetrievalDataset(
        queries, corpus, relevant, graded(grades), _ids_by_query(content, "excluded", path), notes, _contexts(content, path),
        _ids_by_query(content, "not_relevant", path),
    )  # fmt: skip


def write_llama_index(path: Path, dataset: RetrievalDataset) -> None:
    """Writes LlamaIndex's JSON in one step: UTF-8, readable in any language."""
    content: dict[str, object] = {
        "queries": dict(dataset.queries),
        "corpus": dict(dataset.corpus),
        "relevant_docs": {key: list(ids) for key, ids in dataset.relevant_docs.items()},
        "mode": "text",
    }
    if dataset.grades:
        content["grades"] = {key: dict(own) for key, own in dataset.grades.items()}
    if dataset.excluded:
        content["excluded"] = {key: list(ids) for key, ids in dataset.excluded.items()}
    if dataset.not_relevant:
        content["not_relevant"] = {key: list(ids) for key, ids in dataset.not_relevant.items()}
    if contexts := {key: dataset.contexts[key] for key in dataset.corpus if dataset.contexts.get(key)}:
        content["contexts"] = contexts
    write_json(path, content)


def _content(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object of a file, and what a person should know about its bytes."""
    try:
        file = decoded(path.read_bytes())
        content = parse_json(file.text, strict=True)
    except FileNotFoundError as error:
        raise DatasetError(f"No dataset file {path} (relative paths start at {Path.cwd()}).") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}. {_SHAPE}") from error
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON ({error}). {_SHAPE}") from error
    return (content if isinstance(content, dict) else {}), tuple(f"{path} {note}." for note in file.notes)


def _grades(content: Mapping[str, Any], path: Path) -> dict[str, dict[str, int]]:
    """Grades that stand in ``relevant_docs`` itself or beside it."""
    given = content.get("grades", {})
    if not isinstance(given, dict):
        raise DatasetError(f"{path}: grades is no object of query ids.")
    inline = {key: value for key, value in content["relevant_docs"].items() if isinstance(value, dict)}
    for key, own in {**given, **inline}.items():
        valid = isinstance(own, dict) and all(
            isinstance(grade, int) and not isinstance(grade, bool) for grade in own.values()
        )
        if not valid:
            raise DatasetError(f"{path}: the grades of {key!r} are no whole numbers by corpus id.")
    return {key: dict(own) for key, own in {**given, **inline}.items()}


def _relevant(key: str, ids: Any, grades: Mapping[str, Mapping[str, int]], path: Path) -> tuple[str, ...]:
    if not isinstance(ids, list | dict) or not all(isinstance(item, str) for item in ids):
        raise DatasetError(f"{path}: relevant_docs[{key!r}] is not a list of ids. {_SHAPE}")
    own = grades.get(key, {})
    return tuple(item for item in dict.fromkeys(ids) if own.get(item, 1) > 0)


def _contexts(content: Mapping[str, object], path: Path) -> dict[str, str]:
    given = content.get("contexts", {})
    if not isinstance(given, dict):
        raise DatasetError(f"{path}: contexts is no object of corpus ids.")
    for key, text in given.items():
        require_text(text, f"{path}: contexts[{key!r}]")
    return {key: " ".join(text.split()) for key, text in given.items()}


def _ids_by_query(content: Mapping[str, object], name: str, path: Path) -> dict[str, tuple[str, ...]]:
    given = content.get(name, {})
    if not isinstance(given, dict) or not all(
        isinstance(ids, list) and all(isinstance(item, str) for item in ids) for ids in given.values()
    ):
        raise DatasetError(f"{path}: {name} is no object of lists of ids.")
    return {key: tuple(ids) for key, ids in given.items()}

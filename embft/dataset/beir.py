"""BEIR's folder, read and written: one corpus, one list of queries, judgements for each split."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embft.dataset.qrels import SUFFIXES, read_judgements
from embft.dataset.table_rows import graded
from embft.dataset.texts import require_text
from embft.errors import DatasetError
from embft.files import replacing, write_jsonl
from embft.foreign_json import parse_json
from embft.progress import progress
from embft.records import RetrievalDataset
from embft.text.known_ids import KnownIds
from embft.text.outside import decoded, lines_of, plain_lines

_SHAPE = "A BEIR folder has corpus.jsonl, queries.jsonl and qrels/<split>.tsv."
_QRELS_HEADER = ("query-id", "corpus-id", "score")
_MOST_MISSING = 0.25
"""Share of the relevant judgements that may be about texts that are not there; beyond it, the folder is not whole."""
_SAME = 0.8
"""Share of a question's words that its copy in the corpus holds; they are half of the copy's words, or more."""
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 8
_SHOWN = 3


def splits_of(folder: Path) -> dict[str, Path]:
    """Split name to file of judgements, as they lie in ``qrels/``."""
    judgements = sorted(path for suffix in SUFFIXES for path in folder.glob(f"qrels/*{suffix}"))
    return {path.stem: path for path in reversed(judgements)}


def read_beir(folder: Path, split: str) -> RetrievalDataset:
    """Reads one split of a BEIR folder; see `read_beir_folder`."""
    path = splits_of(folder).get(split, folder / "qrels" / f"{split}.tsv")
    return read_beir_folder(folder, {split: path})[split]


def read_beir_folder(
    folder: Path, files: Mapping[str, Path] | None = None, *, titles_apart: bool = False
) -> dict[str, RetrievalDataset]:
    """Reads splits of a BEIR folder, each with the whole corpus and the queries that it judges.

    A title is put before the text with a space, as BEIR and MTEB do. Scores above 0 are relevant, and scores above 1 are
    grades. Left out, counted and named: queries of which nothing is relevant, judgements about documents or queries that
    the folder lacks (too many of them are refused). A document with the id and the words of a query is the query itself
    (as in ArguAna): no system gets points for it, nor loses any, as BEIR ignores identical ids.

    Source: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models",
    NeurIPS Datasets and Benchmarks 2021, and the repository beir-cellar/beir.

    Args:
        folder: Holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/``.
        files: Split to judgements; None takes all that there are.
        titles_apart: A title is the context of its text instead (`embft.embedded_text`).

    Raises:
        DatasetError: A file is missing or malformed; names the file and the line.
    """
    titles: dict[str, str] | None = {} if titles_apart else None
    notes: list[str] = []
    corpus = _read_texts(folder / "corpus.jsonl", notes, titles)
    queries = _read_texts(folder / "queries.jsonl", notes)
    if files is None:
        files = splits_of(folder)
    parts = {split: _read_split(folder, path, corpus, queries) for split, path in files.items()}
    return {split: replace(part, contexts=titles or {}, notes=(*notes, *part.notes)) for split, part in parts.items()}


def write_beir(folder: Path, parts: Mapping[str, RetrievalDataset]) -> None:
    """Writes a BEIR folder: one corpus, one list of queries, and judgements with their grades for each part.

    A chunk's context becomes its title, which those who read BEIR put before the text.

    Args:
        folder: Made where it is not there; its files of the same names are replaced, each in one step.
        parts: Split name (``train``, ``dev``, ``test``) to dataset.

    Raises:
        DatasetError: Two parts have different texts under one id.
    """
    queries, corpus = (_merged(parts, name) for name in ("queries", "corpus"))
    titles = {key: context for part in parts.values() for key, context in part.contexts.items()}
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    rows = ({"_id": key, "title": titles.get(key, ""), "text": text} for key, text in corpus.items())
    write_jsonl(folder / "corpus.jsonl", rows)
    write_jsonl(folder / "queries.jsonl", ({"_id": key, "text": text} for key, text in queries.items()))
    for split, dataset in parts.items():
        with (
            replacing(folder / "qrels" / f"{split}.tsv") as path,
            path.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(_QRELS_HEADER)
            writer.writerows(
                (key, chunk_id, dataset.grade(key, chunk_id))
                for key, ids in dataset.relevant_docs.items()
                for chunk_id in ids
            )


def _read_split(folder: Path, path: Path, corpus: Mapping[str, str], queries: Mapping[str, str]) -> RetrievalDataset:
    notes: list[str] = []
    judged = read_judgements(path, lambda: lines(path, notes), queries.keys(), corpus.keys())
    notes += judged.notes
    relevant = {key: {chunk for chunk, grade in own.items() if grade > 0} for key, own in judged.grades.items()}
    total = sum(map(len, relevant.values()))
    # Not "own - corpus.keys()", which goes through the whole corpus for each query.
    lost = {key: {chunk for chunk in own if chunk not in corpus} for key, own in relevant.items()}
    missing_documents = [
        chunk for own in judged.grades.values() for chunk, grade in own.items() if grade > 0 and chunk not in corpus
    ]
    missing_queries = [key for key, own in relevant.items() if own and key not in queries]
    gone = sum(len(own) if key not in queries else len(lost[key]) for key, own in relevant.items())
    what = [
        f"judges {word} '{names[0]}'"
        + (f" and {len(set(names)) - 1:,} more" if len(set(names)) > 1 else "")
        + f", which {folder / file} lacks{KnownIds(known).hint(names[0])}"
        for word, names, file, known in (
            ("query", missing_queries, "queries.jsonl", queries.keys()),
            ("document", missing_documents, "corpus.jsonl", corpus.keys()),
        )
        if names
    ]
    if gone > _MOST_MISSING * total:
        raise DatasetError(
            f"{path} {' and '.join(what)}: {gone:,} of its {total:,} relevant judgements. Is the folder whole?"
        )
    if gone:
        notes.append(f"{path} {' and '.join(what)}: {gone:,} of {total:,} relevant judgements were passed over.")
    kept = {
        key: tuple(chunk for chunk, grade in own.items() if grade > 0 and chunk in corpus)
        for key, own in judged.grades.items()
        if key in queries
    }
    unanswered = [key for key, ids in kept.items() if not ids]
    if unanswered:
        shown = ", ".join(unanswered[:_SHOWN]) + (", ..." if len(unanswered) > _SHOWN else "")
        notes.append(f"{len(unanswered):,} queries of {path} have no relevant document and were left out: {shown}.")
    kept = {key: ids for key, ids in kept.items() if ids}
    excluded = {key: (key,) for key, ids in kept.items() if key not in ids and _is_copy(queries[key], corpus.get(key))}
    if excluded:
        notes.append(
            f"{len(excluded):,} queries of {path} stand in the corpus themselves, under their own id: their rankings leave that "
            "document out, as BEIR does."
        )
    grades = {key: {chunk: judged.grades[key][chunk] for chunk in ids} for key, ids in kept.items()}
    unrelated = {
        key: ids
        for key in kept
        if (ids := tuple(chunk for chunk, grade in judged.grades[key].items() if grade <= 0 and chunk in corpus))
    }
    return RetrievalDataset(
        {key: queries[key] for key in kept},
        corpus,
        kept,
        graded(grades),
        excluded,
        tuple(notes),
        not_relevant=unrelated,
    )


def _is_copy(query: str, document: str | None) -> bool:
    """The same id alone says little: many sets count queries and documents from 1."""
    if document is None:
        return False
    words, others = query.casefold().split(), document.casefold().split()
    query, document = "".join(words), "".join(others)
    if len(query) >= _FEWEST_LETTERS and query in document and 2 * len(query) >= len(document):
        return True
    common = len(set(words) & set(others))
    return len(words) >= _FEWEST_WORDS and common >= _SAME * len(set(words)) and 2 * common >= len(set(others))


def _read_texts(path: Path, notes: list[str], titles: dict[str, str] | None = None) -> dict[str, str]:
    """Id to text of corpus.jsonl or queries.jsonl; titles go into a map of their own where there is one.

    Args:
        notes: Gets what a person should know about the file's bytes.
    """
    texts: dict[str, str] = {}
    with progress(f"reading {path.name}", unit="texts") as work:
        for number, line in enumerate(plain_lines(path) or lines(path, notes), 1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                row = parse_json(line, strict=True)
                key, title, text = row.get("_id", row.get("id")), row.get("title") or "", row["text"]
                if isinstance(key, bool) or not isinstance(key, str | int):
                    raise TypeError("no id")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                reason = f" ({error})" if "twice" in str(error) else ""
                raise DatasetError(
                    f'{where}: expected {{"_id": id, "text": text}}, and for a chunk "title"{reason}.'
                ) from error
            key = str(key)
            require_text(key, f"{where}: the id")
            require_text(text, f"{where}: text")
            require_text(title, f"{where}: title")
            if key in texts:
                raise DatasetError(f"{where}: the id '{key}' stands on an earlier line too; ids must be unique.")
            if titles is not None and title.strip() and text.strip():
                titles[key] = " ".join(title.split())
                title = ""
            texts[key] = f"{title} {text}".strip() if title else text
            work.advance()
    return texts


def lines(path: Path, notes: list[str]) -> list[str]:
    """The lines of a file of the folder.

    Args:
        notes: Gets what a person should know about its bytes.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        file = decoded(path.read_bytes())
        notes += [f"{path} {note}." for note in file.notes]
        return lines_of(file.text)
    except FileNotFoundError as error:
        packed = path.with_name(path.name + ".gz")
        hint = f" Unpack {packed.name} first." if packed.is_file() else ""
        raise DatasetError(f"No file {path}. {_SHAPE}{hint}") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}. {_SHAPE}") from error
    except ValueError as error:
        raise DatasetError(f"{path} cannot be read: {error}.") from error


def _merged(parts: Mapping[str, RetrievalDataset], name: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for part in parts.values():
        for key, text in getattr(part, name).items():
            if merged.setdefault(key, text) != text:
                raise DatasetError(f"Two parts have different texts for '{key}' in {name}: a BEIR folder has one.")
    return merged

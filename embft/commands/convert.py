"""Turns a dataset into another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from embft.dataset.convert import FORMATS, read_any, write_any
from embft.dataset.tables import SUFFIXES
from embft.errors import EmbftError, in_words
from embft.records import RetrievalDataset


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line. Returns 0, and 2 for a mistake in it or in the dataset."""
    parser = argparse.ArgumentParser(
        description="Turns a dataset into another format. IN and OUT say which: FILE.json is LlamaIndex's, FILE.jsonl, "
        "FILE.csv (or .tsv) and FILE.parquet are tables of question, passage and negative, a folder is BEIR's, or as --to says. "
        "Columns may have other usual names (query and pos, anchor and positive, sentence1 and sentence2, label or grade). "
        "IN may also be the dataset/ folder of a run, or one of datasets.save_to_disk."
    )
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--to", choices=[name for name in FORMATS if name != "table"], help="format of a folder OUT")
    parser.add_argument("--split", help="take this split alone (for FILE.json as IN: what it is called)")
    parser.add_argument(
        "--no-negatives",
        action="store_true",
        help="leave a table's negative empty, instead of BM25's first wrong chunk",
    )
    options = parser.parse_args(arguments)
    try:
        parts = read_any(options.source, options.split)
        wants_negatives = options.target.suffix in SUFFIXES and not options.no_negatives
        options.target.parent.mkdir(parents=True, exist_ok=True)
        said = write_any(options.target, parts, options.to, hardest_by_bm25 if wants_negatives else None)
    except EmbftError as error:
        print(f"convert: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"convert: {in_words(error)}", file=sys.stderr)
        return 2
    for note in dict.fromkeys(note for part in parts.values() for note in part.notes):
        print(f"convert: {note}", file=sys.stderr)
    print(f"{options.target}: {said}")
    return 0


def hardest_by_bm25(part: RetrievalDataset) -> Mapping[str, str | None]:
    """For each question the chunk that BM25 ranks first of those that do not answer it."""
    from embft.retrieval.bm25 import BM25Scorer

    ids, chunk_ids = list(part.relevant_docs), list(part.corpus)
    scorer = BM25Scorer(part.indexed, [part.queries[question_id] for question_id in ids])
    found: dict[str, str | None] = {}
    for place, question_id in enumerate(ids):
        scores = scorer.scores(place, place + 1)[0]
        wrong = [column for column, key in enumerate(chunk_ids) if key not in part.relevant_docs[question_id]]
        found[question_id] = chunk_ids[max(wrong, key=lambda column: scores[column])] if wrong else None
    return found

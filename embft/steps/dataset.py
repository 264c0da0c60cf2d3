"""Stage ``dataset``: questions to train, dev and test; or a dataset that exists, read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config import DatasetConfig
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.dataset.leaks import without_leaks
from embft.dataset.reading import dataset_files, read_given
from embft.dataset.splitting import split_questions
from embft.dataset.training_questions import training_chunks, with_training_questions
from embft.dataset.validation import validate
from embft.errors import DatasetError
from embft.files import file_digest, read_json, write_json, write_jsonl
from embft.records import Chunk, Page, RetrievalDataset, Splits, read_jsonl
from embft.stages import StageCache, StageResult
from embft.steps.corpus import Corpus
from embft.steps.questions import Questions
from embft.steps.realism import realism

NO_DEV = "There are no dev questions: the last epoch is kept and the fusion is an even mix."


@dataclass(frozen=True)
class Dataset:
    """What the stage gives.

    Attributes:
        report: Counts, what was left out and why, warnings.
    """

    splits: Splits
    report: dict[str, Any]


def make_dataset(
    stages: StageCache,
    config: DatasetConfig,
    corpus: StageResult[Corpus] | None,
    questions: StageResult[Questions] | None,
    seed: int,
    training: bool = True,
) -> StageResult[Dataset]:
    """Makes or reads the dataset.

    Args:
        corpus: None where a dataset is read from files.
        questions: Without ``corpus``, those to train on (see `given_corpus`); None where the files have their own.
        training: False where nothing is trained: then train may be empty.

    Raises:
        DatasetError: A file is wrong, or a split is empty. All problems at once.
    """

    def build(folder: Path, scratch: Path) -> None:
        made = _make(config, corpus, questions, seed, training)
        warnings = [*made.notes, *_check(made, training)]
        for name in RetrievalDataset.SPLITS:
            write_llama_index(folder / f"{name}.json", getattr(made.splits, name))
        write_json(folder / "distractors.json", dict(made.splits.distractors))
        write_json(folder / "splits.json", _described(made, warnings))

    if corpus is not None:
        inputs = [corpus.key, questions.key if questions else ""]
    else:
        inputs = [*map(file_digest, dataset_files(config)), questions.key if questions else ""]
    return stages.run(
        "dataset",
        settings={**_settings(config, corpus is None), "seed": seed, "training": training},
        inputs=inputs,
        code=(
            "embft.dataset",
            "embft.records",
            "embft.steps.dataset",
            "embft.steps.realism",
            "embft.questions.realism",
            "embft.text",
        ),
        build=build,
        load=_load,
    )


def given_corpus(stages: StageCache, config: DatasetConfig, seed: int) -> StageResult[Corpus] | None:
    """The documents of a given dataset without train questions, as chunks to ask about; None where it has its own.

    Raises:
        DatasetError: A file is wrong.
    """

    def build(folder: Path, scratch: Path) -> None:
        splits = read_given(config, seed).splits
        pages, chunks = ([], []) if splits.train.queries else training_chunks(splits, config)
        write_jsonl(folder / "pages.jsonl", pages)
        write_jsonl(folder / "chunks.jsonl", chunks)

    def load(folder: Path) -> Corpus:
        return Corpus(read_jsonl(folder / "pages.jsonl", Page), read_jsonl(folder / "chunks.jsonl", Chunk), {})

    found = stages.run(
        "given_corpus",
        settings={**_settings(config, True), "seed": seed},
        inputs=[file_digest(path) for path in dataset_files(config)],
        code=("embft.dataset", "embft.records", "embft.steps.dataset", "embft.text"),
        build=build,
        load=load,
    )
    return found if found.value.chunks else None


@dataclass(frozen=True)
class _Made:
    """Splits, with how many questions were left out by reason, and what a reader must know."""

    splits: Splits
    left_out: Mapping[str, int]
    notes: tuple[str, ...]


def _make(
    config: DatasetConfig,
    corpus: StageResult[Corpus] | None,
    questions: StageResult[Questions] | None,
    seed: int,
    training: bool,
) -> _Made:
    if corpus is not None:
        assert questions is not None
        splits, left_out = split_questions(
            corpus.value.chunks, questions.value.questions, config, seed, training=training
        )
        splits, leaking = without_leaks(splits)
        if leaking:
            left_out = {**left_out, "generated questions about near-copies of chunks of a split held back": leaking}
        return _Made(splits, left_out, tuple(questions.value.report.get("warnings", ())))
    given = read_given(config, seed)
    if questions is None:
        return _Made(given.splits, {}, given.notes)
    splits, left_out = with_training_questions(given.splits, questions.value.questions, config, seed)
    where = (
        "all documents, those of test questions too" if config.train_on == "all" else "documents of no test question"
    )
    note = f"The dataset has no train questions: {len(splits.train.queries):,} were written about {where}."
    return _Made(splits, left_out, (*given.notes, note))


def _described(made: _Made, warnings: list[str]) -> dict[str, Any]:
    splits = made.splits
    return {
        "searches": {name: list(parts) for name, parts in splits.searches.items()},
        "origins": dict(splits.origins),
        "sources": dict(splits.sources),
        "counts": dict(splits.counts),
        "shares_chunks": splits.shares_chunks,
        "report": {
            **_counts(splits),
            "left_out": dict(made.left_out),
            "warnings": warnings,
            "realism": realism(splits),
        },
    }


def _settings(config: DatasetConfig, given: bool) -> dict[str, Any]:
    names = ["kind", "candidates", "dev_fraction", "train_on"]
    names += ["leaks"] if given else ["split", "block_pages", "train_pages", "test_fraction"]
    return {name: getattr(config, name) for name in names}


def _load(folder: Path) -> Dataset:
    described = read_json(folder / "splits.json")
    train, dev, test = (read_llama_index(folder / f"{name}.json") for name in RetrievalDataset.SPLITS)
    splits = Splits(
        train,
        dev,
        test,
        distractors=read_json(folder / "distractors.json"),
        searches={name: tuple(parts) for name, parts in described["searches"].items()},
        origins=described["origins"],
        sources=described["sources"],
        counts=described["counts"],
        shares_chunks=described["shares_chunks"],
    )
    return Dataset(splits, described["report"])


def _check(made: _Made, training: bool) -> list[str]:
    fatal: list[str] = []
    warnings: list[str] = []
    for name in RetrievalDataset.SPLITS:
        part: RetrievalDataset = getattr(made.splits, name)
        if name != "test" and not part.queries and not (name == "train" and training):
            if name == "dev":
                warnings.append(NO_DEV)
            continue
        found = validate(part, name)
        fatal.extend(found.fatal)
        warnings.extend(found.warnings)
    if training and not made.splits.train.queries:
        # Where all questions were lost, the reason is in the notes.
        fatal.extend(note for note in made.notes if "left out" in note)
        fatal.append(
            "train: without questions nothing can be trained. Add training=none evaluation=base_only to compare what needs no "
            "training."
        )
    if fatal:
        raise DatasetError("The dataset is not usable:\n" + "\n".join(f"  - {problem}" for problem in fatal))
    return warnings


def _counts(splits: Splits) -> dict[str, Any]:
    parts: dict[str, RetrievalDataset] = {name: getattr(splits, name) for name in RetrievalDataset.SPLITS}
    return {
        "questions": {name: len(part.queries) for name, part in parts.items()},
        "chunks": {name: len(part.corpus) for name, part in parts.items()},
        "searched": {name: len(splits.searched(name).corpus) for name in ("dev", "test")},
        "origins": {
            name: dict(Counter(splits.origins[question_id] for question_id in part.queries))
            for name, part in parts.items()
        },
    }

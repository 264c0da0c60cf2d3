"""Stage ``dataset``: questions to train, dev and test; or a dataset that exists, read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from embft import typed_json
from embft.config import DatasetConfig
from embft.corpus.context import ContextReport
from embft.corpus.reading import ReadingReport
from embft.dataset.holding_back import NEAR_COPIES, rows_of
from embft.dataset.joining import split_questions
from embft.dataset.leaks import without_leaks
from embft.dataset.reading import dataset_files, read_given
from embft.dataset.splits_folder import read_splits, write_splits
from embft.dataset.training_questions import training_chunks, with_training_questions
from embft.dataset.validation import validate
from embft.errors import DatasetError
from embft.evaluation.realism import realism
from embft.files import digest, file_digest, write_jsonl
from embft.questions.evidence import by_page, pieces_of
from embft.records import Chunk, Page, RetrievalDataset, Splits, read_jsonl
from embft.results import Asked, Corpus, Dataset, DatasetReport, QuestionSet
from embft.stages import StageResult
from embft.steps.taken_over import HELD_BACK
from embft.steps.workspace import Workspace
from embft.text_map import digest_of_rows

NO_DEV = "There are no dev questions: the last epoch is kept and the fusion is an even mix."


@dataclass(frozen=True)
class _Draft:
    """Splits, with how many questions were left out by reason, and what a reader must know."""

    splits: Splits
    left_out: Mapping[str, int]
    notes: tuple[str, ...]


def make_dataset(
    workspace: Workspace,
    corpus: StageResult[Corpus] | None,
    asked: StageResult[Asked] | None,
    questions: StageResult[QuestionSet] | None,
) -> StageResult[Dataset]:
    """Makes or reads the dataset.

    Args:
        corpus: None where a dataset is read from files.
        asked: Dev and test questions; None where a dataset is read from files.
        questions: Without ``corpus``, those to train on (see `given_corpus`); None where the files have their own.

    Raises:
        DatasetError: A file is wrong, or a split is empty. All problems at once.
    """
    config, training = workspace.config.dataset, workspace.config.training.enabled
    titles_apart = _titles_apart(workspace)

    def build(folder: Path, scratch: Path) -> None:
        if corpus is not None and asked is not None and questions is not None:
            draft = _from_corpus(config, corpus.value, asked.value, questions.value, training)
            write_jsonl(folder / HELD_BACK, rows_of(asked.value.held))
        else:
            draft = _from_files(config, questions.value if questions else None, titles_apart)
        splits = draft.splits
        warnings = [*draft.notes, *_check(draft, training)]
        write_splits(folder, splits)
        report = _report(splits, draft.left_out, warnings)
        context = (corpus.value.context if corpus else None) or _context(splits, titles_apart)
        typed_json.save(folder / "report.json", replace(report, context=context))

    inputs = [corpus.key] if corpus is not None else [file_digest(path) for path in dataset_files(config)]
    inputs += [stage.key for stage in (asked, questions) if stage is not None]
    values = {"training": training, "titles apart": titles_apart}
    return workspace.run("dataset", build, _load, inputs=inputs, values=values)


def given_corpus(workspace: Workspace) -> StageResult[Corpus] | None:
    """The documents of a given dataset without train questions, as chunks to ask about; None where it has its own.

    Raises:
        DatasetError: A file is wrong.
    """
    config, titles_apart = workspace.config.dataset, _titles_apart(workspace)

    def build(folder: Path, scratch: Path) -> None:
        splits = read_given(config, config.seed, titles_apart).splits
        pages, chunks = ([], []) if splits.train.queries else training_chunks(splits, config)
        write_jsonl(folder / "pages.jsonl", pages)
        write_jsonl(folder / "chunks.jsonl", chunks)

    def load(folder: Path) -> Corpus:
        chunks = read_jsonl(folder / "chunks.jsonl", Chunk)
        pages = read_jsonl(folder / "pages.jsonl", Page)
        return Corpus(pages, chunks, ReadingReport(len(pages), len(pages), sum(len(page.text) for page in pages)))

    inputs = [file_digest(path) for path in dataset_files(config)]
    values = {"titles apart": titles_apart}
    documents = workspace.run("given_corpus", build, load, inputs=inputs, values=values)
    return documents if documents.value.chunks else None


def _titles_apart(workspace: Workspace) -> bool:
    """Whether a BEIR folder's titles are contexts; else each stands in its text once, as BEIR has it."""
    return workspace.config.dataset.kind == "beir" and workspace.config.corpus.context == "title"


def _context(splits: Splits, titles_apart: bool) -> ContextReport | None:
    """What the contexts of a dataset read from files are; None where it has none."""
    if not splits.test.contexts:
        return None
    searched = splits.searched("test").corpus
    report = ContextReport.of("title" if titles_apart else "given", splits.test.contexts, searched)
    return report if report.chunks else None


def _from_corpus(config: DatasetConfig, corpus: Corpus, asked: Asked, questions: QuestionSet, training: bool) -> _Draft:
    held = asked.held
    splits, left_out = split_questions(corpus.chunks, held, questions.questions, config, training=training)
    splits, leaking = without_leaks(splits)
    if leaking:
        left_out = {**left_out, NEAR_COPIES: left_out.get(NEAR_COPIES, 0) + leaking}
    chunks = by_page(corpus.chunks)
    pages = {(page.document, page.number): page for page in corpus.pages}
    evidence = {
        question.id: pieces
        for own in held.questions.values()
        for question in own
        if question.id in splits.origins and (pieces := pieces_of(question, chunks, pages))
    }
    return _Draft(replace(splits, evidence=evidence), left_out, _warnings(asked))


def _warnings(asked: Asked) -> tuple[str, ...]:
    warnings = asked.report.get("warnings")
    return tuple(map(str, warnings)) if isinstance(warnings, list) else ()


def _from_files(config: DatasetConfig, questions: QuestionSet | None, titles_apart: bool) -> _Draft:
    given = read_given(config, config.seed, titles_apart)
    if questions is None:
        return _Draft(given.splits, {}, given.notes)
    splits, left_out = with_training_questions(given.splits, questions.questions, config, config.seed)
    where = (
        "all documents, those of test questions too" if config.train_on == "all" else "documents of no test question"
    )
    note = f"The dataset has no train questions: {len(splits.train.queries):,} were written about {where}."
    return _Draft(splits, left_out, (*given.notes, note))


def _load(folder: Path) -> Dataset:
    return Dataset(read_splits(folder), typed_json.load(DatasetReport, folder / "report.json"))


def _check(draft: _Draft, training: bool) -> list[str]:
    fatal: list[str] = []
    warnings: list[str] = []
    for name in RetrievalDataset.SPLITS:
        part: RetrievalDataset = getattr(draft.splits, name)
        if part.queries or name == "test":
            problems = validate(part, name)
            fatal.extend(problems.fatal)
            warnings.extend(problems.warnings)
    if not draft.splits.dev.queries:
        warnings.append(NO_DEV)
    if training and not draft.splits.train.queries:
        # Where all questions were lost, the reason is in the notes.
        fatal.extend(note for note in draft.notes if "left out" in note)
        fatal.append(
            "train: without questions nothing can be trained. Add training=none evaluation=base_only to compare what needs "
            "no training."
        )
    if fatal:
        raise DatasetError("The dataset is not usable:\n" + "\n".join(f"  - {problem}" for problem in fatal))
    return warnings


def _report(splits: Splits, left_out: Mapping[str, int], warnings: list[str]) -> DatasetReport:
    parts: dict[str, RetrievalDataset] = {name: getattr(splits, name) for name in RetrievalDataset.SPLITS}
    return DatasetReport(
        questions={name: len(part.queries) for name, part in parts.items()},
        chunks={name: len(part.corpus) for name, part in parts.items()},
        searched={name: len(splits.searched(name).corpus) for name in ("dev", "test")},
        origins={
            name: dict(Counter(splits.origins[question_id] for question_id in part.queries))
            for name, part in parts.items()
        },
        left_out=dict(left_out),
        warnings=warnings,
        realism=realism(splits),
        asked={name: digest(sorted(parts[name].queries.items())) for name in ("dev", "test")},
        cut=digest_of_rows(splits.searched("test").corpus.items()),
    )

"""What there is to label: chunks and questions of a run, or of documents and a file of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from embft.config import ExperimentConfig
from embft.config.composing import as_config
from embft.corpus import chunk_corpus
from embft.dataset.formats import read_llama_index
from embft.errors import EmbftError, RunError
from embft.files import iter_jsonl
from embft.questions.human_files import read_human
from embft.records import RetrievalDataset


@dataclass(frozen=True)
class Passage:
    """A chunk as it is shown."""

    text: str
    document: str = ""
    page: int | None = None


@dataclass(frozen=True)
class LabelSource:
    """Chunks, questions, and what the systems found.

    Attributes:
        name: Shown above the page.
        config: Whose settings BM25 searches with.
        passages: By chunk id.
        indexed: By chunk id, the text that is searched: with its context.
        questions: To be judged, each once, in order.
        pools: Question to the chunk ids that the run's systems found, each system's first ones; a question that no run
            ranked has none.
        asked: Chunk ids that a question is about already.
    """

    name: str
    config: ExperimentConfig
    passages: Mapping[str, Passage]
    indexed: Mapping[str, str]
    questions: Sequence[str]
    pools: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()


def of_documents(config: ExperimentConfig, questions: str | None) -> LabelSource:
    """Reads and cuts documents as a run with the same settings does.

    Raises:
        CorpusError: See `embft.corpus.chunk_corpus`.
        QuestionError: The file of questions cannot be read.
    """
    _, chunks, _ = chunk_corpus(config.corpus, Path(config.cache_dir))
    passages = {chunk.id: Passage(chunk.text, chunk.document, chunk.page) for chunk in chunks}
    name = Path(config.corpus.path).name if config.corpus.path else config.corpus.name
    indexed = {chunk.id: chunk.text for chunk in chunks}
    return LabelSource(name, config, passages, indexed, _questions_of(questions))


def of_run(folder: Path, questions: str | None) -> LabelSource:
    """Takes the chunks of a finished run, and its test questions with what its systems found, or a file of others.

    Raises:
        RunError: It is no folder of a finished run.
        QuestionError: The file of questions cannot be read.
    """
    config = _config_of(folder)
    parts = [folder / "dataset" / f"{name}.json" for name in ("train", "dev", "test", "distractors")]
    datasets = {path.stem: read_llama_index(path) for path in parts if path.is_file()}
    if "test" not in datasets or not (folder / "per_query.jsonl").is_file():
        raise RunError(f"{folder} has no dataset/test.json and per_query.jsonl: it is no folder of a finished run.")
    passages: dict[str, Passage] = {}
    indexed: dict[str, str] = {}
    for dataset in datasets.values():
        passages |= {key: Passage(text) for key, text in dataset.corpus.items()}
        indexed |= dict(dataset.indexed)
    passages |= _places(config, passages)
    pools, texts = _pools(folder / "per_query.jsonl")
    return LabelSource(
        f"{folder.name}",
        config,
        passages,
        dict(sorted(indexed.items())),
        _questions_of(questions) if questions else texts,
        pools,
        frozenset(_asked(datasets)),
    )


def _questions_of(file: str | None) -> list[str]:
    rows = read_human(file) if file else []
    return list(dict.fromkeys(row.question.strip() for row in rows))


def _asked(datasets: Mapping[str, RetrievalDataset]) -> set[str]:
    return {key for dataset in datasets.values() for keys in dataset.relevant_docs.values() for key in keys}


def _pools(path: Path) -> tuple[dict[str, list[str]], list[str]]:
    """By question, what any system found; and the questions."""
    pools: dict[str, list[str]] = {}
    try:
        for row in iter_jsonl(path):
            tops = [system["top"] for system in row["systems"].values()]
            pools[str(row["question"]).strip()] = list(dict.fromkeys(key for top in tops for key in top))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({type(error).__name__}). Run the experiment again.") from error
    return pools, list(pools)


def _config_of(folder: Path) -> ExperimentConfig:
    file = folder / "config.yaml"
    if not file.is_file():
        raise RunError(f"{folder} has no config.yaml: it is no folder of a run.")
    from embft.config.experiment import ExperimentConfig as Schema

    try:
        return as_config(OmegaConf.merge(OmegaConf.structured(Schema), OmegaConf.load(file)))
    except (OmegaConfBaseException, EmbftError, OSError, ValueError) as error:
        raise RunError(f"{file} is not a configuration of this version: {error}") from error


def _places(config: ExperimentConfig, passages: Mapping[str, Passage]) -> dict[str, Passage]:
    """Documents and pages, where the run's documents are still there. Without them a passage is shown alone."""
    if config.dataset.kind != "generated":
        return {}
    try:
        _, chunks, _ = chunk_corpus(config.corpus, Path(config.cache_dir))
    except EmbftError:
        return {}
    return {
        chunk.id: Passage(passages[chunk.id].text, chunk.document, chunk.page) for chunk in chunks if chunk.id in passages
    }

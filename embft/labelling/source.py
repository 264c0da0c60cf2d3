"""What there is to label: chunks and questions of a run, or of documents and a file of questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embft.config import ExperimentConfig, RetrievalConfig
from embft.corpus.chunked import chunk_corpus
from embft.corpus.context import contexts_of
from embft.embedded_text import IndexedCorpus
from embft.errors import EndpointError, RunError
from embft.files import iter_jsonl
from embft.questions.human_files import read_human
from embft.services.key import read_key
from embft.serving.run_files import RunFiles, read_run

if TYPE_CHECKING:
    from embft.serving.answering import Answering

_PAID = ("openai", "reranked")
"""Systems that may ask a paid API, or take seconds, for each question: a page does not ask them while somebody waits."""


@dataclass(frozen=True)
class Passage:
    """A chunk as it is shown."""

    text: str
    document: str | None = None
    page: int | None = None


@dataclass(frozen=True)
class LabelSource:
    """Chunks, questions, and what the systems found.

    Attributes:
        name: Shown above the page.
        retrieval: The settings of BM25.
        passages: By chunk id.
        indexed: By chunk id, what is searched.
        questions: To be judged, each once, in order.
        pools: Question to the chunk ids that the run's systems found, each system's first ones.
        search: The first so many chunks of each system for a question that has no pool; None: BM25 alone is asked.
        asked: Chunk ids that a question is about already.
        notes: What whoever labels should know first, a sentence each.
    """

    name: str
    retrieval: RetrievalConfig
    passages: Mapping[str, Passage]
    indexed: IndexedCorpus
    questions: Sequence[str]
    pools: Mapping[str, Sequence[str]] = field(default_factory=dict)
    search: Callable[[str, int], list[str]] | None = None
    asked: frozenset[str] = frozenset()
    notes: Sequence[str] = ()


def of_documents(config: ExperimentConfig, questions: str | None) -> LabelSource:
    """Reads and cuts documents as a run with the same settings does.

    Raises:
        CorpusError: See `embft.corpus.chunked.chunk_corpus`.
        QuestionError: The file of questions cannot be read.
    """
    pages, chunks, _ = chunk_corpus(config.corpus, Path(config.cache_dir))
    passages = {chunk.id: Passage(chunk.text, chunk.document, chunk.page) for chunk in chunks}
    kind = config.corpus.context
    # A page asks no LLM, and has no dev questions to choose by; a run does and has.
    contexts = contexts_of(pages, chunks, kind) if kind in {"title", "headings"} else {}
    indexed = IndexedCorpus({chunk.id: chunk.text for chunk in chunks}, contexts)
    name = Path(config.corpus.path).name if config.corpus.path else config.corpus.name
    return LabelSource(name, config.retrieval, passages, indexed, _questions_of(questions))


def of_run(folder: Path, questions: str | None) -> LabelSource:
    """Takes the chunks of a finished run, and its test questions with what its systems found, or a file of others.

    Raises:
        RunError: It is no folder of a finished run.
        QuestionError: The file of questions cannot be read.
        ModelError: Other questions are asked, and the run's model is not available.
    """
    run = read_run(folder)
    pools = _pools(folder / "per_query.jsonl")
    texts = _questions_of(questions) if questions else list(pools)
    search, notes = _search(run) if any(text not in pools for text in texts) else (None, ())
    return LabelSource(
        folder.name,
        run.config.retrieval,
        {row.id: Passage(row.text, row.document, row.page) for row in run.chunks.values()},
        run.test.indexed,
        texts,
        pools,
        search,
        frozenset(key for keys in run.test.relevant_docs.values() for key in keys),
        notes,
    )


def _search(run: RunFiles) -> tuple[Callable[[str, int], list[str]] | None, tuple[str, ...]]:
    """Every system of the run that costs nothing to ask, and a sentence about those that are not asked.

    Where an API stands in the model's place it is asked for the vector of each question, by its key; without the key BM25
    alone is asked.
    """
    from embft.serving.answering import Answering, Asked

    model = run.config.model
    if model.kind == "endpoint":
        try:
            key = read_key(model.endpoint.api_key_env, "The run's model", "model.endpoint")
        except EndpointError as error:
            return None, (f"{error} Until then BM25 alone looks for chunks of questions that the run did not rank.",)
        where = model.endpoint.base_url or "OpenAI's API"
        paid = f"by the key in ${model.endpoint.api_key_env}" if key else "which takes no key"
        notes: tuple[str, ...] = (
            f"{where} is asked for the vector of each question that the run did not rank, {paid}.",
        )
    else:
        notes = ()
    answering: Answering = Answering(run)
    systems = [system for system in run.setup.systems if system not in _PAID]

    def search(question: str, first: int) -> list[str]:
        ranked = [answering.search(system, [Asked(question)])[0][:first] for system in systems]
        return list(dict.fromkeys(hit.chunk.id for hits in ranked for hit in hits))

    return search, notes


def _questions_of(file: str | None) -> list[str]:
    rows = read_human(file) if file else []
    return list(dict.fromkeys(row.question.strip() for row in rows))


def _pools(path: Path) -> dict[str, list[str]]:
    """By question, what any system found, in the run's order of questions."""
    pools: dict[str, list[str]] = {}
    try:
        for row in iter_jsonl(path):
            tops = [system["top"] for system in row["systems"].values()]
            pools[str(row["question"]).strip()] = list(dict.fromkeys(key for top in tops for key in top))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} cannot be read ({type(error).__name__}). Run the experiment again.") from error
    return pools

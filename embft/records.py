"""The small immutable records that stages hand to each other, and their JSON Lines form.

The words are those of the README: a document has pages, pages are cut into chunks, questions are about chunks, and a
system's ranking orders chunks for each question.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from embft.embedded_text import IndexedCorpus
from embft.files import iter_jsonl

_Record = TypeVar("_Record", "Page", "Chunk", "Question")


MODEL_FOLDER, HELD_OUT_FOLDER = "model", "model_heldout"
"""Of a run: the model that ships, and the one that was judged where the first was trained on everything afterwards."""


@dataclass(frozen=True)
class Page:
    """One page of a document after cleaning.

    Attributes:
        document: The document's name: its path below the corpus folder, or the topic's name.
        number: Counted from 1 as a PDF viewer counts; None where the format has no pages.
        text: Cleaned text; hard-wrapped lines are joined, paragraphs are separated by a blank line.
        title: The document's, as `embft.corpus.titles` chose it; empty where nothing says what it is.
        headings: Places in ``text`` from which on a path of headings holds, and that path, the highest level first.
    """

    document: str
    number: int | None
    text: str
    title: str = ""
    headings: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        places = tuple((int(start), tuple(path)) for start, path in self.headings)
        object.__setattr__(self, "headings", places)

    def headings_at(self, place: int) -> tuple[str, ...]:
        """The path of headings that a place in the text stands under."""
        at = bisect_right(self.headings, place, key=lambda heading: heading[0])
        return self.headings[at - 1][1] if at else ()


@dataclass(frozen=True)
class Chunk:
    """The unit that retrieval returns.

    Attributes:
        id: Stable: a hash of document, page and text (equal chunks of one page differ by a suffix).
        text: ``page.text[start:end]``.
        start, end: Character span in the text of its page.
        context: What is embedded and indexed before its text (`embft.embedded_text`); never part of ``text``.
    """

    id: str
    text: str
    document: str
    page: int | None
    start: int
    end: int
    context: str = ""


@dataclass(frozen=True)
class Place:
    """A stretch of a page: where an answer stands, regardless of how pages are cut into chunks.

    Attributes:
        start, end: Character span in the text of the page.
        text: What stands there; empty where that is a whole page or more.
    """

    document: str
    page: int | None
    start: int
    end: int
    text: str = ""


@dataclass(frozen=True)
class Question:
    """A query and the chunks that answer it.

    Attributes:
        id: Stable: a hash of text and chunks.
        chunk_ids: Relevant chunks, never empty.
        origin: What made it: ``extractive``, ``openai``, ``human``...
        evidence: The quote that answers it, where one is known.
        grades: How relevant each of the chunks is, from 1; empty where all are 1.
        count: How often it was asked, in a query log.
        places: Where its evidence stands: alternatives, each of one place or, over the end of a page, of two. Empty where it
            is known by its chunks alone.
        whole: An alternative has to be read whole to answer (a quote); false where any chunk of it may (a page, a passage).
    """

    id: str
    text: str
    chunk_ids: tuple[str, ...]
    origin: str
    evidence: str | None = None
    grades: tuple[int, ...] = ()
    count: int = 1
    places: tuple[tuple[Place, ...], ...] = ()
    whole: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "chunk_ids", tuple(self.chunk_ids))
        object.__setattr__(self, "grades", tuple(self.grades))
        places = (tuple(_place(one) for one in alternative) for alternative in self.places)
        object.__setattr__(self, "places", tuple(places))


def _place(value: Place | Mapping[str, Any]) -> Place:
    """A place, also from JSON."""
    return value if isinstance(value, Place) else Place(**value)


@dataclass(frozen=True)
class Piece:
    """What a chunk holds of an alternative of a question's evidence.

    Attributes:
        first, last: Which of the alternative's characters, white space not counted; ``last`` is the one after.
        tokens: Of the chunk, up to where its part of the evidence ends.
    """

    chunk_id: str
    first: int
    last: int
    tokens: int


@dataclass(frozen=True)
class RetrievalDataset:
    """The three maps that LlamaIndex, BEIR and sentence-transformers' evaluators share.

    Attributes:
        queries: Question id to text.
        corpus: Chunk id to text: everything that a ranking of this dataset searches.
        relevant_docs: Question id to the ids of its relevant chunks.
        grades: Question id to chunk id to how relevant the chunk is. A relevant chunk that is not named has grade 1.
        excluded: Question id to chunks that are left out of its ranking: its own copy in the corpus.
        notes: What a reader passed over or understood in its own way, one sentence each.
        contexts: Chunk id to what is embedded and indexed before its text; may name chunks of other splits too.
        not_relevant: Question id to chunks that were judged and are not relevant; most datasets name none.
    """

    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    relevant_docs: Mapping[str, tuple[str, ...]]
    grades: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)
    contexts: Mapping[str, str] = field(default_factory=dict)
    not_relevant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    SPLITS: ClassVar[tuple[str, ...]] = ("train", "dev", "test")

    @property
    def indexed(self) -> IndexedCorpus:
        """The corpus as it is embedded and indexed, each chunk's text behind its context."""
        return IndexedCorpus(self.corpus, self.contexts)

    def grade(self, question_id: str, chunk_id: str) -> int:
        """How relevant a chunk is: 0 where it is not."""
        if chunk_id not in self.relevant_docs.get(question_id, ()):
            return 0
        return self.grades.get(question_id, {}).get(chunk_id, 1)

    def with_questions(self, question_ids: Iterable[str], corpus: Mapping[str, str] | None = None) -> RetrievalDataset:
        """Those questions alone, in their order, over the same corpus or another one."""
        kept = [key for key in dict.fromkeys(question_ids) if key in self.queries]
        return RetrievalDataset(
            {key: self.queries[key] for key in kept},
            self.corpus if corpus is None else corpus,
            {key: self.relevant_docs[key] for key in kept if key in self.relevant_docs},
            {key: self.grades[key] for key in kept if key in self.grades},
            {key: self.excluded[key] for key in kept if key in self.excluded},
            self.notes,
            self.contexts,
            {key: self.not_relevant[key] for key in kept if key in self.not_relevant},
        )


@dataclass(frozen=True)
class Splits:
    """A dataset in train, dev and test, and what dev and test questions search.

    No chunk stands in the corpus of two splits, unless ``shares_chunks`` says so.

    Attributes:
        distractors: Chunk id to text; chunks that stand in no split but are searched.
        searches: For ``dev`` and ``test``, the names of the parts whose chunks their questions search.
        origins: Question id to what made it (``human``, ``extractive``, ``file``...).
        sources: Id of a train question that was cut out of its passage, to the sentence it was cut from.
        counts: How often a question was asked, where that is known to be more than once.
        evidence: Id of a dev or test question to the alternatives of its evidence, each the pieces that chunks hold of it.
            A question that is not named is answered by any relevant chunk.
        keeps_dev: Dev and test questions were fixed before the corpus was cut into chunks, so they stay although both may be
            about one chunk.
        shares_chunks: Train questions are about chunks of dev and test too, on purpose (``dataset.train_on=all``).
    """

    train: RetrievalDataset
    dev: RetrievalDataset
    test: RetrievalDataset
    distractors: Mapping[str, str]
    searches: Mapping[str, tuple[str, ...]]
    origins: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, tuple[tuple[Piece, ...], ...]] = field(default_factory=dict)
    keeps_dev: bool = False
    shares_chunks: bool = False

    EVERYTHING: ClassVar[tuple[str, ...]] = ("train", "dev", "test", "distractors")

    def searched(self, split: str) -> RetrievalDataset:
        """Returns the named split (``dev`` or ``test``) with the corpus that its questions search.

        Chunk ids are sorted, so that the order of files never decides a tie. Splits that search the same parts share a corpus.
        """
        parts = tuple(self.searches[split])
        if parts not in self._corpora:
            corpus: dict[str, str] = {}
            for part in parts:
                corpus.update(self.distractors if part == "distractors" else getattr(self, part).corpus)
            self._corpora[parts] = dict(sorted(corpus.items()))
        own: RetrievalDataset = getattr(self, split)
        return replace(own, corpus=self._corpora[parts])

    @cached_property
    def _corpora(self) -> dict[tuple[str, ...], Mapping[str, str]]:
        return {}

    def with_contexts(self, contexts: Mapping[str, str]) -> Splits:
        """The same with a context for chunks of any part, distractors included."""
        train, dev, test = (replace(part, contexts=contexts) for part in (self.train, self.dev, self.test))
        return replace(self, train=train, dev=dev, test=test)


@dataclass(frozen=True)
class Passages:
    """What is embedded for a corpus: whole chunks, or windows of them.

    Attributes:
        chunk_ids: The corpus's chunks, in its order.
        texts: One per window, windows of a chunk side by side.
        owner: int64 [n_windows], not decreasing: position in ``chunk_ids`` of the chunk that a window belongs to.
    """

    chunk_ids: tuple[str, ...]
    texts: Sequence[str]
    owner: npt.NDArray[np.int64]

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64 [n_chunks]: where each chunk's windows begin."""
        return np.searchsorted(self.owner, np.arange(len(self.chunk_ids)))


@dataclass(frozen=True)
class Ranking:
    """A system's ordered chunks for each question (TREC: a run), best first.

    Attributes:
        system: ``bm25``, ``base``, ``tuned``, ``fused`` or ``openai``.
        score_name: Prefix of its metric names: ``cosine``, ``dot``, ``bm25`` or ``fused``.
        chunk_ids: Question id to chunk ids, at most the ranking depth long.
        scores: Question id to scores, parallel to ``chunk_ids``, not increasing.
    """

    system: str
    score_name: str
    chunk_ids: Mapping[str, tuple[str, ...]]
    scores: Mapping[str, tuple[float, ...]]


def read_jsonl(path: Path, kind: type[_Record]) -> list[_Record]:
    """Reads records of one kind written by `embft.files.write_jsonl`."""
    names = {item.name for item in fields(kind)}
    return [kind(**{key: value for key, value in row.items() if key in names}) for row in iter_jsonl(path)]

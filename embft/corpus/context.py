"""What stands before a chunk where it is embedded and indexed: its document's title, or title and headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embft.records import Chunk, Page
from embft.text.tokens import count

ARROW = " > "
"""Between a title and headings."""
_EXAMPLES = 3


@dataclass(frozen=True)
class ContextReport:
    """What contexts there are, and what they add.

    Attributes:
        kind: ``title``, ``headings``, ``llm``, or ``given`` where the dataset's files hold them.
        chunks: That have one.
        distinct: Different ones.
        tokens: Model-independent tokens of the contexts of all chunks, each counted once a chunk. Windows repeat them.
        text_tokens: Of the texts of all chunks.
        examples: Some of them.
        llm: What asking an LLM took.
    """

    kind: str
    chunks: int
    distinct: int
    tokens: int
    text_tokens: int
    examples: Sequence[str] = ()
    llm: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, contexts: Mapping[str, str], texts: Mapping[str, str]) -> ContextReport:
        """Counts; ``contexts`` and ``texts`` are by chunk id."""
        given = {key: contexts[key] for key in texts if contexts.get(key)}
        tokens = {context: count(context) for context in set(given.values())}
        distinct = list(dict.fromkeys(given.values()))
        return cls(
            kind,
            len(given),
            len(distinct),
            sum(tokens[context] for context in given.values()),
            sum(map(count, texts.values())),
            distinct[:: max(1, len(distinct) // _EXAMPLES)][:_EXAMPLES],
        )

    @property
    def sentence(self) -> str:
        """For log, report and model card."""
        what = {
            "title": "its document's title",
            "headings": "its document's title and headings",
            "llm": "a sentence by an LLM",
            "given": "the context that its file gives it",
        }[self.kind]
        share = self.tokens / self.text_tokens if self.text_tokens else 0.0
        example = f', such as "{self.examples[0]}"' if self.examples else ""
        return (
            f"Each chunk, and each of its windows, is embedded and indexed behind {what}{example}: "
            f"{self.chunks:,} chunks, {self.distinct:,} different contexts, {self.tokens / max(self.chunks, 1):.1f} tokens each "
            f"({share:+.0%} text)."
        )


@dataclass(frozen=True)
class ContextChoice:
    """What dev says of titles.

    Attributes:
        kind: The one taken: ``none`` or ``title``.
        metric: The dev metric that chose, of the base model.
        questions: Dev questions.
        means: By kind, the metric.
        expected_loss: By kind, against the best of the two, see `embft.evaluation.bootstrap.prospects_of`.
    """

    kind: str
    metric: str
    questions: int
    means: Mapping[str, float]
    expected_loss: Mapping[str, float]

    @property
    def sentence(self) -> str:
        """For log and report."""
        taken = "Titles stand before the chunks" if self.kind == "title" else "Titles do not stand before the chunks"
        return (
            f"{taken}: on {self.questions:,} dev questions the base model has {self.metric} {self.means['none']:.3f} without and "
            f"{self.means['title']:.3f} with each document's title (corpus.context=auto)."
        )


@dataclass(frozen=True)
class UntriedTitles:
    """Why ``corpus.context=auto`` left titles out without a trial.

    Attributes:
        reason: What was missing for a trial.
    """

    reason: str
    kind: str = "none"

    @property
    def sentence(self) -> str:
        """For log and report."""
        return f"Titles were not tried, and do not stand before the chunks (corpus.context=auto): {self.reason}"


def titles_differ(pages: Sequence[Page]) -> bool:
    """Whether there is more than one title, so that titles tell documents apart."""
    return len({page.title for page in pages if page.title}) > 1


def contexts_of(pages: Sequence[Page], chunks: Sequence[Chunk], kind: str) -> dict[str, str]:
    """Chunk id to context; chunks of documents that have neither title nor headings are left out.

    Args:
        pages: With titles and headings.
        chunks: Of these pages.
        kind: ``none``, ``title`` or ``headings``.
    """
    if kind == "none":
        return {}
    place = {(page.document, page.number): page for page in pages}
    contexts = {chunk.id: context_at(place[chunk.document, chunk.page], chunk.start, kind) for chunk in chunks}
    return {key: context for key, context in contexts.items() if context}


def context_at(page: Page, place: int, kind: str) -> str:
    """The title, and with ``headings`` those above a place of the page that say something else."""
    parts = [page.title, *(page.headings_at(place) if kind == "headings" else ())]
    kept: list[str] = []
    for part in parts:
        if part and part.casefold() not in {other.casefold() for other in kept}:
            kept.append(part)
    return " ".join(ARROW.join(kept).split())

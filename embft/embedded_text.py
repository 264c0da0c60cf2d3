"""The one place that says which text of a chunk is embedded and indexed: its context, then its own text.

A chunk of a long document does not say whose it is. Its context does: the document's title and headings, or a sentence by an
LLM (``corpus.context``). Every searcher, BM25, training, serving and export go through here, so that they see the same text.
What is quoted, asked about, compared for copies and shown is the chunk's own text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import eq

SEPARATOR = "\n"
"""Between a context, which is one line, and a text."""


def embedded_text(context: str, text: str) -> str:
    """What is embedded of a chunk, or of a window of it: the text alone where it has no context."""
    return f"{context}{SEPARATOR}{text}" if context else text


def prefix_of(context: str) -> str:
    """What stands before the chunk's own text in `embedded_text`."""
    return embedded_text(context, "")


def own_text(context: str, embedded: str) -> str:
    """The other way: a window's own text, also where the window carries the beginning of a long context alone."""
    head, separator, rest = embedded.partition(SEPARATOR)
    return rest if head and separator and context.startswith(head) else embedded


@dataclass(frozen=True, eq=False)
class IndexedCorpus(Mapping[str, str]):
    """A corpus as it is embedded and indexed: chunk id to `embedded_text`.

    What cuts texts further takes the two parts from here, so that each piece gets the whole context.

    Attributes:
        own: Chunk id to the chunk's own text.
        contexts: Chunk id to its context; a chunk that is missing has none. May name other chunks too.
    """

    own: Mapping[str, str]
    contexts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Mapping[str, str]) -> IndexedCorpus:
        """The corpus itself, or plain texts as chunks without context."""
        return corpus if isinstance(corpus, IndexedCorpus) else cls(corpus)

    def __getitem__(self, chunk_id: str) -> str:
        """The text that is embedded."""
        return embedded_text(self.context(chunk_id), self.own[chunk_id])

    def __iter__(self) -> Iterator[str]:
        """Chunk ids, in the corpus's order."""
        return iter(self.own)

    def __len__(self) -> int:
        """Number of chunks."""
        return len(self.own)

    def same_in_order(self, other: IndexedCorpus) -> bool:
        """Whether the other one has the same chunks, with the same contexts, at the same places.

        Then what was worked out by places in the one is right for the other. Equal mappings may have another order.
        """
        if self.own is not other.own and (
            len(self) != len(other) or not all(map(eq, self.own.items(), other.own.items()))
        ):
            return False
        return self.contexts == other.contexts

    def context(self, chunk_id: str) -> str:
        """A chunk's context; empty where it has none."""
        return self.contexts.get(chunk_id, "")

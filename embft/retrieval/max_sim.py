"""Late interaction: every token of a question looks for its closest token in a chunk.

One vector a text has to say everything at once. Here a text has a vector for each of its tokens, and a chunk's score is the mean,
over the question's tokens, of the best cosine among the chunk's tokens: MaxSim (Khattab and Zaharia, "ColBERT: Efficient and
Effective Passage Search via Contextualized Late Interaction over BERT", SIGIR 2020, section 3.3; they take the sum).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from embft.models.vectors import TokenVectors
from embft.records import Passages
from embft.retrieval.scoring import Scores

_BLOCK_BYTES = 64 << 20
"""Cosines of tokens worked out at once."""
_WINDOWS = 256
"""Windows embedded at once, or one chunk's: their token vectors are held no longer than they are needed."""


def max_sim(questions: TokenVectors, passages: TokenVectors, chunk_starts: npt.NDArray[np.int64]) -> Scores:
    """Scores chunks for questions; float32 [n_questions, n_chunks], each a mean of cosines.

    Args:
        questions: Their tokens.
        passages: Of the chunks' windows.
        chunk_starts: int64 [n_chunks]: where each chunk's windows begin.
    """
    first_tokens = passages.starts[chunk_starts]
    ends = np.append(questions.starts[1:], len(questions.vectors))
    lengths = (ends - questions.starts).astype(np.float32)
    scores = np.empty((len(questions.starts), len(chunk_starts)), np.float32)
    room = max(1, _BLOCK_BYTES // (4 * len(passages.vectors)))  # tokens of questions
    start = 0
    while start < len(scores):
        first = questions.starts[start]
        stop = max(start + 1, int(np.searchsorted(ends, first + room, side="right")))
        cosines = passages.vectors @ questions.vectors[first : ends[stop - 1]].T  # (T, Q)
        best = np.maximum.reduceat(cosines, first_tokens, axis=0)  # (C, Q)
        sums = np.add.reduceat(best, questions.starts[start:stop] - first, axis=1)  # (C, B)
        scores[start:stop] = (sums / lengths[start:stop]).T
        start = stop
    return scores


def blocks_of_chunks(passages: Passages) -> Iterator[tuple[slice, slice]]:
    """Cuts a corpus in blocks of whole chunks; yields the chunks of a block, and their windows."""
    starts = [*passages.starts.tolist(), len(passages.texts)]
    first = 0
    while first < len(starts) - 1:
        stop = first + 1
        while stop < len(starts) - 1 and starts[stop + 1] - starts[first] <= _WINDOWS:
            stop += 1
        yield slice(first, stop), slice(starts[first], starts[stop])
        first = stop

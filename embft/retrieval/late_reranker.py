"""Late interaction as a reranker: token vectors of the candidates alone, so that there is no index of tokens.

A block of chunks is embedded once for all questions that have one of them among their candidates, and let go again: memory
is flat at any number of questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from embft.embedded_text import IndexedCorpus
from embft.models.token_vectors import token_vectors
from embft.models.vectors import TokenVectors
from embft.retrieval.candidates import Candidates, Scores
from embft.retrieval.embedder import Embedder
from embft.retrieval.max_sim import blocks_of_chunks, max_sim


class LateReranker:
    """See `embft.retrieval.candidates.Reranker`. MaxSim by the run's own model, see `embft.retrieval.max_sim`."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """The model and what it gives."""
        return f"token vectors of {self._embedder.open_model.name}"

    @property
    def identity(self) -> str:
        """Weights, prompts, and how chunks are cut in windows."""
        encoder, retrieval = self._embedder.open_model, self._embedder.retrieval
        prompts = f"{encoder.query_prompt}\0{encoder.document_prompt}"
        # 2: scores stored under the first name may be another chunk's of the same length.
        return f"late2:{encoder.query_identity}:{retrieval.window_tokens}:{retrieval.window_overlap}:{prompts}"

    def check(self) -> None:
        """The run's own model was tried before."""

    def requests_for(self, texts: int) -> int:
        """None: the model is here."""
        return 0

    def scores(self, candidates: Sequence[Candidates]) -> Iterator[tuple[int, Scores]]:
        """See `Reranker`. Every score is a mean of cosines."""
        if not candidates:
            return
        encoder = self._embedder.open_model
        texts = {key: one.corpus.own[key] for one in candidates for key in one.chunk_ids}
        texts = dict(sorted(texts.items(), key=lambda item: -len(item[1])))  # of like length: little padding in a batch
        contexts = {key: one.corpus.context(key) for one in candidates for key in one.chunk_ids}
        asked_by: dict[str, list[tuple[int, int]]] = {}
        for row, one in enumerate(candidates):
            for place, key in enumerate(one.chunk_ids):
                asked_by.setdefault(key, []).append((row, place))
        scores = [np.empty(len(one.texts), np.float32) for one in candidates]
        missing = [len(one.texts) for one in candidates]
        questions = token_vectors(encoder, encoder.model, [one.question for one in candidates], queries=True)
        passages = self._embedder.windows(IndexedCorpus(texts, contexts))
        chunk_ids = passages.chunk_ids
        for chunks, windows in blocks_of_chunks(passages):
            vectors = token_vectors(encoder, encoder.model, passages.texts[windows], queries=False)
            wanted = [(column, pair) for column, key in enumerate(chunk_ids[chunks]) for pair in asked_by[key]]
            rows = sorted({row for _, (row, _) in wanted})
            table = max_sim(_of_texts(questions, rows), vectors, passages.starts[chunks] - windows.start)
            at = {row: position for position, row in enumerate(rows)}
            for column, (row, place) in wanted:
                scores[row][place] = table[at[row], column]
                missing[row] -= 1
            for row in rows:
                if not missing[row]:
                    missing[row] = -1
                    yield row, np.round(scores[row], 6)


def _of_texts(vectors: TokenVectors, rows: Sequence[int]) -> TokenVectors:
    """The token vectors of some texts alone."""
    ends = np.append(vectors.starts[1:], len(vectors.vectors))
    parts = [vectors.vectors[vectors.starts[row] : ends[row]] for row in rows]
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return TokenVectors(np.concatenate(parts), starts.astype(np.int64))

"""Documents to label are read, cut and indexed as a run with the same settings does."""

from __future__ import annotations

from pathlib import Path

from embft.labelling.command import _composed
from embft.labelling.source import of_documents


def test_chunks_are_indexed_behind_their_context_and_shown_without(tmp_path: Path) -> None:
    for name in ("warranty.txt", "shipping.txt"):
        (tmp_path / name).write_text("It takes three days.\n", encoding="utf-8")
    source = of_documents(
        _composed([f"corpus.path={tmp_path}", "corpus.context=title", f"cache_dir={tmp_path / 'cache'}"]), None
    )
    for key, passage in source.passages.items():
        assert passage.document is not None
        assert source.indexed[key] == f"{passage.document.removesuffix('.txt')}\n{passage.text}"

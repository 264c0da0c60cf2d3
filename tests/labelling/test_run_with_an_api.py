"""Questions of a file, about a run whose model is an API: asked by its key, or said to be BM25's alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from embft.config import EndpointConfig, ModelConfig
from embft.labelling.source import _search


def run(**endpoint: Any) -> Any:
    """As much of a run as is looked at before its systems are opened."""
    model = ModelConfig(name="openai", kind="endpoint", endpoint=EndpointConfig(**endpoint))
    return SimpleNamespace(config=SimpleNamespace(model=model))


def test_without_the_key_bm25_alone_is_asked_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMBFT_TEST_KEY", raising=False)
    search, (note,) = _search(run(api_key_env="EMBFT_TEST_KEY"))
    assert search is None
    assert "needs a key in the environment variable EMBFT_TEST_KEY, which is not set" in note
    assert "BM25 alone looks for chunks" in note

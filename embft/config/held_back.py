"""What dev and test ask, where no person does: settings of their own, so that nothing that is swept moves them."""

from __future__ import annotations

from dataclasses import dataclass

from embft.config.fields import choice, number
from embft.text.codes import NAMES


@dataclass
class HeldBackConfig:
    """Who writes the dev and test questions about a corpus, where no person asked any."""

    backend: str = choice("extractive", "extractive", "openai", "openai_batch", "local_llm")
    """As questions.backend, for dev and test alone: an LLM that writes train questions does not move them."""
    per_chunk: int = number(2, 1, 20)
    """Questions asked for about each passage (corpus.passage_tokens) that is held back."""
    seed: int = number(42, 0, 2**31 - 1)
    """Part of each request to an LLM about dev and test. Which passages these are: dataset.seed."""
    model: str | None = None
    """Name of the LLM; null: questions.model. Name it here where you sweep over that."""
    base_url: str | None = None
    """Address of the server; null: questions.base_url. The key is that of questions.api_key_env."""
    prompt: str = "article"
    """Name of a prompt in embft/questions/prompts, or the path of a file."""
    structured: str = choice("auto", "auto", "never")
    """As questions.structured."""
    filters: bool = True
    """Throw out what LLMs write besides good questions, as configs/questions/filters/llm.yaml does."""
    language: str = choice("corpus", "corpus", "auto", *NAMES)
    """Language of these questions; corpus: that of corpus.language; auto: each passage's own."""

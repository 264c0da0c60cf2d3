"""The settings of judging: who grades the chunks that nobody judged."""

from __future__ import annotations

from dataclasses import dataclass

from embft.config.fields import choice, number


@dataclass
class JudgingConfig:
    """How the first chunks of every system are judged where the dataset says nothing of them."""

    first: int = number(10, 1, 100)
    """Chunks of every system that are judged, and that judged@k counts."""
    relevant_from: int = number(2, 1, 3)
    """Grade of the judge from which a chunk counts as relevant: 1 on the topic, 2 answers in part, 3 answers."""
    check: int = number(100, 0, 100_000)
    """Chunks of which the dataset says whether they are relevant that the LLM grades too: the judge is judged by them."""
    backend: str = choice("openai", "openai", "local_llm")
    """openai: any OpenAI-compatible server; local_llm: a GGUF model on this machine."""
    model: str = "gpt-4o-mini"
    """Name of the LLM at the endpoint; for local_llm a GGUF file, or smollm2 for the packaged one."""
    base_url: str | None = None
    """Address of the server, such as http://localhost:8000/v1; null is OpenAI's."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; null for an endpoint without one."""
    structured: str = choice("auto", "auto", "never")
    """auto: ask for JSON by a schema, and without one where the server does not know them."""
    temperature: float = number(0.0, 0.0, 2.0)
    """Sampling temperature of the LLM."""
    reply_tokens: int = number(512, 16, 32768)
    """Longest reply."""
    dry_run: bool = False
    """Rank, print what judging would take and cost, ask nothing, and stop."""
    max_cost_usd: float | None = number(None, 0.0)
    """Stop before the judgements cost more, what earlier runs paid for them included."""
    max_tokens: int | None = number(None, 0)
    """Stop before the judgements take more tokens, prompts and replies together."""
    prices: str | None = None
    """A price table of your own, in the form of embft/prices.yaml."""
    concurrency: int = number(8, 1, 512)
    """Requests under way at once."""
    requests_per_minute: int | None = number(None, 1)
    """Requests started in a minute at most; null: as many as the server takes."""
    timeout_seconds: float = number(60.0, above=0.0)
    """How long a reply may take."""
    max_retries: int = number(5, 0, 100)
    """How often a failed request is sent again."""

"""The one price table, ``embft/prices.yaml``: what LLMs and embedding APIs cost."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files


def price_table() -> str:
    """The text of the table that embft carries."""
    return (files("embft") / "prices.yaml").read_text(encoding="utf-8")


def embedding_price(model: str) -> float | None:
    """US dollars per million tokens that an API embeds; None where the table does not have the model."""
    import yaml

    prices: Mapping[str, float] = yaml.safe_load(price_table())["embeddings"]
    return float(prices[model]) if model in prices else None


def rerank_prices(model: str) -> tuple[float | None, float | None]:
    """US dollars per thousand requests and per million tokens of a rerank API; None where it does not charge by that, or the
    table does not have the model.
    """
    import yaml

    entry: Mapping[str, float] = yaml.safe_load(price_table()).get("rerankers", {}).get(model, {})
    requests, tokens = entry.get("thousand_requests"), entry.get("million_tokens")
    return None if requests is None else float(requests), None if tokens is None else float(tokens)

"""The one price table, ``embft/prices.yaml``: what LLMs and embedding APIs cost."""

from __future__ import annotations

from importlib.resources import files
from typing import Any


def price_table() -> str:
    """The text of the table that embft carries."""
    return (files("embft") / "prices.yaml").read_text(encoding="utf-8")


def embedding_price(model: str) -> float | None:
    """US dollars per million tokens that an API embeds; None where the table does not have the model."""
    import yaml

    table: dict[str, Any] = yaml.safe_load(price_table())
    price = table["embeddings"].get(model)
    return None if price is None else float(price)

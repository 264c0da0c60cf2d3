"""What each system costs to run, from what was measured on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_FLOAT_BYTES = 4
_PRICES = {"text-embedding-ada-002": 0.10, "text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13}
"""US dollars a million tokens: the makers' lists of 2025. evaluation.openai.price_per_million_tokens goes before them."""
_DIMENSIONS = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}


def costs_of(
    systems: Sequence[str],
    measured: Mapping[str, Any],
    endpoint_model: str,
    price: float | None,
    base_rate: float | None = 0.0,
) -> dict[str, dict[str, Any]]:
    """Costs by system.

    Args:
        systems: Their names.
        measured: As `embft.steps.costs.measure_costs` gives it.
        endpoint_model: Name of the API's model.
        price: US dollars a million tokens; None takes the list's, where the model is on it.
        base_rate: The same of the base model: 0 where its weights are here, None where it is an API of unknown price.

    Returns:
        For each system ``vectors`` (0 for BM25), ``dimension``, ``tokens`` to embed once, ``vectors_per_second``,
        ``embed_seconds``, ``index_bytes``, ``query_ms`` (embedding and search) and ``dollars``; None where it does not
        apply or was not measured.
    """
    dense, lexical = measured["dense"], measured["bm25"]
    chunks = measured["chunks"]
    nothing = {"vectors": 0, "dimension": None, "tokens": 0, "vectors_per_second": None, "embed_seconds": 0.0}
    bm25 = {**nothing, "index_bytes": lexical["index_bytes"], "query_ms": lexical["query_ms"], "dollars": 0.0}
    own = dense and {
        "vectors": dense["vectors"],
        "dimension": dense["dimension"],
        "tokens": dense["tokens"],
        "vectors_per_second": dense["vectors_per_second"],
        "embed_seconds": _each(dense["vectors_per_second"], lambda speed: dense["vectors"] / speed),
        "index_bytes": dense["vectors"] * dense["dimension"] * _FLOAT_BYTES,
        "query_ms": dense["query_ms"],
        "dollars": _each(base_rate, lambda rate: rate * dense["tokens"] / 1e6),
    }
    rate = rate_of(endpoint_model, price)
    dimension = _DIMENSIONS.get(endpoint_model)
    api = {
        "vectors": chunks,
        "dimension": dimension,
        "tokens": measured["chunk_tokens"],
        "vectors_per_second": None,
        "embed_seconds": None,
        "index_bytes": chunks * dimension * _FLOAT_BYTES if dimension else None,
        "query_ms": None,
        "dollars": _each(rate, lambda rate: rate * measured["chunk_tokens"] / 1e6),
    }
    fused = dense and {
        **own,
        "index_bytes": own["index_bytes"] + bm25["index_bytes"],
        "query_ms": _each(own["query_ms"], lambda milliseconds: milliseconds + bm25["query_ms"]),
    }
    by_system = {"bm25": bm25, "base": own, "tuned": own, "fused": fused, "openai": api}
    return {name: dict(by_system[name]) for name in systems}


def rate_of(endpoint_model: str, price: float | None) -> float | None:
    """US dollars a million tokens: ``price``, or the list's, or None where the model is not on it."""
    return price if price is not None else _PRICES.get(endpoint_model)


def _each(value: float | None, reckon: Callable[[float], float]) -> float | None:
    """What follows from a figure; nothing follows from none."""
    return None if value is None else reckon(value)


def cost_sentence(system: str, costs: Mapping[str, Any], chunks: int) -> str:
    """What shipping a system costs, in one sentence."""
    if system == "bm25":
        return (
            f"It needs no vectors: an index of {_size(costs['index_bytes'])}, {_milliseconds(costs['query_ms'])} a question "
            "here."
        )
    read = f"{costs['vectors']:,} windows" if costs["vectors"] != chunks else "one vector each"
    by_token = costs["vectors"] == costs["tokens"] != chunks
    parts = f"{costs['vectors']:,} tokens, each with a vector" if by_token else f"{read}, {costs['tokens']:,} tokens"
    text = f"It takes embedding {chunks:,} chunks ({parts})"
    if costs["embed_seconds"] is not None:
        text += f": about {_duration(costs['embed_seconds'])} at {costs['vectors_per_second']:,.0f} a second here"
    if costs["dollars"]:
        text += f", {_dollars(costs['dollars'])} for the API"
    if costs["index_bytes"] is not None:
        text += f"; an index of {_size(costs['index_bytes'])}"
    if costs["query_ms"] is not None:
        text += f"; {_milliseconds(costs['query_ms'])} a question"
    return text + "."


def untried_sentence(measured: Mapping[str, Any]) -> str:
    """What would find more than one vector a window or a chunk, and the size of its index; empty without a model.

    Args:
        measured: As `costs_of` takes it, of a run without late interaction.
    """
    if measured["dense"] is None:
        return ""
    size = measured["chunk_tokens"] * measured["dense"]["dimension"] * _FLOAT_BYTES
    return f"Not tried here: the same model searched by a vector a token (retrieval=late), an index of {_size(size)}."


def cost_cells(costs: Mapping[str, Any]) -> list[str]:
    """A row of the table of costs: vectors, dimension, tokens, a second, to embed all, index, a question, money."""
    return [
        f"{costs['vectors']:,}" if costs["vectors"] else "–",
        _or_dash(costs["dimension"], "{:,}"),
        f"{costs['tokens']:,}" if costs["tokens"] else "–",
        _or_dash(costs["vectors_per_second"], "{:,.0f}"),
        _duration(costs["embed_seconds"]) if costs["embed_seconds"] else "–",
        "–" if costs["index_bytes"] is None else _size(costs["index_bytes"]),
        "–" if costs["query_ms"] is None else _milliseconds(costs["query_ms"]),
        _dollars(costs["dollars"]) if costs["dollars"] else "–",
    ]


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _dollars(value: float) -> str:
    return "under $0.01" if value < 0.005 else f"${value:,.2f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"

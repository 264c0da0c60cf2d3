"""What systems cost, in sentences and rows."""

from __future__ import annotations

from embft.evaluation.costs import MeasuredCosts, SystemCosts, late_index_bytes
from embft.wording import say, worded


def cost_sentence(costs: SystemCosts, chunks: int) -> str:
    """What shipping a system costs, in one sentence."""
    if not costs.vectors and costs.index_bytes is not None and costs.query_ms is not None:
        return say(
            "It needs no vectors: an index of {size}, {time} per question here.",
            size=_size(costs.index_bytes),
            time=_milliseconds(costs.query_ms),
        )
    text = say("It takes embedding {chunks:,} chunks ({parts})", chunks=chunks, parts=_embedded(costs, chunks))
    if costs.embed_seconds is not None and costs.vectors_per_second is not None:
        text += say(
            ": about {time} at {rate:,.0f} per second here",
            time=_duration(costs.embed_seconds),
            rate=costs.vectors_per_second,
        )
    if costs.dollars:
        text += say(", {money} for the API", money=_dollars(costs.dollars))
    if costs.index_bytes is not None:
        text += say("; an index of {size}", size=_size(costs.index_bytes))
    if costs.query_ms is not None:
        text += say("; {time} per question", time=_milliseconds(costs.query_ms))
    if costs.question_dollars:
        text += say("; {money} for 1,000 questions to the rerank API", money=_dollars(1000 * costs.question_dollars))
    return text + say(".")


def _embedded(costs: SystemCosts, chunks: int) -> str:
    """What of the chunks is embedded."""
    if costs.vectors == costs.tokens != chunks:
        return say("{n:,} tokens, each with a vector", n=costs.vectors)
    if costs.vectors == chunks:
        return say("one vector each, {tokens:,} tokens", tokens=costs.tokens)
    return say("{windows:,} windows, {tokens:,} tokens", windows=costs.vectors, tokens=costs.tokens)


def untried_sentence(measured: MeasuredCosts) -> str:
    """That late interaction was not tried, and the size of its index; empty where no model was measured."""
    size = late_index_bytes(measured)
    if size is None:
        return ""
    return say(
        "Not tried here: the same model with one vector per token (retrieval=late), which takes an index of {size}.",
        size=_size(size),
    )


def cost_cells(costs: SystemCosts) -> list[str]:
    """A row of the table of costs: vectors, dimension, tokens, a second, to embed all, index, a question, money."""
    return [
        f"{costs.vectors:,}" if costs.vectors else "–",
        _or_dash(costs.dimension, "{:,}"),
        f"{costs.tokens:,}" if costs.tokens else "–",
        _or_dash(costs.vectors_per_second, "{:,.0f}"),
        _duration(costs.embed_seconds) if costs.embed_seconds else "–",
        "–" if costs.index_bytes is None else _size(costs.index_bytes),
        "–" if costs.query_ms is None else _milliseconds(costs.query_ms),
        _money(costs),
    ]


def _money(costs: SystemCosts) -> str:
    """For embedding the corpus, and for a thousand questions."""
    parts = [_dollars(costs.dollars)] if costs.dollars else []
    if costs.question_dollars:
        parts.append(say("{money} per 1,000 questions", money=_dollars(1000 * costs.question_dollars)))
    return " + ".join(parts) or "–"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _size(size: float) -> str:
    for unit in (worded("bytes"), "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {say(unit)}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _dollars(value: float) -> str:
    return say("under $0.01") if value < 0.005 else f"${value:,.2f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"

"""Words that carry no meaning of their own, by language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_SNOWBALL = {
    "da": "DANISH", "de": "GERMAN", "es": "SPANISH", "fr": "FRENCH", "it": "ITALIAN", "nl": "DUTCH", "no": "NORWEGIAN",
    "pt": "PORTUGUESE", "ru": "RUSSIAN", "sv": "SWEDISH", "tr": "TURKISH",
}  # fmt: skip
_CHINESE = frozenset(
    "的 了 和 是 在 与 及 或 等 也 都 就 而 对 于 中 为 以 其 之 所 并 将 被 由 从 到 把 向 这 那 有 吗 呢 吧 啊".split()
)
_CUT_BY_CHARACTER = {"ja", "ko"}


@cache
def stop_words(language: str) -> frozenset[str]:
    """What BM25 leaves out, in lower case; nothing where no list is known.

    English has Lucene's short list. The lists of Snowball (as bm25s carries them) come next, then those of stopwords-iso.
    Japanese and Korean are indexed by pairs of characters, which no list fits.
    """
    if language == "zh":
        return _CHINESE
    if language in _CUT_BY_CHARACTER:
        return frozenset()
    if language == "en" or language in _SNOWBALL:
        with _without_jax():
            from bm25s import stopwords

        return frozenset(getattr(stopwords, f"STOPWORDS_{_SNOWBALL.get(language, 'EN')}"))
    return function_words(language)


@contextmanager
def _without_jax() -> Iterator[None]:
    """bm25s uses JAX at its import where that is installed, and JAX takes three quarters of a GPU's memory at its first use."""
    hidden = "jax" not in sys.modules
    if hidden:
        sys.modules["jax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["jax"]


@cache
def function_words(language: str) -> frozenset[str]:
    """A longer list: words that no query made of keywords begins or ends with."""
    import stopwordsiso

    return frozenset(stopwordsiso.stopwords(language)) if stopwordsiso.has_lang(language) else frozenset()

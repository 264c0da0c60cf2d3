"""The Chinese word cutter, loaded when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def jieba() -> Any:
    """The module jieba, without its noise."""
    import logging
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba imports pkg_resources and has old string escapes
        import jieba
    jieba.setLogLevel(logging.ERROR)
    return jieba

"""Texts of a dataset: what can be one."""

from __future__ import annotations

import json
from typing import Any

from embft.errors import DatasetError


def require_text(text: Any, where: str) -> None:
    """Refuses what is no text, or half a character.

    Raises:
        DatasetError: Says where.
    """
    if not isinstance(text, str):
        raise DatasetError(f"{where} is not a text but {json.dumps(text)[:40]}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # JSON can hold half of a surrogate pair; no file in UTF-8 and no tokenizer can.
        raise DatasetError(f"{where} holds half a character at position {error.start}: remove or mend it.") from error

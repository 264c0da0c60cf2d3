"""The texts in a cell of a table: one text, a list of texts, objects with a text, or a list that was written as a text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

_TEXT = ("text", "content", "page_content", "passage", "contents", "body")
_TITLE = "title"
_ID = ("docid", "doc_id", "_id", "id", "passage_id", "corpus_id", "pid", "psg_id")
_LIST = re.compile(r"\s*\[\s*(?:\".*\"|'.*')\s*,?\s*\]\s*", re.DOTALL)
_ARRAY = re.compile(r"(?<!\\)['\"]\s+['\"]")
_MOST_CHARACTERS = 1_000_000
"""Of a cell that is tried as a list."""

Item = tuple[str | None, str]
"""A text and its id, where it has one."""


def items_of(value: Any) -> list[Item]:
    """The texts of a cell. A title stands before its text with a space, as BEIR and DPR have it.

    Raises:
        ValueError: It is something else.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [(None, text) for text in _listed(value)]
    if isinstance(value, Mapping):
        return [_of_object(value)]
    if isinstance(value, list | tuple):
        items = [_of_object(item) if isinstance(item, Mapping) else (None, item) for item in value if item is not None]
        if all(isinstance(text, str) for _, text in items):
            return [(key, text) for key, text in items if text.strip()]
    raise ValueError(f"not a text but {_shown(value)}")


def _of_object(value: Mapping[Any, Any]) -> Item:
    row = {str(key).casefold(): item for key, item in value.items()}
    if len(row) < len(value):
        raise ValueError(f"two keys that differ in case alone in {_shown(value)}")
    text = next((row[name] for name in _TEXT if isinstance(row.get(name), str)), None)
    if text is None:
        raise ValueError(f"not a text but {_shown(value)}")
    title, key = row.get(_TITLE), next((row[name] for name in _ID if row.get(name) not in (None, "")), None)
    whole = f"{title} {text}" if isinstance(title, str) and title.strip() else text
    return (str(key) if isinstance(key, str | int) and not isinstance(key, bool) else None), whole


def _listed(text: str) -> list[str]:
    """A text, or the texts of a list that was written into a cell: as JSON, or as Python and pandas write it."""
    if len(text) > _MOST_CHARACTERS or not _LIST.fullmatch(text):
        return [text]
    for read in (json.loads, ast.literal_eval):
        try:
            parsed = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed):
            if read is ast.literal_eval and len(parsed) == 1 and _ARRAY.search(text):
                break  # Python would make one text of 'a' 'b'
            return [item for item in parsed if item.strip()]
    if _ARRAY.search(text):
        raise ValueError("an array without commas in a cell, as numpy prints it: write the list as JSON")
    return [text]


def _shown(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)[:40]

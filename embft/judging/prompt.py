"""The prompt of the judge, and the grade out of a reply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from embft.judging.judgements import TOP
from embft.questions.thoughts import without_thoughts
from embft.services.body import JsonObject
from embft.text.languages import guess

SCHEMA: JsonObject = {
    "type": "json_schema",
    "json_schema": {
        "name": "grade",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"grade": {"type": "integer", "enum": list(range(TOP + 1))}},
            "required": ["grade"],
            "additionalProperties": False,
        },
    },
}
_NAMED = re.compile(
    r"(?:final[ _]?score|grade|score|relevance|rating|等级|评分|得分|分数|相关性)\W{0,12}?(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d]|\.\d)")
_OF = re.compile(r"(\d)\s*(?:/|out of|of)\s*3", re.IGNORECASE)


@cache
def texts() -> Mapping[str, str]:
    """Language to template: ``en`` and ``zh``."""
    import yaml

    templates: Mapping[str, str] = yaml.safe_load((files("embft.judging") / "prompts.yaml").read_text(encoding="utf-8"))
    return templates


def fill(question: str, passage: str) -> str:
    """The prompt for one pair, in Chinese for a Chinese question and in English for any other."""
    language = "zh" if guess(question).language == "zh" else "en"
    before, _, rest = texts()[language].partition("{question}")
    between, _, after = rest.partition("{passage}")
    # One after the other: what stands in a question or a passage is never taken for a place.
    return f"{before}{question}{between}{passage}{after}".strip()


def grade_of(reply: str) -> int | None:
    """The grade in a reply: under a name (the last one counts), or the only number that it has; None: there is none.

    A grade beyond the scale, or between two grades, is none.
    """
    text = without_thoughts(reply)
    numbers = _NAMED.findall(text) or _OF.findall(text)
    if not numbers:
        numbers = _ALONE.findall(text)
        if len(set(numbers)) != 1:
            return None
    value = float(numbers[-1])
    return int(value) if value.is_integer() and 0 <= value <= TOP else None

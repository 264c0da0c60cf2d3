"""Prompts and kinds of question: bundled ones by name, a user's own by path."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from embft.errors import QuestionError, nearest
from embft.questions.parsing import parse_reply
from embft.text.codes import name_of
from embft.text.languages import guess

CHUNK, OTHER, COUNT, TYPES, PERSONA = "{chunk}", "{other}", "{count}", "{types}", "{persona}"
LANGUAGE = "{language}"
PAIRS = "pairs"
"""The prompt for questions about two chunks."""
_ANYONE = ("somebody who needs an answer", "需要答案的人")
_ANY_TYPE = ("- any kind that this passage answers well", "- 这段文字能很好回答的任何类型")
_MORE = (
    "\n\nThese questions exist already:\n{known}\nWrite {count} others, in the same form.",
    "\n\n以下问题已经有了：\n{known}\n请按同样的格式另写{count}个不同的问题。",
)

_IN_LANGUAGE = "\n\nWrite the questions in {language}, the language of the passage."


class Prompt:
    """A template with places for the chunk and the number of questions, and where wanted for their kinds and the asker.

    A prompt may have a Chinese sibling (``NAME.zh.txt``), used for Chinese chunks; so may a kind of question. For every other
    language the template is followed by a line that names it, unless it has a place for it (``{language}``).

    Args:
        name: Of a bundled prompt, or a path.
        language: Of the questions; ``auto`` for each chunk's own.
        types: Kinds of question, names in prompts/types or paths, dealt out in turn.
        persona: Who asks.

    Raises:
        QuestionError: There is no such prompt or kind, or a place is missing in it.
    """

    def __init__(
        self, name: str, language: str = "auto", types: Sequence[str] = (), persona: str | None = None
    ) -> None:
        self._language = language
        self._persona = persona
        self._templates = read_texts(name, "questions.prompt", "prompts")
        needed = {CHUNK: True, COUNT: True, TYPES: bool(types), PERSONA: bool(persona), OTHER: name == PAIRS}
        for template in filter(None, self._templates):
            missing = [place for place, wanted in needed.items() if wanted and place not in template]
            if missing:
                raise QuestionError(
                    f"questions.prompt={name} lacks {' and '.join(missing)}: that is where they go in."
                    + (" questions.prompt=typed has all of them." if {TYPES, PERSONA} & set(missing) else "")
                )
        self._types = [read_texts(kind, "questions.types", "prompts/types") for kind in types]

    @property
    def examples(self) -> tuple[str, ...]:
        """Questions that stand in the template as examples; small models repeat them."""
        lines = [line for text in self._templates for line in (text or "").splitlines()]
        marked = [line for line in lines if line.rstrip().endswith(("?", "？"))]
        return parse_reply("\n".join(marked), len(marked)).questions

    def fill(
        self,
        chunk: str,
        count: int,
        *,
        place: int = 0,
        other: str = "",
        known: Sequence[str] = (),
        language: str | None = None,
    ) -> str:
        """The prompt for one chunk, or for two. Their text goes in last, so that braces in it are only text.

        Args:
            place: The chunk's place among all: the kinds go on where the chunk before left off.
            known: Questions that exist already and are not wanted again.
            language: The chunk's, where it is known from its document.
        """
        own = guess(chunk)
        spoken = language or (own.language if own.firm else None) or "en"
        wanted = spoken if self._language == "auto" else self._language
        plain, localised = self._templates
        at = int(wanted == "zh" and localised is not None)
        template = localised if at and localised else plain
        if wanted != "en" and not at and LANGUAGE not in template:
            template += _IN_LANGUAGE
        if known:
            listed = "\n".join(f"- {question}" for question in known)
            template += _MORE[at].replace("{known}", listed).replace(COUNT, str(count))
        values = {
            COUNT: str(count),
            PERSONA: self._persona or _ANYONE[at],
            TYPES: self._kinds(count, place, at) or _ANY_TYPE[at],
            LANGUAGE: name_of(wanted),
        }
        for name, value in values.items():
            template = template.replace(name, value)
        # Both at once, or a "{other}" in the first chunk would be filled.
        return chunk.join(part.replace(OTHER, other) for part in template.split(CHUNK))

    def _kinds(self, count: int, place: int, at: int) -> str:
        if not self._types:
            return ""
        turn = [self._types[(place * count + step) % len(self._types)] for step in range(count)]
        return "\n".join(f"- {(kind[at] or kind[0] or '').strip()}" for kind in turn)


def read_texts(name: str, key: str, folder: str) -> tuple[str, str | None]:
    """A text and its Chinese sibling: a file of the user's, or one of embft's."""
    path = Path(name).expanduser()
    if path.is_file():
        sibling = path.with_name(f"{path.stem}.zh{path.suffix}")
        return path.read_text(encoding="utf-8"), sibling.read_text(encoding="utf-8") if sibling.is_file() else None
    bundled = files("embft.questions").joinpath(*folder.split("/"))
    known = {item.name.removesuffix(".txt"): item for item in bundled.iterdir() if item.name.endswith(".txt")}
    if name not in known or name.endswith(".zh"):
        choices = sorted(item for item in known if not item.endswith(".zh"))
        raise QuestionError(
            f"{key}={name} is neither a file nor one of embft's.{nearest(name, choices)} Choices: {', '.join(choices)}."
        )
    chinese = known.get(f"{name}.zh")
    return known[name].read_text(encoding="utf-8"), chinese.read_text(encoding="utf-8") if chinese else None

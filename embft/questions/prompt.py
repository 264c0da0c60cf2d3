"""Prompts: bundled ones by name, a user's own by path."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from embft.errors import QuestionError, nearest
from embft.questions.parsing import parse_reply
from embft.questions.sentences import is_chinese

CHUNK, COUNT = "{chunk}", "{count}"


class Prompt:
    """A template with places for the chunk and the number of questions.

    A prompt may have a Chinese sibling (``NAME.zh.txt``), used for Chinese chunks.

    Args:
        name: Of a bundled prompt, or a path.

    Raises:
        QuestionError: There is no such prompt, or a place is missing in it.
    """

    def __init__(self, name: str, language: str = "auto") -> None:
        self._language = language
        path = Path(name).expanduser()
        if path.is_file():
            self._plain = _checked(path.read_text(encoding="utf-8"), name)
            sibling = path.with_name(f"{path.stem}.zh{path.suffix}")
            self._chinese = _checked(sibling.read_text(encoding="utf-8"), str(sibling)) if sibling.is_file() else None
            return
        folder = files("embft.questions") / "prompts"
        known = sorted(item.name.removesuffix(".txt") for item in folder.iterdir() if item.name.endswith(".txt"))
        if name not in known:
            choices = [item for item in known if not item.endswith(".zh")]
            raise QuestionError(
                f"questions.prompt={name} is neither a file nor a prompt of embft.{nearest(name, choices)} "
                f"Choices: {', '.join(choices)}."
            )
        self._plain = _checked((folder / f"{name}.txt").read_text(encoding="utf-8"), name)
        self._chinese = (folder / f"{name}.zh.txt").read_text(encoding="utf-8") if f"{name}.zh" in known else None

    @property
    def examples(self) -> tuple[str, ...]:
        """Questions that stand in the template as examples; small models repeat them."""
        lines = [line for text in (self._plain, self._chinese or "") for line in text.splitlines()]
        marked = [line for line in lines if line.rstrip().endswith(("?", "？"))]
        return parse_reply("\n".join(marked), len(marked)).questions

    def fill(self, chunk: str, count: int) -> str:
        """The prompt for one chunk. The chunk goes in last, so that braces in it are only text."""
        chinese = self._language == "zh" or (self._language == "auto" and is_chinese(chunk))
        template = self._chinese if chinese and self._chinese else self._plain
        return template.replace(COUNT, str(count)).replace(CHUNK, chunk)


def _checked(template: str, name: str) -> str:
    missing = [place for place in (CHUNK, COUNT) if place not in template]
    if missing:
        raise QuestionError(f"questions.prompt={name} lacks {' and '.join(missing)}: that is where they go in.")
    return template

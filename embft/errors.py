"""The errors a user can cause. Each message says what was found, where, and what to do about it.

``run.py`` and the scripts print these without a traceback; anything else is a defect of embft and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


class EmbftError(Exception):
    """Base of every error that the user can mend."""


class ConfigError(EmbftError):
    """The configuration is wrong. Holds every problem found, not just the first.

    Args:
        problems: One sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__(f"{head} in the configuration:\n" + "\n".join(f"  - {problem}" for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """For launchers that send a job's error to another process."""
        return type(self), (self.problems,), self.__dict__


class CorpusError(EmbftError):
    """A document cannot be read, or no text came out of it."""


class QuestionError(EmbftError):
    """Questions cannot be made, or a file of human questions is wrong."""


class DatasetError(EmbftError):
    """A dataset file is malformed, or a split cannot be made."""


class ModelError(EmbftError):
    """Model weights are not available, or not of a kind that embft loads."""


class EndpointError(EmbftError):
    """An OpenAI-compatible endpoint refused, or its key is missing."""


class TrainingError(EmbftError):
    """The fine-tune cannot go on."""


class RunError(EmbftError):
    """A run folder cannot be used."""


class CacheError(EmbftError):
    """The cache's folder cannot be written."""


class ScaleError(EmbftError):
    """Other machines cannot be asked, or do not do their work."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Returns ``" Did you mean 'x'?"`` for the closest choice, or an empty string where none is close."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def in_words(error: OSError) -> str:
    """A sentence about a file that cannot be opened, read or written: which one, and what the system says."""
    return f"{error.filename or 'a file'} cannot be read or written: {error.strerror or error}."

"""made_from.json of a run folder: code, libraries and files that decided the run, and the results of the cache that it used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from embft.files import write_json

NAME = "made_from.json"
MISSING = "not there"
"""In place of a digest: something that the settings name cannot be read."""


class MadeFrom:
    """Writes the file.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._made_from: Mapping[str, str] = {}

    def begin(self, made_from: Mapping[str, str]) -> None:
        """Notes, before anything is made, what it is made from: a name for people, to a digest or a version."""
        self._made_from = dict(made_from)
        self.note({})

    def note(self, used: Mapping[str, Sequence[str]]) -> None:
        """Notes, by stage, the keys of the results used so far. Nothing before `begin`."""
        if self._made_from:
            write_json(self._file, {"made_from": self._made_from, "stages": used})

"""Ids that one file gives to what another file names: written the same way, or nearly."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection


class KnownIds:
    """The ids that there are.

    Two programs may write one id in two ways: é as one character or as two (a Mac's file names), with white space around it. Both
    are looked through. Letters of another case are another id, and get a hint.

    Args:
        known: The ids; not changed afterwards.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._forms: dict[Callable[[str], str], dict[str, str | None]] = {}

    def find(self, key: str) -> str:
        """The known id that a key means; the key itself where there is none."""
        return key if key in self._known else self._alike(key, _form) or key

    def hint(self, key: str) -> str:
        """What to put behind the name of an id that is not known: the one that differs in case alone, or nothing."""
        alike = self._alike(key, _caseless)
        return f" (it has '{alike}': the case of letters counts)" if alike and alike != key else ""

    def _alike(self, key: str, form: Callable[[str], str]) -> str | None:
        if form not in self._forms:
            forms: dict[str, str | None] = {}
            for one in self._known:
                # Where two ids have one form, it names neither.
                forms[form(one)] = None if form(one) in forms else one
            self._forms[form] = forms
        return self._forms[form].get(form(key))


def _form(key: str) -> str:
    return unicodedata.normalize("NFC", key).strip()


def _caseless(key: str) -> str:
    return _form(key).casefold()

"""Characters and hyphens: the cleaning of every source's text, in any format."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff]")
# Joiners are spelling in the scripts from Arabic to Sinhala, of Burma and of the Khmer, and make one emoji of two.
_JOINING = "\u0600-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af"
_JOINERS = re.compile(
    f"(?<![{_JOINING}])\u200c|\u200c(?![{_JOINING}])"
    f"|\u200d(?![{_JOINING}\u2600-\u27bf\U0001f000-\U0001faff])|(?<![{_JOINING}\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d"
)
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
# Ligatures and Kangxi radicals are what some PDF fonts put in the place of ordinary letters; NFC leaves them alone.
_COMPATIBILITY = re.compile("[\ufb00-\ufb06\u2e80-\u2ef3\u2f00-\u2fd5]")
_BULLETS = re.compile("[\uf0a7\uf0b7\uf0d8\uf0fc\u25cf\u25aa\u25a0\uf06c\uf06e]")
_CONTROL = dict.fromkeys([*range(9), 11, *range(14, 32), *range(127, 160)])  # all but tab, newline, form feed, return


# Colours of a terminal, and letters that a printer struck over: N\bN is a bold N.
_TERMINAL = re.compile(
    "\x1b(?:\\[[0-?]{0,30}[ -/]{0,5}[@-~]|\\][^\x07\x1b\n]{0,300}(?:\x07|\x1b\\\\)|[()][0-9A-Z])|[^\n]\x08"
)


def clean_characters(text: str) -> str:
    """Returns the text in NFC with Unix line ends and without control, zero-width or look-alike characters."""
    if "\x1b" in text or "\x08" in text:
        text = _TERMINAL.sub("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n").replace("\u2028", "\n")
    text = text.replace("\f", "\n\n").replace("\u2029", "\n\n").translate(_CONTROL)
    text = _JOINERS.sub("", _INVISIBLE.sub("", text))
    text = _BULLETS.sub("•", _SPACES.sub(" ", text))
    text = _COMPATIBILITY.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    # A lone surrogate cannot be written as UTF-8.
    return unicodedata.normalize("NFC", text).encode("utf-8", "replace").decode("utf-8")


def vocabulary(texts: Iterable[str]) -> Counter[str]:
    """Counts the words of a document in lower case; ``write-off`` is one word."""
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word.lower() for word in _WORD.findall(text))
    return words


def join_hyphenated(left: str, right: str, words: Counter[str]) -> str:
    """Joins the halves of a word that was broken at a hyphen, and decides whether the hyphen belongs to it.

    The document itself is the dictionary: the spelling that it uses elsewhere wins. Where it uses neither, the hyphen
    stays between two words that it knows, before a capital and after one ("Black-Scholes"), and goes otherwise.

    Args:
        left: Text that ends in the first half, without its hyphen.
        right: Text that starts with the second half.
        words: The document's vocabulary.
    """
    first = re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", left)
    second = re.match(r"[^\W\d_]+", right)
    if first is None or second is None or second[0][0].isupper():
        return f"{left}-{right}"
    a, b = first[0].lower(), second[0].lower()
    plain, hyphenated = words[a + b], words[f"{a}-{b}"]
    keep = hyphenated > plain or (not plain and a in words and b in words and len(a) > 1 and len(b) > 2)
    return f"{left}-{right}" if keep else left + right

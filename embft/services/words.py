"""What a server says when it refuses: the sentence in its body, whatever its form, fit to be shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embft.foreign_json import parse_json

_LONGEST = 240
"""Characters of a server's words that are shown."""
_DEEPEST = 8
_PAGE = 8_000
"""Characters of a web page that are looked at."""
_SPOKEN = (
    "message", "detail", "details", "error", "errors", "msg", "error_description", "error_message", "errormessage", "error_msg",
    "description", "reason", "title", "innererror", "raw", "metadata", "fault", "faultstring", "body", "cause",
)  # fmt: skip
"""Keys under which servers put words: OpenAI, Azure, FastAPI, Mistral, Cohere, DashScope, Spring, TGI, OpenRouter."""
_CODES = ("code", "type", "error_type", "status", "errorcode")
_PLACES = ("param", "loc", "field", "path", "instancePath", "parameter")
_HIDDEN = re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai|nvapi|key)[-_][\w*.…-]{6,}|(?<=bearer )\S+", re.IGNORECASE)
_TOKEN = re.compile(r"[\w*.+/=~-]{6,}")
_MARKUP = re.compile(r"<(?:html|body|head|title|!doctype|h1|p)\b", re.IGNORECASE)
_CUT_MESSAGE = re.compile(r'"(?:message|detail|msg|error)"\s*:\s*"((?:[^"\\]|\\.)*)')
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True)
class Words:
    """What a body says.

    Attributes:
        text: One line, shortened, without a key; empty where it says nothing.
        names: Parameters that it points at.
        whole: All of the words in lower case, codes included; for looking, not for showing.
    """

    text: str = ""
    names: frozenset[str] = frozenset()
    whole: str = ""

    @property
    def quoted(self) -> str:
        """The words behind a colon, or nothing."""
        return f": {self.text}" if self.text else ""


def read_words(content: bytes | str, secrets: Sequence[str] = ()) -> Words:
    """Reads the body of a refusal: JSON of any common form, a web page, or plain text.

    Args:
        content: The body, or the beginning of it.
        secrets: What must not be shown.
    """
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    try:
        value = parse_json(content)
    except ValueError:
        start = text[:_PAGE]
        if cut := _CUT_MESSAGE.search(start) if start.lstrip().startswith("{") else None:
            plain = cut[1]
        else:
            plain = _page(start) if _MARKUP.search(start) else text
        return Words(shown(plain, secrets), frozenset(), plain[:20_000].lower())
    return words_of(value, secrets)


def words_of(value: Any, secrets: Sequence[str] = ()) -> Words:
    """The same of a value that was JSON."""
    said = list(dict.fromkeys(_said(value, 0)))
    # A sentence that stands in another one (a gateway quotes the server behind it) is not said twice.
    spoken = [text for text in said if not any(text != other and text in other for other in said)]
    codes = [str(item) for item in _under(value, _CODES, 0) if isinstance(item, str | int)]
    names: set[str] = set()
    for place in _under(value, _PLACES, 0):
        names |= {str(part) for part in (place if isinstance(place, list) else re.split(r"[./\[\]$]+", str(place)))}
    whole = " ".join([*spoken, *codes])
    return Words(shown("; ".join(spoken) or " ".join(codes[:2]), secrets), frozenset(names), whole[:20_000].lower())


def shown(text: str, secrets: Sequence[str] = (), longest: int = _LONGEST) -> str:
    """Text of a server as one line for a person: no key, no control characters, shortened."""
    line = " ".join(_CONTROL.sub(" ", text[: 50 * longest].encode("utf-8", "replace").decode()).split())
    for secret in filter(None, secrets):
        line = line.replace(secret, "[key]")
        pieces = {token for token in _TOKEN.findall(line) if token != "[key]" and _is_part(token, secret)}
        for piece in sorted(pieces, key=len, reverse=True):
            line = line.replace(piece, "[key]")
    line = _HIDDEN.sub("[key]", line).rstrip(" .;:")
    return line if len(line) <= longest else line[:longest].rsplit(" ", 1)[0].rstrip(" .;:,") + " …"


def _is_part(token: str, key: str) -> bool:
    """Whether a word is the key, or a piece of it as servers show it: ``sk-abc...wxyz``."""
    if len(key) < 8:
        return token == key
    return token in key or (len(token) >= 8 and (token[:6] == key[:6] or (token[-4:] == key[-4:] and "*" in token)))


def _said(value: Any, depth: int) -> Iterator[str]:
    """The sentences below a value, a parameter's name before what is wrong with it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        inner = _inner(value)
        if inner is not None:
            yield from _said(inner, depth + 1)
        elif value.strip():
            yield value.strip()
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _said(item, depth + 1)
    elif isinstance(value, Mapping):
        lower = {str(name).lower(): item for name, item in value.items()}
        place = lower.get("loc")
        head = ".".join(str(part) for part in place) + ": " if isinstance(place, list) else ""
        for name in _SPOKEN:
            if name in lower:
                yield from (head + text for text in _said(lower[name], depth + 1))


def _under(value: Any, keys: Sequence[str], depth: int) -> Iterator[Any]:
    """What stands under some keys, anywhere in a value."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        inner = _inner(value)
        if inner is not None:
            yield from _under(inner, keys, depth + 1)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _under(item, keys, depth + 1)
    elif isinstance(value, Mapping):
        for name, item in list(value.items())[:50]:
            if name in keys and item not in (None, ""):
                yield item
            yield from _under(item, keys, depth + 1)


def _inner(text: str) -> Any | None:
    """The JSON that some gateways put into a string."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


def _page(text: str) -> str:
    """The words of a web page: its title, then its text."""
    title = re.search(r"<title[^>]*>(.*?)</title", text, re.I | re.S)
    bare = re.sub(r"<(script|style|head)\b.*?(?:</\1\s*>|$)|<!--.*?-->|<[^>]*>", " ", text, flags=re.I | re.S)
    both = [html.unescape(part).strip() for part in (title[1] if title else "", bare)]
    return ". ".join(dict.fromkeys(part for part in both if part))

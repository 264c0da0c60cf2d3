"""The address of a service: what may stand in it, and the URL of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SECRET_NAME = re.compile(
    r"^(?:.*[-_.])?(?:key|apikey|token|auth|authorization|bearer|secret|sig|signature|password|passwd|pwd|passphrase|code|"
    r"credentials?|jwt|session|sas|ticket|accesskey|accesstoken|sharedaccesssignature|subscription)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"^(?:sk-.*|ey[A-Za-z0-9_-]{10,}.*|(?=.*\d)(?=.*[A-Za-z])[\w+/=.~-]{24,})$", re.DOTALL)
_ADDED = ("/chat/completions", "/completions", "/embeddings", "/rerank", "/batches")
"""Ends of an address that embft adds itself."""
_AZURE = re.compile(r"\.azure\.(?:com|us|cn)$|\.azure-api\.net$")


@dataclass(frozen=True)
class Address:
    """A base URL taken apart.

    Attributes:
        root: Scheme, host and path, without a slash at the end.
        query: Goes behind each call's path; Azure wants its ``api-version`` there.
    """

    root: str
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, base_url: str) -> Address:
        """Takes a base URL apart. Ask `problem_with` first."""
        parts = urlsplit(base_url.strip())
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), query)

    def path(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """What a call has behind the root: ``path`` begins with a slash; the base URL's query stays."""
        asked = urlencode([*self.query, *(query or {}).items()])
        return f"{path}{'?' if asked else ''}{asked}"

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI's own, which an account's organisation and project mean something to."""
        host = urlsplit(self.root).hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")

    @property
    def is_azure(self) -> bool:
        """Whether the key goes into Azure's own header."""
        return bool(_AZURE.search(urlsplit(self.root).hostname or ""))

    @property
    def has_version(self) -> bool:
        """Whether the query names an API version, as Azure and what stands before it want."""
        return any(name.lower() == "api-version" for name, _ in self.query)


def problem_with(base_url: str) -> str | None:
    """What is wrong with a base URL, as the end of a sentence that begins with its setting; None: nothing.

    It never repeats what could be a secret.
    """
    url = base_url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL: it has the form https://host/v1."
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "holds a user's name or password, which files would repeat: leave it out, and name a key's variable."
    # A key behind '#', or behind a '?' within the query, is a key all the same.
    pairs = parse_qsl(parts.query.replace("?", "&").replace(";", "&"), keep_blank_values=True)
    pairs += parse_qsl(parts.fragment.replace("?", "&"), keep_blank_values=True)
    for name, value in pairs:
        if _SECRET_NAME.match(name) or _SECRET_VALUE.match(value) or _SECRET_VALUE.match(name):
            return (
                "holds what looks like a key or a signature in its query (it is not shown), which files would repeat: "
                "leave it out, and put the key into the environment variable that api_key_env names."
            )
    if parts.scheme not in {"http", "https"} or not host or any(letter.isspace() for letter in url):
        return "is no URL that can be asked: it has the form https://host/v1."
    if parts.fragment:
        return "has a '#...' at its end, which no server sees: leave it out."
    if added := next((end for end in _ADDED if parts.path.rstrip("/").endswith(end)), None):
        return f"ends in {added}, which embft adds itself: leave that part out."
    return None


def secrets_in(overrides: Sequence[str]) -> list[str]:
    """What is wrong with addresses on a command line that would put a secret into the files that Hydra writes."""
    found = []
    for override in overrides:
        name, _, value = override.partition("=")
        key = name.lstrip("+~")
        if not key.endswith("base_url"):
            continue
        problem = problem_with(value.strip("'\" ").replace("\\", "")) or ""
        if "which files would repeat" in problem:
            found.append(f"{key} {problem}")
    return found

"""A transformers folder without modules.json does not say how its token vectors become one vector: what is then done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

_CAUSAL = re.compile(r"ForCausalLM$|LMHeadModel$")
_BY_NAME = (
    # Each as its authors' card has it. Large decoders of the same families pool the last token: `_by_name` leaves them out.
    (re.compile(r"\bbge-(small|base|large|m3)", re.I), "cls"),
    (re.compile(r"\bgte-(small|base|large)(?!-(zh|en-v))", re.I), "mean"),
    (re.compile(r"\b(multilingual-)?e5-(small|base|large)", re.I), "mean"),
    (re.compile(r"\ball-(MiniLM|mpnet|distilroberta)", re.I), "mean"),
    (re.compile(r"\bsnowflake-arctic-embed", re.I), "cls"),
    (re.compile(r"\bgte-modernbert", re.I), "cls"),
    (re.compile(r"\b(nomic-embed-text|modernbert-embed)", re.I), "mean"),
    (re.compile(r"\bmxbai-embed", re.I), "cls"),
)
_IN_CARD = {
    "cls": re.compile(
        r"pooling_mode_cls_token'?\"?: True|pooling_mode'?\"?[:=] ?['\"]cls|\bcls[ _-]pool|\[CLS\][^.\n]{0,40}"
        r"(embedding|representation|pool)|(last_hidden_state|model_output\[0\]|outputs?\[0\])\[:, ?0\]",
        re.I,
    ),
    "mean": re.compile(
        r"pooling_mode_mean_tokens'?\"?: True|pooling_mode'?\"?[:=] ?['\"]mean|\b(mean|average)[ _-]pool", re.I
    ),
    "lasttoken": re.compile(
        r"pooling_mode_lasttoken'?\"?: True|pooling_mode'?\"?[:=] ?['\"]lasttoken|\blast[ _-]?token[ _-]?pool", re.I
    ),
}
_NORMALISES = re.compile(r"normalize\(|normalize_embeddings ?= ?True|Normalize\(\)", re.I)
_WORDS = {
    "cls": "the vector of the first token ([CLS])",
    "mean": "the mean",
    "lasttoken": "the vector of the last token",
}


@dataclass(frozen=True)
class Pooling:
    """How token vectors become one.

    Attributes:
        mode: ``cls``, ``mean`` or ``lasttoken``.
        normalise: Whether the vector is then scaled to length 1.
        source: ``card``, ``name`` or ``guess``.
    """

    mode: str
    normalise: bool
    source: str

    def note(self, name: str) -> str:
        """What a person should know of it; one or two sentences."""
        pooling = f"{_WORDS[self.mode]} of its token vectors{', scaled to length 1,' if self.normalise else ''}"
        head = f"Model {name} has no modules.json, so it does not say how it makes one vector of a text."
        if self.source == "guess":
            return (
                f"{head} embft takes {pooling}, and that is a guess: check the model's card, and give a sentence-transformers "
                "folder if it says otherwise."
            )
        return f"{head} embft takes {pooling} as the model's {self.source} has it."


def pooling_of(folder: Path) -> Pooling:
    """What the folder's card says, or its known name; else a guess.

    Args:
        folder: A transformers folder, or a snapshot in the hub's cache.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    causal = any(_CAUSAL.search(str(name)) for name in config.get("architectures") or ())
    card = _card(folder)
    modes = [mode for mode, pattern in _IN_CARD.items() if pattern.search(card)]
    if len(modes) == 1:
        return Pooling(modes[0], bool(_NORMALISES.search(card)), "card")
    if not causal and (named := _by_name([folder_name(folder), str(config.get("_name_or_path", ""))])):
        return Pooling(named, True, "name")
    return Pooling("lasttoken" if causal else "mean", False, "guess")


def folder_name(folder: Path) -> str:
    """A folder's own name; in the hub's cache, that of the model's folder."""
    path = folder.absolute()
    return path.parents[1].name if path.parent.name == "snapshots" else path.name


def _card(folder: Path) -> str:
    file = folder / "README.md"
    try:
        return file.read_text(encoding="utf-8", errors="replace")[:200_000]
    except OSError:
        return ""


def _by_name(names: list[str]) -> str | None:
    return next((mode for name in names for pattern, mode in _BY_NAME if pattern.search(name)), None)

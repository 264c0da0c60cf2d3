"""The language of a text, and the languages of a collection of texts.

A script that only one language is written in tells it; among the languages of Latin, Cyrillic, Arabic and Devanagari
script, py3langid tells them apart: naive Bayes over byte n-grams (Lui and Baldwin, "langid.py: An Off-the-shelf Language
Identification Tool", ACL 2012), a model of 5 MB that the package carries, a tenth of a millisecond a text, always the same
answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from embft.text.codes import CANDIDATES, DEFAULTS, scripts_of
from embft.text.scripts import letters_by_script

_SAMPLE = 400
"""Characters that are looked at: more do not change the answer."""
_LOOKED_AT = 256
"""Texts that the languages of a larger collection are told from."""
_FIRM = 0.9
"""Probability from which a text counts as one of its language."""
_PLAIN = 0.5
"""The same for a question, of the languages that it can be in."""
_JOINED = 0.8
"""The same for a collection of short texts taken as one."""
_LEAST_SHARE = 0.02
"""A language with a smaller share of a collection is a quotation: it does not change how the rest is read."""
_FEWEST = 3
_CLEAR_SHARE = 0.1
_DOCUMENT_LETTERS = 300
_PASSAGE_LETTERS = 120
"""From which a passage speaks for itself, whatever is around it."""
_PARTS = 5
"""Texts of a document, its longest, that its language is told from."""
_LEAST_LETTERS = 12
_HAN_SHARE = 0.3
"""A Han character says as much as a word: with this share of the letters they decide (see `embft.questions.sentences`)."""


@dataclass(frozen=True)
class Guess:
    """What one text looks like.

    Attributes:
        language: None where it is unclear.
        probability: 1 where the script alone decides.
        letters: Letters that it was told from.
    """

    script: str | None
    language: str | None
    probability: float
    letters: int

    @property
    def firm(self) -> bool:
        """Whether the text is clearly in its language, regardless of its neighbours."""
        told_by_words = self.script in CANDIDATES
        enough = not told_by_words or (self.probability >= _FIRM and self.letters >= _LEAST_LETTERS)
        return self.language is not None and enough


@dataclass(frozen=True)
class Languages:
    """The languages of a collection of texts.

    Attributes:
        all: Those of the collection, the most frequent first; never empty.
        each: Each text's, in order; one of ``all``.
    """

    all: tuple[str, ...]
    each: tuple[str, ...]

    @property
    def main(self) -> str:
        """The most frequent one."""
        return self.all[0]


def script_of(text: str) -> str | None:
    """The script that a text is written in. A Han character says as much as a word, so a third of the letters is enough."""
    counts = letters_by_script(text)
    total = sum(counts.values())
    if not total:
        return None
    east = counts["Han"] + counts["Kana"]
    if east > _HAN_SHARE * total and east >= counts["Hangul"]:
        return "Kana" if counts["Kana"] > 0.1 * east else "Han"
    if counts["Hangul"] > _HAN_SHARE * total:
        return "Hangul"
    script, most = max(((name, number) for name, number in counts.items() if name != "other"), key=lambda pair: pair[1],
                       default=("other", 0))  # fmt: skip
    return script if most else None


@lru_cache(maxsize=50_000)
def guess(text: str) -> Guess:
    """What one text looks like by itself, from its first characters."""
    sample = text if len(text) <= _SAMPLE else text[:_SAMPLE]
    script = script_of(sample)
    if script is None:
        return Guess(None, None, 0.0, 0)
    letters = sum(letters_by_script(sample).values())
    if script not in CANDIDATES:
        return Guess(script, DEFAULTS.get(script), 1.0, letters)
    ranked = _ranked(script, sample)
    return Guess(script, *ranked[0], letters) if ranked else Guess(script, None, 0.0, letters)


def languages_of(texts: Sequence[str], declared: str = "auto", documents: Sequence[str] = ()) -> Languages:
    """The languages of a collection.

    A language belongs to it that a fiftieth of its letters are firmly of, in three texts or a tenth of it, or that a whole
    document is in; others are quotations and code. A text that says too little has its document's language, else the
    likeliest of the collection's in its script.

    Args:
        texts: Chunks, or documents.
        declared: A language that all are in; ``auto``: look.
        documents: Each text's document, where that is known.
    """
    if declared != "auto":
        return Languages((declared,), (declared,) * len(texts))
    seen = list(texts) if len(texts) <= _LOOKED_AT else [texts[place] for place in _spread(len(texts))]
    guesses = [guess(text) for text in seen]
    total = sum(one.letters for one in guesses) or 1
    kept = {
        language: weight
        for language, weight, number in _firm(guesses)
        if weight >= _LEAST_SHARE * total and (number >= _FEWEST or weight >= _CLEAR_SHARE * total)
    }
    of_document = _languages_of_documents(texts, documents)
    for language in of_document.values():
        kept.setdefault(language, 1)
    for script in dict.fromkeys(one.script for one in guesses if one.script):
        inside = sum(one.letters for one in guesses if one.script == script)
        if inside >= _LEAST_SHARE * total and not any(script in scripts_of(language) for language in kept):
            kept[_taken_together(script, seen, guesses)] = inside
    every = tuple(sorted(kept, key=lambda language: (-kept[language], language))) or ("en",)
    if len(every) == 1:
        return Languages(every, every * len(texts))
    owners = documents or [""] * len(texts)
    return Languages(
        every,
        tuple(_nearest(text, every, of_document.get(owner)) for text, owner in zip(texts, owners, strict=True)),
    )


def passage_languages(texts: Sequence[str], declared: str = "auto", documents: Sequence[str] = ()) -> tuple[str, ...]:
    """The language that each text is read and asked about in.

    As `languages_of`, but for a passage that is firmly in another language than those of the collection: too few to change
    how the rest is read, it is in its own all the same.
    """
    each = languages_of(texts, declared, documents).each
    if declared != "auto":
        return each
    own = (guess(text) for text in texts)
    return tuple(
        one.language if one.language and _tells(one, language) else language
        for one, language in zip(own, each, strict=True)
    )


def _tells(one: Guess, language: str) -> bool:
    """Whether a text is so clearly in its language that it is not in another one."""
    if one.script not in scripts_of(language):
        return one.firm and one.letters >= _LEAST_LETTERS
    return one.firm and one.script in CANDIDATES and one.letters >= _PASSAGE_LETTERS


def language_of_question(text: str, among: Iterable[str]) -> str | None:
    """Which of some languages a question is in; None where it is too short or too plain to tell."""
    candidates = list(among)
    if len(candidates) == 1:
        return candidates[0]
    one = guess(text)
    fitting = [language for language in candidates if one.script in scripts_of(language)]
    if one.script not in CANDIDATES:
        return fitting[0] if len(fitting) == 1 else None
    if one.letters < _LEAST_LETTERS:
        return None
    shares = {language: share for language, share in _ranked(one.script, text[:_SAMPLE]) if language in fitting}
    best = max(shares, key=lambda language: shares[language], default=None)
    return best if best and shares[best] >= _PLAIN else None


def share_of(language: str, text: str) -> float:
    """Probability that a text is in a language, among those of its script."""
    one = guess(text)
    if one.script not in CANDIDATES or one.script not in scripts_of(language):
        return float(one.script in scripts_of(language))
    return dict(_ranked(one.script, text[:_SAMPLE])).get(language, 0.0)


def _spread(count: int) -> list[int]:
    """Places of texts that stand for all, evenly spread."""
    return [place * count // _LOOKED_AT for place in range(_LOOKED_AT)]


def _firm(guesses: Sequence[Guess]) -> list[tuple[str, int, int]]:
    """Each language that is firm somewhere, with the letters and the number of texts."""
    weights: dict[str, int] = defaultdict(int)
    numbers: dict[str, int] = defaultdict(int)
    for one in guesses:
        if one.language and one.firm:
            weights[one.language] += one.letters
            numbers[one.language] += 1
    return [(language, weight, numbers[language]) for language, weight in weights.items()]


def _languages_of_documents(texts: Sequence[str], documents: Sequence[str]) -> dict[str, str]:
    """The language of each document of some length that is firmly in one for the greater part, by its longest texts."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, document in enumerate(documents):
        places[document].append(place)
    languages = {}
    for document, own in places.items():
        telling = sorted(own, key=lambda place: (-len(texts[place]), place))[:_PARTS]
        parts = [guess(texts[place]) for place in telling]
        language, weight, _ = max(_firm(parts), key=lambda row: row[1], default=("", 0, 0))
        if weight >= _DOCUMENT_LETTERS and 2 * weight > sum(one.letters for one in parts):
            languages[document] = language
    return languages


def _taken_together(script: str, texts: Sequence[str], guesses: Sequence[Guess]) -> str:
    """The language of texts in a script, each of which is too short: of all of them as one."""
    if script not in CANDIDATES:
        return DEFAULTS.get(script, "en")
    own = (text[:_SAMPLE] for text, one in zip(texts, guesses, strict=True) if one.script == script)
    ranked = _ranked(script, " ".join(islice(own, 5 * _SAMPLE))[: 5 * _SAMPLE])  # of each at least a letter
    return ranked[0][0] if ranked and ranked[0][1] >= _JOINED else DEFAULTS[script]


def _nearest(text: str, every: Sequence[str], document: str | None) -> str:
    """A text's own language where that is sure, else its document's, else the likeliest of the collection's."""
    script = script_of(text[:_SAMPLE])
    fitting = [language for language in every if script in scripts_of(language)]
    if len(fitting) == 1 and document in {None, fitting[0]}:
        return fitting[0]
    one = guess(text)
    if one.language in every and one.firm:
        return str(one.language)
    if document is not None and (document in fitting or not fitting):
        return document
    if len(fitting) <= 1 or script not in CANDIDATES:
        return (fitting or every)[0]
    shares = dict(_ranked(script, text[:_SAMPLE]))
    return max(fitting, key=lambda language: (shares.get(language, 0.0), -every.index(language)))


@lru_cache(maxsize=10_000)
def _ranked(script: str, sample: str) -> tuple[tuple[str, float], ...]:
    """Languages of a script with their probabilities, likeliest first."""
    return tuple((language, float(share)) for language, share in _detector(script).rank(sample))


@cache
def _detector(script: str) -> Any:
    detector = copy(_model())
    detector.set_languages(CANDIDATES[script].split())
    return detector


@cache
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

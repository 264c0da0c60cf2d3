"""Words of text that is written without spaces, by the rules and dictionaries of ICU."""

from __future__ import annotations


def icu_words(text: str, language: str) -> list[str]:
    """Words in order, as they are written; what has neither letter nor digit is left out.

    ICU cuts Thai, Lao, Khmer and Burmese by dictionaries (Unicode Standard Annex 29, section 4), and Japanese too.
    """
    from icu4py.breakers import WordBreaker

    return [word for word in WordBreaker(text, language) if any(map(str.isalnum, word))]

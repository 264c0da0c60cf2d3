"""The terms of a collection in one or several languages, and of questions to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embft.text.languages import Languages, language_of_question, languages_of
from embft.text.stop_words import stop_words
from embft.text.terms import Analyser, analyser_among


@dataclass(frozen=True)
class CorpusTerms:
    """The terms of a corpus, and how questions to it are cut.

    A chunk is cut by the rules of its own language. A question may be about a chunk in any of the corpus's languages, and an
    English name stands in German chunks too; so its words are stemmed by the rules of each of them, and count in any form.
    Where its own language can be told, that one's stop words are left out of all ("die" in a German question does not ask
    for English chunks about dying). A corpus in one language, or one in English and Chinese, has one set of rules.

    Attributes:
        chunks: A list of terms each.
    """

    chunks: list[list[str]]
    languages: Languages

    @classmethod
    def of(cls, texts: Sequence[str], declared: str = "auto") -> CorpusTerms:
        """Finds the languages of texts and cuts them.

        Args:
            texts: Chunks.
            declared: A language that all are in; ``auto``: look.
        """
        languages = languages_of(texts, declared)
        readers = analysers_of(languages)
        return cls(
            [readers[language].terms(text) for text, language in zip(texts, languages.each, strict=True)], languages
        )

    def of_contexts(self, contexts: Sequence[str]) -> list[list[str]]:
        """The terms of each chunk's context, cut by the rules for that chunk."""
        cut: dict[tuple[str, str], list[str]] = {}
        for language, context in zip(self.languages.each, contexts, strict=True):
            if (language, context) not in cut:
                cut[language, context] = analyser_among(language, self.languages.all).terms(context)
        return [cut[key] for key in zip(self.languages.each, contexts, strict=True)]

    def question(self, text: str) -> list[list[str]]:
        """See `terms_of_question`."""
        return terms_of_question(text, self.languages)


def terms_of_question(text: str, languages: Languages) -> list[list[str]]:
    """A question's terms by the rules of each language of a corpus; one list where they have the same rules."""
    readers = list(dict.fromkeys(analysers_of(languages).values()))
    if len(readers) == 1:
        return [readers[0].terms(text)]
    asked_in = language_of_question(text, languages.all)
    without = stop_words(asked_in) if asked_in else frozenset()
    return [reader.terms(text, without) for reader in readers]


def analysers_of(languages: Languages) -> dict[str, Analyser]:
    """The rules for each language of a collection."""
    return {language: analyser_among(language, languages.all) for language in languages.all}

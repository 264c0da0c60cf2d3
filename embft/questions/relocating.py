"""Questions of another run in this corpus: their evidence is looked up again, since pages may have been read another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from embft.questions.evidence import Where
from embft.questions.human import Unmapped
from embft.questions.quotes import QuoteFinder, in_words
from embft.questions.squeezing import SqueezedText, squeeze
from embft.records import Page, Place, Question


class Relocator:
    """Finds places of other readings in these pages.

    Args:
        pages: Of the corpus, those of a document side by side.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = pages
        self._page_of: Mapping[Where, Page] = {(page.document, page.number): page for page in pages}
        self._squeezed: dict[Where, SqueezedText] = {}
        self._finder = QuoteFinder(pages)

    def relocate(self, questions: Iterable[Question]) -> tuple[list[Question], list[Unmapped]]:
        """The questions with their places here, and those that have none."""
        found: list[Question] = []
        lost: list[Unmapped] = []
        for question in questions:
            alternatives: list[tuple[Place, ...]] = []
            grades: list[int] = []
            for number, alternative in enumerate(question.places):
                places = [self._here(place) for place in alternative]
                if places and all(places):
                    alternatives.append(tuple(place for place in places if place))
                    grades += question.grades[number : number + 1]
            if alternatives:
                found.append(replace(question, places=tuple(alternatives), grades=tuple(grades)))
            else:
                lost.append(Unmapped(question.text, self._reason(question)))
        return found, lost

    def _here(self, place: Place) -> Place | None:
        where = (place.document, place.page)
        page = self._page_of.get(where)
        if not place.text:  # a whole page
            return Place(*where, 0, len(page.text)) if page else None
        quote = squeeze(place.text)
        if page and squeeze(page.text[place.start : place.end]) == quote:
            return place
        same = [one for one in self._page_of if one[0] == place.document]
        for one in dict.fromkeys(([where] if page else []) + same + list(self._page_of)):
            if span := next(iter(self._squeeze(one).spans(quote)), None) if quote else None:
                return Place(*one, *span, place.text)
        document = place.document if same else None
        nearby = self._finder.find(place.text, document, place.page if document else None).places
        return Place(nearby[0].document, nearby[0].page, nearby[0].start, nearby[0].end, place.text) if nearby else None

    def _squeeze(self, where: Where) -> SqueezedText:
        if where not in self._squeezed:
            self._squeezed[where] = SqueezedText(self._page_of[where].text)
        return self._squeezed[where]

    def _reason(self, question: Question) -> str:
        quote = next((place.text for alternative in question.places for place in alternative if place.text), "")
        if not quote:
            return "its page is not in this corpus"
        return f"its evidence is not in this corpus: “{quote[:80]}”" + in_words(self._finder.find(quote))

    def stretch(self, place: Place) -> Place | None:
        """A stretch that is held back: the whole page where the format has pages, else as far as the text goes."""
        page = self._page_of.get((place.document, place.page))
        if page is None:
            return None
        whole = place.page is not None
        return replace(place, start=0 if whole else place.start, end=len(page.text) if whole else place.end)

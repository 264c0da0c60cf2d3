"""What is known of each test question before anything is ranked: what results are sliced by."""

from __future__ import annotations

import re
from collections.abc import Mapping

from embft.dataset.truncation import Sight
from embft.records import RetrievalDataset
from embft.text.codes import name_of
from embft.text.content_words import words_shared
from embft.text.languages import languages_of
from embft.text.question_words import asked_for, knows

Trait = str | float
_KINDS = (
    ("how much or many", re.compile(r"\bhow (?:many|much|long|often|large|big)\b|多少|几[个年次天种]|多久|多大")),
    ("why", re.compile(r"\bwhy\b|为什么|为何|原因")),
    ("how", re.compile(r"\bhow\b|如何|怎么|怎样|怎")),
    ("who", re.compile(r"\bwho(?:se|m)?\b|谁|何人")),
    ("when or where", re.compile(r"\b(?:when|where)\b|何时|什么时候|哪里|何地|哪年")),
    ("what or which", re.compile(r"\b(?:what|which)\b|什么|哪|何谓")),
    (
        "yes or no",
        re.compile(r"^(?:is|are|was|were|do|does|did|can|could|may|should|will|would|has|have|must)\b|吗|是否|能否"),
    ),
)


def traits_of(
    dataset: RetrievalDataset,
    sights: Mapping[str, Sight],
    hidden: Mapping[str, str],
    origins: Mapping[str, str],
    places: Mapping[str, tuple[str, int | None]],
) -> dict[str, dict[str, Trait]]:
    """Traits of each question, name to a label or a number; what is not known is left out.

    Args:
        dataset: The test questions with the corpus that they search.
        sights: How the model sees the relevant chunks.
        hidden: Questions whose evidence the model does not read.
        origins: Question id to what made it.
        places: Chunk id to document and page.
    """
    some_cut = any(sight.end < len(dataset.corpus[key]) for key, sight in sights.items())
    spoken = dict(zip(dataset.corpus, languages_of(list(dataset.corpus.values())).each, strict=True))
    traits: dict[str, dict[str, Trait]] = {}
    for question_id, text in dataset.queries.items():
        ids = dataset.relevant_docs[question_id]
        first = ids[0]
        passage = "\n".join(dataset.corpus[key] for key in ids)
        own: dict[str, Trait] = {
            "kind of question": kind_of(text, spoken[first]),
            "made by": origins.get(question_id, "file"),
            "words shared with the passage": words_shared(text, passage, spoken[first]),
            "tokens of the chunk": float(sights[first].tokens),
        }
        if len(set(spoken.values())) > 1:
            own["language of the chunk"] = name_of(spoken[first])
        if some_cut:
            whole = any(sights[key].end >= len(dataset.corpus[key]) for key in ids)
            own["chunk is read"] = "whole" if whole else "cut, evidence hidden" if question_id in hidden else "cut"
        if first in places:
            document, page = places[first]
            own["document"] = document
            if page is not None:
                own["page"] = float(page)
        traits[question_id] = own
    return traits


def kind_of(question: str, language: str = "en") -> str:
    """The question word that decides what is asked for; ``keywords or other`` where there is none."""
    if knows(language) and (asked := asked_for(question, language)):
        return asked
    text = question.strip().casefold()
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "keywords or other")

import re
from collections.abc import Sequence

import pytest

from embft.dataset.traits import kind_of, traits_of
from embft.dataset.truncation import Sight, hidden_evidence, sights_of, truncation_findings
from embft.records import RetrievalDataset

FIRST = "The company sells graphics cards to gamers. "
LAST = "Its headquarters are in Santa Clara, California."


def words(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """A tokenizer whose tokens are words."""
    return [[found.span() for found in re.finditer(r"\S+", text)] for text in texts]


def read(limit: int) -> dict[str, Sight]:
    """What is seen of the corpus in so many words."""
    texts = list(DATASET.corpus.values())
    ends = [
        spans[limit - 1][1] if len(spans) > limit else len(text)
        for text, spans in zip(texts, words(texts), strict=True)
    ]
    return sights_of(DATASET.corpus, words, ends)


DATASET = RetrievalDataset(
    {"seen": "what does the company sell to gamers", "unseen": "where are the headquarters", "short": "how tall"},
    {"long": FIRST + LAST, "brief": "It is ten feet tall.", "bare": ""},
    {"seen": ("long",), "unseen": ("long",), "short": ("brief",)},
)


def test_a_chunk_is_seen_up_to_the_last_token_that_fits():
    assert read(8) == {"long": Sight(14, len(FIRST + "Its"), 6), "brief": Sight(5, 20), "bare": Sight(0, 0)}
    assert sights_of(DATASET.corpus, words, None)["long"].end == len(FIRST + LAST)
    assert sights_of({}, words, None) == {}


def test_a_question_about_the_sentence_beyond_the_limit_is_named():
    assert hidden_evidence(DATASET, read(8)) == {"unseen": LAST}
    assert hidden_evidence(DATASET, sights_of(DATASET.corpus, words, None)) == {}


def test_the_finding_counts_chunks_text_and_questions():
    sights = read(8)
    (found,) = truncation_findings(DATASET, sights, hidden_evidence(DATASET, sights))
    assert "Some chunks are truncated: 1 of 3 are longer than what the model reads, 8 tokens, which" in found.text
    assert "hides 32% of the text" in found.text  # 6 of 19 tokens
    assert "1 of 3 test questions" in found.text
    assert found.examples[0]["unread sentence"] == LAST
    assert truncation_findings(DATASET, read(14), {}) == []


def test_traits_say_what_is_known_and_leave_out_the_rest():
    sights = read(8)
    traits = traits_of(DATASET, sights, hidden_evidence(DATASET, sights), {"seen": "human"}, {"brief": ("a.pdf", 3)})
    assert traits["unseen"]["chunk is read"] == "cut, evidence hidden"
    assert (traits["seen"]["chunk is read"], traits["seen"]["made by"]) == ("cut", "human")
    assert traits["short"] == {
        "kind of question": "how", "made by": "file", "words shared with the passage": 1.0,
        "tokens of the chunk": 5.0, "chunk is read": "whole", "document": "a.pdf", "page": 3.0,
    }  # fmt: skip
    assert "page" not in traits["seen"]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many shares are there?", "how much or many"),
        ("how do I stop a loop", "how"),
        ("loop early exit", "keywords or other"),
        ("Is a tuple mutable?", "yes or no"),
        ("Which exchange lists it?", "what or which"),
        ("When does it expire?", "when or where"),
        ("为什么需要合同", "why"),
        ("用人单位应当如何处理", "how"),
        ("是否需要书面通知", "yes or no"),
        ("谁负责保管", "who"),
    ],
)
def test_kinds_of_questions(question: str, kind: str):
    assert kind_of(question) == kind

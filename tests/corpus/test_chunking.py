import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.corpus.chunking import chunk_pages
from embft.corpus.python_reference import read_topics
from embft.records import Page
from embft.text.tokens import count

PIECES = st.sampled_from(
    [
        "Revenue rose by 61% to $15.01 billion. ",
        "今天天气很好，我们去公园。",
        "\n\n",
        "\n",
        "Heading",
        "12 34",
        "x" * 80,
        " ",
    ]
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a word here", 3), ("internationalization", 3), ("你好，world", 4), ("$26,974", 4), ("self_test", 3)],
)
def test_tokens_follow_the_rule(text: str, tokens: int) -> None:
    assert count(text) == tokens


def test_tokens_are_close_to_those_of_wordpiece(minilm_folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm_folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = list(read_topics().values())
    real = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    assert sum(map(count, texts)) == pytest.approx(real, rel=0.1)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=60), st.integers(16, 64), st.integers(0, 15))
def test_chunks_are_spans_of_their_page_and_lose_no_letter(pieces: list[str], max_tokens: int, overlap: int) -> None:
    page = Page("a.md", 3, "".join(pieces))
    chunks = chunk_pages([page], max_tokens, overlap)
    covered = set()
    for chunk in chunks:
        assert chunk.text == page.text[chunk.start : chunk.end]
        assert (chunk.document, chunk.page) == ("a.md", 3)
        assert any(map(str.isalpha, chunk.text))
        assert count(chunk.text) <= 1.15 * max_tokens
        covered.update(range(chunk.start, chunk.end))
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert all(index in covered for index, character in enumerate(page.text) if character.isalpha())


def test_chinese_is_cut_at_sentence_ends() -> None:
    text = "我们去公园。你要不要一起来？天气非常好！明天可能会下雨。后天也许又是晴天。" * 4
    chunks = chunk_pages([Page("a.txt", None, text)], 30)
    assert len(chunks) > 3
    assert all(chunk.text[-1] in "。！？" for chunk in chunks)


def test_a_heading_goes_with_the_text_below_it() -> None:
    body = "This sentence has just about ten tokens in it all. " * 4
    text = f"{body.strip()}\n\nThe Next Heading\n\n{body.strip()}"
    assert [chunk.text.split("\n")[0] for chunk in chunk_pages([Page("a", 1, text)], 50)] == [
        body.strip(),
        "The Next Heading",
    ]


def test_a_scrap_joins_its_neighbour() -> None:
    body = "word " * 40
    text = f"{body.strip()}.\n\nThe end."
    assert [chunk.text for chunk in chunk_pages([Page("a", 1, text)], 42)] == [text]


def test_ids_are_stable_and_equal_chunks_are_told_apart() -> None:
    sentence = "Exactly the same sentence again and again here."
    page = Page("a", 1, f"{sentence}\n\n\n{sentence}")
    first, second = chunk_pages([page], 10)
    assert re.fullmatch("[0-9a-f]{16}", first.id)
    assert second.id == f"{first.id}-2"
    assert [chunk.id for chunk in chunk_pages([Page("b", 1, "Other."), page], 10)][1:] == [first.id, second.id]


def test_a_page_of_numbers_gives_no_chunk() -> None:
    assert chunk_pages([Page("a", 1, "1,234 5,678\n— 12 %")], 64) == []

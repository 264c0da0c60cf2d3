import re

from embft.corpus.chunking import chunk_pages
from embft.corpus.python_reference import drop_repeated, read_topics, reference_pages

SHARED = "A sentence that is long enough to be told apart from any other one."


def test_a_paragraph_is_kept_in_the_shortest_topic_that_has_it() -> None:
    texts = {"compound": f"Intro of the long topic.\n\n{SHARED}\n\nMore of it.", "if": SHARED}
    assert drop_repeated(texts) == ({"compound": "Intro of the long topic.\n\nMore of it.", "if": SHARED}, 1)


def test_short_paragraphs_go_only_with_their_neighbour() -> None:
    texts = {"short": f"Example:\n\n{SHARED}", "long": f"Example:\n\n{SHARED}\n\nExample:\n\nAnother one altogether."}
    assert drop_repeated(texts)[0]["long"] == "Example:\n\nAnother one altogether."


def test_footnote_numbers_make_no_difference() -> None:
    texts = {"b": f"Own text. {'x' * 30}\n\n{SHARED} [3]", "a": f"{SHARED} [1]"}
    assert drop_repeated(texts)[1] == 1


def test_the_interpreters_reference_is_clean() -> None:
    pages, joined, repeated = reference_pages(read_topics())
    text = "\n".join(page.text for page in pages)
    assert len(pages) > 50
    assert joined > 1000
    assert repeated > 100
    assert not re.search(r"^(\*{4,}|={4,}|-{4,})$", text, re.MULTILINE)
    # A topic may repeat itself; two topics never share a paragraph.
    paragraphs = [{part for part in page.text.split("\n\n") if len(part) > 60} for page in pages]
    assert sum(map(len, paragraphs)) == len(set().union(*paragraphs))


def test_no_chunk_stands_in_two_topics() -> None:
    chunks = chunk_pages(reference_pages(read_topics())[0], 256)
    assert 200 < len(chunks) < 800
    assert len({chunk.text for chunk in chunks}) == len(chunks)

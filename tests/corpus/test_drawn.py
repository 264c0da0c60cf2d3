"""``corpus.share``: some of the documents, the same ones each time, with the questions about them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import as_config
from embft.config.problems import problems
from embft.corpus.drawn import drawn_pages, is_drawn
from embft.corpus.reading import ReadingReport
from embft.records import Chunk, Page
from embft.steps.corpus import make_corpus
from embft.steps.held_back import hold_back_questions
from embft.steps.reading import read_corpus_documents
from embft.steps.workspace import Workspace

CONFIGS = str(Path(__file__).parents[2] / "configs")
NAMES = [f"report {number}.txt" for number in range(400)]
register()


def test_a_larger_share_holds_a_smaller_one():
    drawn = {share: {name for name in NAMES if is_drawn(name, share)} for share in (0.1, 0.5, 1.0)}
    assert drawn[0.1] < drawn[0.5] < drawn[1.0] == set(NAMES)
    assert 160 < len(drawn[0.5]) < 240


def test_what_is_left_is_counted_and_said():
    pages = [Page(name, number, "four") for name in NAMES for number in (1, 2)]
    chunks = [Chunk(f"{page.document}.{page.number}", page.text, page.document, page.number, 0, 4) for page in pages]
    left, parts, report = drawn_pages(pages, chunks, ReadingReport(400, 800, 3200), 0.5)
    assert {page.document for page in left} == {name for name in NAMES if is_drawn(name, 0.5)}
    assert parts is not None
    assert [(chunk.document, chunk.page) for chunk in parts] == [(page.document, page.number) for page in left]
    assert (report.pages, report.characters) == (len(left), 4 * len(left))
    assert report.warnings == (
        f"{report.documents} of 400 documents were drawn (corpus.share=0.5); the others are not searched.",
    )


def test_one_document_stays_whatever_the_share():
    left, _, report = drawn_pages([Page("handbook.pdf", 1, "text")], None, ReadingReport(1, 1, 4), 1e-9)
    assert ([page.document for page in left], report.warnings) == (["handbook.pdf"], ())


def test_people_s_questions_about_other_documents_are_left_out_and_counted(tmp_path):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        config = as_config(compose("config", overrides=["experiment=demo", f"cache_dir={tmp_path}"]))
    workspace = Workspace(config, tmp_path)
    reading = read_corpus_documents(workspace)
    corpus = make_corpus(workspace, reading)
    asked = hold_back_questions(workspace, reading, corpus)
    read = {page.document for page in reading.value.pages}
    assert read
    assert all(is_drawn(name, 0.5) for name in read)
    places = [one for own in asked.value.held.questions.values() for question in own for one in question.places]
    assert {place.document for one in places for place in one} <= read
    assert not asked.value.unmapped
    (note,) = asked.value.report["warnings"]
    assert note.endswith("are about documents that were not drawn, and were left out (corpus.share).")


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_is_between_0_and_1(share):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        config = as_config(compose("config", overrides=[f"corpus.share={share}"]))
    assert [one.partition(" ")[0] for one in problems(config)] == [f"corpus.share={float(share)}"]

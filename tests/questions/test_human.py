"""People's questions find the chunks that hold their quote, whatever the chunking."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.errors import QuestionError
from embft.questions import HumanQuestion, map_to_chunks, read_human
from embft.records import Chunk, Page

TEXT = "The else clause of a loop runs when no break occurs. The finally clause always runs, whatever happens before."
PAGE = Page("guide/loops.md", 3, TEXT)


def cut(page: Page, *borders: int) -> list[Chunk]:
    ends = [0, *borders, len(page.text)]
    return [
        Chunk(f"{page.document}:{start}", page.text[start:end], page.document, page.number, start, end)
        for start, end in pairwise(ends)
    ]


def quoting(evidence: str, document: str | None = None) -> HumanQuestion:
    return HumanQuestion("what runs?", evidence, document, None, "mine.jsonl, line 1")


def found(row: HumanQuestion, pages: list[Page], chunks: list[Chunk]) -> set[str]:
    questions, unmapped = map_to_chunks([row], pages, chunks)
    assert not unmapped
    return set(questions[0].chunk_ids)


def test_a_quote_makes_its_chunk_relevant() -> None:
    assert found(quoting("when no break occurs"), [PAGE], cut(PAGE, 53)) == {"guide/loops.md:0"}


@pytest.mark.parametrize(
    "evidence",
    ["WHEN NO\n   break occurs", "when\tno break\u00a0occurs.", "whennobreakoccurs"],
)
def test_white_space_and_case_do_not_count(evidence: str) -> None:
    assert found(quoting(evidence), [PAGE], cut(PAGE, 53)) == {"guide/loops.md:0"}


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("It’s the “with” statement – really.", 'it\'s the "with" statement - really.'),
        ("Le cafe\u0301 ferme.", "le caf\u00e9 ferme."),
        ("Le caf\u00e9 ferme.", "le cafe\u0301 ferme."),
        ("The ﬁnal eﬀect.", "the final effect."),
    ],
)
def test_typography_does_not_count(text: str, quote: str) -> None:
    page = Page("d", 1, text)
    assert found(quoting(quote), [page], cut(page)) == {"d:0"}


def test_the_document_is_only_a_hint() -> None:
    assert found(quoting("no break occurs", "elsewhere.md"), [PAGE], cut(PAGE)) == {"guide/loops.md:0"}


def test_the_same_passage_elsewhere_is_relevant_too() -> None:
    copy = Page("copy.md", None, TEXT)
    assert found(quoting("no break occurs"), [PAGE, copy], [*cut(PAGE), *cut(copy)]) == {
        "guide/loops.md:0",
        "copy.md:0",
    }


def test_a_quote_across_chunks_is_answered_by_those_with_half_of_it() -> None:
    page = Page("d", 1, "aaaaaaaaaabbbbbbbbbb")
    assert found(quoting(page.text), [page], cut(page, 10)) == {"d:0", "d:10"}
    assert found(quoting(page.text), [page], cut(page, 4)) == {"d:4"}


def test_where_no_chunk_has_half_the_one_with_most_answers() -> None:
    page = Page("d", 1, "aaaaaaaaaabbbbbbbbbb")
    assert found(quoting(page.text), [page], cut(page, 6, 14)) == {"d:6"}


def test_document_and_page_make_all_its_chunks_relevant() -> None:
    row = HumanQuestion("what runs?", None, "guide/loops.md", 3, "mine.jsonl, line 1")
    assert found(row, [PAGE], cut(PAGE, 53)) == {"guide/loops.md:0", "guide/loops.md:53"}


def test_a_quote_that_is_nowhere_is_named_with_its_place() -> None:
    questions, unmapped = map_to_chunks([quoting("made of green cheese")], [PAGE], cut(PAGE))
    assert not questions
    assert "green cheese" in unmapped[0].reason
    assert "mine.jsonl, line 1" in unmapped[0].reason


def test_a_page_that_is_not_there_is_named() -> None:
    row = HumanQuestion("what runs?", None, "guide/loop.md", 3, "mine.jsonl, line 1")
    reason = map_to_chunks([row], [PAGE], cut(PAGE))[1][0].reason
    assert "guide/loops.md" in reason


@given(st.text(alphabet="abc “”’\n\u00e9e\u0301ß", min_size=1), st.integers(0, 60), st.integers(1, 60))
def test_every_quote_of_a_page_is_found(text: str, start: int, length: int) -> None:
    page, quote = Page("d", 1, text), text[start : start + length]
    questions, unmapped = map_to_chunks([quoting(quote)], [page], cut(page)) if quote.strip() else ([], [])
    assert not unmapped
    assert all(question.chunk_ids == ("d:0",) for question in questions)


def test_a_file_gives_its_questions(tmp_path: Path) -> None:
    rows = [{"question": "wann?", "evidence": "e"}, {"question": "什么？", "document": "a.pdf", "page": 2}]
    file = tmp_path / "mine.jsonl"
    file.write_text("\ufeff" + "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert [(row.question, row.page, row.where.split(", ")[-1]) for row in read_human(str(file))] == [
        ("wann?", None, "line 1"),
        ("什么？", 2, "line 3"),
    ]


def test_all_wrong_lines_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(
        '{"question": "ok", "evidence": "e"}\nnot json\n{"question": "no evidence"}\n[1]\n', encoding="utf-8"
    )
    with pytest.raises(QuestionError) as error:
        read_human(str(file))
    for part in ("3 lines", "line 2: not JSON", "line 3: neither evidence nor document and page", "line 4", str(file)):
        assert part in str(error.value)


@pytest.mark.parametrize("source", ["no_such_file.jsonl", "bundled:no_such"])
def test_a_missing_source_is_named(source: str) -> None:
    with pytest.raises(QuestionError, match="no_such"):
        read_human(source)


def test_bundled_questions_of_several_files_are_read_together() -> None:
    rows = read_human("bundled:python_reference")
    assert len(rows) >= 150
    assert all(row.evidence for row in rows)
    assert len({row.where.split(",")[0] for row in rows}) > 1

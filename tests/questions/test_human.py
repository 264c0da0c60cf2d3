"""People's questions find the chunks that hold their quote, regardless of chunk size."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.errors import QuestionError
from embft.questions import HumanQuestion, map_to_chunks, read_human, require_mapped
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
    mapped = map_to_chunks([row], pages, chunks)
    assert not mapped.unmapped
    return set(mapped.questions[0].chunk_ids)


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
    mapped = map_to_chunks([quoting("made of green cheese")], [PAGE], cut(PAGE))
    assert not mapped.questions
    assert "green cheese" in mapped.unmapped[0].reason
    assert "mine.jsonl, line 1" in mapped.unmapped[0].reason


def test_a_page_that_is_not_there_is_named() -> None:
    row = HumanQuestion("what runs?", None, "guide/loop.md", 3, "mine.jsonl, line 1")
    reason = map_to_chunks([row], [PAGE], cut(PAGE)).unmapped[0].reason
    assert "guide/loops.md" in reason


@given(st.text(alphabet="abc “”’\n\u00e9e\u0301ß", min_size=1), st.integers(0, 60), st.integers(1, 60))
def test_every_quote_of_a_page_is_found(text: str, start: int, length: int) -> None:
    page, quote = Page("d", 1, text), text[start : start + length]
    mapped = map_to_chunks([quoting(quote)] if quote.strip() else [], [page], cut(page))
    assert not mapped.unmapped
    assert all(question.chunk_ids == ("d:0",) for question in mapped.questions)


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
    for part in ("2 lines", "line 2: not JSON", "line 4: not an object", str(file)):
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


CHUNKS = [Chunk(f"c{at}", f"text {at}", "d", None, 0, 6) for at in range(5)]


def read(folder: Path, name: str, content: str | bytes) -> list[HumanQuestion]:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read_human(str(folder / name))


def test_a_line_separator_within_a_line_does_not_end_it(tmp_path: Path) -> None:
    text = json.dumps({"question": "is it\u2028so?", "evidence": "a\u2029b"}, ensure_ascii=False)
    assert [row.evidence for row in read(tmp_path, "a.jsonl", text)] == ["a\u2029b"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.txt", "how to stop\n\nwhat is it?\nhow to stop\n"),
        ("log.csv", "query\nhow to stop\nwhat is it?\nhow to stop\n"),
        ("log.csv", "how to stop\nwhat is it?\nhow to stop\n"),
        ("log.csv", "query,count\nhow to stop,2\nwhat is it?,1\n"),
        ("log.csv", "\ufeffQuery;Count\r\nhow to stop;2\r\nwhat is it?;1\r\n".encode("utf-16")),
        ("log.tsv", "question\tfrequency\nhow to stop\t2\nwhat is it?\t1\n"),
        ("log.jsonl", '{"query": "how to stop", "count": 2}\n{"question": "what is it?"}\n'),
        ("log.json", '[{"query": "how to stop", "count": 2}, {"question": "what is it?"}]'),
    ],
)
def test_a_query_log_is_kept_unjudged_with_its_counts(tmp_path: Path, name: str, content: str | bytes) -> None:
    mapped = map_to_chunks(read(tmp_path, name, content), [], CHUNKS)
    assert mapped.unjudged == {"how to stop": 2, "what is it?": 1}
    assert not mapped.questions
    with pytest.raises(QuestionError, match="says what answers it"):
        require_mapped(mapped, name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"question": "q?", "chunk_ids": ["c1", "c2"], "grades": [1, 3], "count": 4}'),
        ("a.jsonl", '{"question": "q?", "chunk_ids": {"c1": 1, "c2": 3, "c3": 0}, "count": 4}'),
        ("a.csv", "question,chunk_ids,grades,count\nq?,c1|c2,1|3,4\n"),
        ("a.csv", "question;chunk_id;grade;count\nq?;c1;1;4\nq?;c2;3;4\nq?;c3;0;4\n"),
    ],
)
def test_chunk_ids_and_grades_are_taken_as_they_are(tmp_path: Path, name: str, content: str) -> None:
    (question,) = map_to_chunks(read(tmp_path, name, content), [], CHUNKS).questions
    assert (question.chunk_ids, question.grades, question.count) == (("c1", "c2"), (1, 3), 4)


def test_chunk_ids_may_be_numbers_from_0(tmp_path: Path) -> None:
    chunks = [Chunk("0", "zero", "d", None, 0, 4)]
    (question,) = map_to_chunks(read(tmp_path, "a.jsonl", '{"question": "q?", "chunk_ids": [0]}'), [], chunks).questions
    assert (question.chunk_ids, question.grades) == (("0",), ())


def test_what_the_corpus_lacks_is_named_and_a_third_lost_is_said(tmp_path: Path) -> None:
    rows = [
        {"question": "a?", "chunk_ids": ["c1", "gone"]},
        {"question": "b?", "chunk_ids": ["gone"]},
        {"question": "c?"},
    ]
    mapped = map_to_chunks(read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows))), [], CHUNKS)
    assert [question.chunk_ids for question in mapped.questions] == [("c1",)]
    assert mapped.unmapped[0].reason.startswith("the corpus has no chunk 'gone'")
    assert [text.split(" human")[0] for text in mapped.warnings if "human" in text] == ["1 of 2", "1"]
    require_mapped(mapped, "a.jsonl")


def test_questions_of_another_corpus_are_refused() -> None:
    mapped = map_to_chunks([quoting("made of green cheese")], [PAGE], cut(PAGE))
    with pytest.raises(QuestionError, match="none of its 1 questions has its place"):
        require_mapped(mapped, "mine.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "frage;antwort\nwas?;das\n", "Columns found: frage, antwort (separated by semicolons)"),
        ("a.csv", "question,chunk_ids,grades\nq?,c1|c2,1|2|3\n", "3 grades for 2 chunk ids"),
        ("a.jsonl", '{"question": "q?", "question": "r?"}', "stands twice"),
        ("a.jsonl", '{"question": "q?", "page": 3}', "a page without its document"),
        ("a.jsonl", '{"question": "q?", "document": "a.pdf"}', "a document without a page"),
        ("a.jsonl", '{"question": "q?", "count": 0.5}', "the count 0.5 is no whole number"),
        ("a.jsonl", "[" * 100_000, "not"),
        ("a.txt", bytes(range(32)) * 9, "it is binary"),
        ("a.txt", "\n \n", "holds no question"),
    ],
)
def test_a_wrong_file_of_questions_is_told_in_words(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(QuestionError) as error:
        read(tmp_path, name, content)
    assert said in str(error.value)

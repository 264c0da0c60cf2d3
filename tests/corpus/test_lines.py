from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from embft.corpus.cleaning import clean_characters, join_hyphenated, vocabulary
from embft.corpus.lines import join_lines, usual_width

PROSE = [
    "Compound statements contain groups of other statements; they affect or",
    "control the execution of those other statements in some way.  In general,",
    "compound statements span multiple lines.",
]


def join(text: str, width: int = 72, slack: float = 0.85) -> str:
    lines = text.split("\n")
    return join_lines(lines, width, vocabulary([text]), slack)[0]


def test_wrapped_lines_become_a_paragraph() -> None:
    text, joined = join_lines(PROSE, 72, Counter())
    assert text == " ".join(" ".join(PROSE).split())
    assert joined == 2


def test_blank_lines_separate_paragraphs_and_two_of_them_stay_two() -> None:
    assert join("One.\n\nTwo.\n\n\nThree.") == "One.\n\nTwo.\n\n\nThree."


def test_chinese_is_joined_without_a_space_and_latin_words_keep_theirs() -> None:
    assert join("本节说明如何在一台新的机器上安装软件包\n并且进行必要的各项配置，使用 Debian\n系统。", 40) == (
        "本节说明如何在一台新的机器上安装软件包并且进行必要的各项配置，使用 Debian 系统。"
    )


def test_list_items_stay_apart_and_keep_their_continuations() -> None:
    text = "* If either argument is a complex number, the other one is converted to\n  complex;\n* otherwise, nothing."
    assert join(text) == (
        "* If either argument is a complex number, the other one is converted to complex;\n* otherwise, nothing."
    )


def test_a_bullet_on_a_line_of_its_own_joins_its_text() -> None:
    assert join("•\nfirst point\n•\nsecond point") == "• first point\n• second point"


def test_table_rows_stay_lines() -> None:
    rows = "Revenue 100.0 % 100.0 %\nCost of revenue 43.1 35.1\nGross profit 56.9 64.9"
    assert join(rows, 30) == rows


def test_a_grid_table_becomes_one_line_a_row() -> None:
    table = "+-----+-------+\n| a   | b     |\n|=====|=======|\n| one | two   |\n|     | words |\n+-----+-------+"
    assert join(table) == "a | b\none | two words"


def test_indented_code_stays_as_it_is() -> None:
    code = "    for value in values:\n        print(value)\n    else:\n        stop()"
    assert join(f"See:\n\n{code}") == f"See:\n\n{code}"


def test_indented_prose_is_joined() -> None:
    text = "\n".join("   " + line for line in PROSE)
    assert join(text, 76) == join("\n".join(PROSE))


def test_a_heading_is_not_swallowed_by_the_paragraphs_around_it() -> None:
    text = "\n".join(
        [*PROSE[:2], "compound statements span lines, and so on to the end of the line, fully.", "Our Work", *PROSE]
    )
    assert "\n\nOur Work\n\nCompound" in join(text)


def test_a_capital_heading_stays_apart_however_long_it_is() -> None:
    head = "ITEM 7. MANAGEMENT'S DISCUSSION AND ANALYSIS OF FINANCIAL CONDITION AND"
    assert join("\n".join([head, *PROSE])).startswith(head + "\n")


def test_the_document_decides_whether_a_hyphen_belongs_to_a_word() -> None:
    words = vocabulary(["information and a write-off of the long term debt, re and port"])
    assert join_hyphenated("some infor", "mation here", words) == "some information here"
    assert join_hyphenated("the write", "off of", words) == "the write-off of"
    assert join_hyphenated("a long", "term view", words) == "a long-term view"
    assert join_hyphenated("Black", "Scholes", words) == "Black-Scholes"
    assert join_hyphenated("unseen frag", "mentum", words) == "unseen fragmentum"


def test_characters_that_nobody_sees_are_gone() -> None:
    assert clean_characters("a\x00b\u200bc\ufeff\r\nd\u00a0e\uf0b7 \ufb01n\u2f00 e\u0301") == "abc\nd e• fin一 é"


def test_table_rows_do_not_decide_the_width() -> None:
    assert usual_width(["x" * 60] * 9 + ["Total " + "1,000 " * 40]) == 60


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=90), max_size=12))
def test_joining_keeps_every_letter_in_order(lines: list[str]) -> None:
    cleaned = clean_characters("\n".join(lines)).split("\n")
    text, joined = join_lines(cleaned, usual_width(cleaned), vocabulary(cleaned))
    assert [c for c in text if c.isalnum()] == [c for c in "".join(cleaned) if c.isalnum()]
    assert 0 <= joined < max(1, len(cleaned))


def test_a_long_line_of_numbers_is_read_at_once() -> None:
    # Any number of numbers with two spaces between them once took a time that doubled with each: forever, at fifty.
    figures = "0.5  " * 5_000
    assert usual_width([figures, "x" * 60, figures]) == 60
    assert usual_width([figures + "in all"] * 2) == len(figures) + len("in all")

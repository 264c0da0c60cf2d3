"""Columns are read one after the other; everything else stays as the file has it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
from pdf_bytes import Placed, placed_pdf

from embft.corpus.pdf_columns import in_reading_order
from embft.corpus.pdf_words import quarter_turns, read_words

WORDS = (
    "the harbour office keeps a log of every tide and the height of water at its north pier where one keeper writes "
    "readings at six in a morning again evening when gauge is out order he takes it from painted staff survey checks "
    "these against tables and returns list doubtful ones which are marked with cross left yearly mean"
).split()
HANZI = "港务局每天记录北码头的潮汐和水位早晨六点傍晚又读一次仪器损坏时看守人按标尺读数寄给测量所核对有疑问的划去不计入年平均值"
LEAD = 12.0


def prose(rng: random.Random, columns: int, lines: int) -> list[str]:
    """Wrapped sentences, as a typesetter fills a column; most paragraphs end on a shorter line."""
    found: list[str] = []
    while len(found) < lines:
        line = rng.choice(WORDS).capitalize()
        for _ in range(rng.randint(12, 60)):
            word = rng.choice(WORDS)
            if len(line) + 1 + len(word) > columns:
                found.append(line)
                line = word
            else:
                line += f" {word}"
        found.append(f"{line}."[:columns])
    return found[:lines]


def text_of(data: bytes) -> tuple[str, str | None]:
    document = pypdfium2.PdfDocument(data)
    text_page = document[0].get_textpage()
    text = text_page.get_text_range()
    return text, in_reading_order(text, read_words(text_page, text, quarter_turns(text_page, text)))


def lay_out(columns: Sequence[Sequence[str]], width: int, top: float, shift: float = 0.0) -> list[list[Placed]]:
    step = width * 6 + 20
    return [
        [Placed(50 + number * step, top - number * shift - row * LEAD, line) for row, line in enumerate(column)]
        for number, column in enumerate(columns)
    ]


def by_line(columns: Sequence[Sequence[Placed]]) -> list[Placed]:
    rows = max(map(len, columns))
    return [column[row] for row in range(rows) for column in columns if row < len(column)]


def lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("count", [2, 3])
def test_a_file_that_goes_across_the_columns_is_read_down_each_column(seed: int, count: int) -> None:
    rng = random.Random(f"{seed}/{count}")
    width = {2: 38, 3: 24}[count]
    columns = [prose(rng, width, rng.randint(9, 50)) for _ in range(count)]
    placed = lay_out(columns, width, 700, shift=rng.choice([0.0, 4.0]))
    head = [Placed(50, 800, "Tides of the north, volume 7"), Placed(500, 800, str(rng.randint(1, 99)))]
    title = [Placed(50, 740, "On the height of water at the north pier of an old harbour", 12)]
    foot = [Placed(50, 60, "1 Kept by the harbour office since it was built, with a gap of two years in the war.")]
    data = placed_pdf([[*head, *title, *by_line(placed), *foot]])
    text, ordered = text_of(data)
    assert ordered is not None
    found = lines_of(ordered)
    expected = [line for column in columns for line in column]
    start = found.index(expected[0])
    assert found[start : start + len(expected)] == expected
    assert found[start - 1] == title[0].text
    assert found[start + len(expected) :] == [foot[0].text]
    assert sorted(ordered.split()) == sorted(text.split())  # nothing is lost


def test_a_right_column_that_comes_first_in_the_file_is_read_last() -> None:
    rng = random.Random(1)
    left, right = lay_out([prose(rng, 38, 20), prose(rng, 38, 20)], 38, 700)
    _, ordered = text_of(placed_pdf([[*right, *left]]))
    assert ordered is not None
    assert lines_of(ordered) == [line.text for line in [*left, *right]]


def test_a_heading_across_the_page_parts_the_columns_above_it_from_those_below() -> None:
    rng = random.Random(2)
    above = lay_out([prose(rng, 38, 8), prose(rng, 38, 8)], 38, 700)
    heading = Placed(50, 588, "Second part, in which the gauge is moved to the other pier and read again", 11)
    below = lay_out([prose(rng, 38, 9), prose(rng, 38, 7)], 38, 570)
    _, ordered = text_of(placed_pdf([[*by_line(above), heading, *by_line(below)]]))
    assert ordered is not None
    assert lines_of(ordered) == [line.text for line in [*above[0], *above[1], heading, *below[0], *below[1]]]


def test_chinese_columns_are_read_one_after_the_other() -> None:
    rng = random.Random(3)
    columns = [["".join(rng.choices(HANZI, k=22)) for _ in range(12)] for _ in range(2)]
    placed = [
        [Placed(50 + 250 * number, 700 - row * 14, line) for row, line in enumerate(column)]
        for number, column in enumerate(columns)
    ]
    _, ordered = text_of(placed_pdf([by_line(placed)]))
    assert ordered is not None
    assert lines_of(ordered) == [line for column in columns for line in column]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_columns_of_a_rotated_page_are_read_one_after_the_other(rotation: int) -> None:
    rng = random.Random(4)
    placed = lay_out([prose(rng, 38, 12), prose(rng, 38, 12)], 38, 700)
    _, ordered = text_of(placed_pdf([by_line(placed)], b"/Rotate %d" % rotation))
    assert ordered is not None
    assert lines_of(ordered) == [line.text for column in placed for line in column]


@pytest.mark.parametrize("seed", range(5))
def test_columns_in_the_files_order_are_left_alone(seed: int) -> None:
    rng = random.Random(seed)
    columns = lay_out([prose(rng, 38, 30), prose(rng, 38, 30)], 38, 700)
    head = [Placed(50, 800, "Tides of the north"), Placed(500, 800, "12")]
    _, ordered = text_of(placed_pdf([[*head, *columns[0], *columns[1]]]))
    assert ordered is None


def test_a_single_column_is_left_alone() -> None:
    lines = [Placed(50, 700 - row * LEAD, line) for row, line in enumerate(prose(random.Random(5), 80, 40))]
    assert text_of(placed_pdf([lines]))[1] is None


def table(rows: Sequence[Sequence[str]], columns: Sequence[float]) -> list[Placed]:
    """Rows of cells; a cell's lines are parted by a line end, and the file goes from line to line."""
    placed: list[Placed] = []
    baseline = 700.0
    for row in rows:
        cells = [cell.split("\n") for cell in row]
        for number in range(max(map(len, cells))):
            for left, cell in zip(columns, cells, strict=True):
                if number < len(cell) and cell[number]:
                    placed.append(Placed(left, baseline, cell[number]))
            baseline -= LEAD
    return placed


TABLES = {
    "numbers": [[f"Revenue of the part {n}", f"{n * 137}", f"{n * 211}"] for n in range(1, 20)],
    "words": [[word, f"what one says of {word} in the harbour"] for word in WORDS[:20]],
    "commands": [[f"run {word} now", f"starts the {word} that was set up before and waits"] for word in WORDS[:20]],
    "names": [[f"{a.title()} {b.title()} Ltd", f"{b} street {a}, {n} Northport"] for n, (a, b) in
              enumerate(zip(WORDS[:25], WORDS[7:32], strict=True))],
    "cells of several lines": [
        [f"exhibit {n}", "an agreement of the harbour office and\nthe survey, as it was amended by\nthe parties in the autumn"]
        for n in range(10)
    ],
    "two cells of several lines": [
        ["readings that were taken\nin the morning", "the keeper writes them at\nsix and again when the tide\nhas turned"],
        ["readings of the evening", "they are written at the same hour"],
        ["doubtful ones", "marked with a cross, and left out of\nthe yearly mean"],
        ["reports of captains on\nthe heights they met", "kept in a drawer for three years"],
    ] * 3,
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_not_torn(name: str) -> None:
    rows = TABLES[name]
    lefts = [50.0, 280.0, 420.0][: len(rows[0])]
    assert text_of(placed_pdf([table(rows, lefts)]))[1] is None


def test_no_page_of_the_10k_is_changed(nvidia_data: Path) -> None:
    document = pypdfium2.PdfDocument(nvidia_data / "nvidia-sec-10k-2022.pdf")
    for number in range(0, len(document), 4):
        text_page = document[number].get_textpage()
        text = text_page.get_text_range()
        assert in_reading_order(text, read_words(text_page, text, quarter_turns(text_page, text))) is None, number + 1

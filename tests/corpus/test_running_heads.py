from embft.corpus.running_heads import drop_boilerplate


def pages(count: int, head: str = "", foot: str = "", body: int = 10) -> list[list[str]]:
    return [
        [
            *([head] if head else []),
            *(f"page {'abcdefghijklmnop'[n]} says {'xyzuvwrstq'[i]}" for i in range(body)),
            foot.replace("N", str(n + 1)),
        ]
        for n in range(count)
    ]


def test_heads_feet_and_page_numbers_go_and_are_reported() -> None:
    kept, dropped = drop_boilerplate(pages(8, "Annual Report", "Page N of 8"))
    assert all(len(lines) == 10 for lines in kept)
    assert {(item.line, item.pages) for item in dropped} == {("Annual Report", 8), ("Page # of #", 8)}


def test_short_documents_are_left_alone() -> None:
    given = pages(4, "Annual Report", "N")
    assert drop_boilerplate(given) == (given, [])


def test_a_head_of_one_part_of_the_document_goes_there() -> None:
    kept, dropped = drop_boilerplate(pages(6, "Table of Contents") + pages(12))
    assert not any("Table of Contents" in lines for lines in kept)
    assert dropped[0].pages == 6


def test_a_line_on_few_pages_stays() -> None:
    given = pages(12)
    for number in (0, 4, 8, 10, 11):
        given[number].insert(0, "Now and then")
    assert drop_boilerplate(given)[0] == given


def test_numbered_headings_that_do_not_count_pages_stay() -> None:
    given = pages(6)
    for number, lines in zip((21, 23, 31, 31, 32, 35), given, strict=True):
        lines.insert(0, f"EXHIBIT {number}")
    assert drop_boilerplate(given)[0] == given


def test_a_head_of_four_lines_goes_whole() -> None:
    given = [["A Company", "Notes", "To the Statements", "(Continued)", *lines] for lines in pages(6)]
    assert drop_boilerplate(given)[0] == pages(6)


def test_a_line_in_the_middle_of_every_page_stays() -> None:
    given = [[*lines[:5], "the refrain", *lines[5:]] for lines in pages(6)]
    assert drop_boilerplate(given)[0] == given

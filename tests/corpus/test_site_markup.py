"""What sites put around a text: admonitions, shortcodes, answers behind a button, colours of a terminal."""

from __future__ import annotations

import pytest

from embft.corpus.cleaning import clean_characters
from embft.corpus.html import html_text
from embft.corpus.mdx import plain_markdown

W = "Visitors leave the bicycle at the east gate."


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (f'!!! warning "Take care"\n    {W}\n\n    - item\n\nafter', ["Take care", W, "- item", "after"]),
        (f"???+ note\n    {W}", ["Note", W]),
        (f'- list\n\n    !!! tip "In a list"\n        {W}', ["- list", "    In a list", f"    {W}"]),
        (f"/// note | Read this\n{W}\n///\nafter", ["Read this", W, "after"]),
        (f"{{{{< note >}}}}\n{W}\n{{{{< /note >}}}}", [W]),
        (f'{{% hint style="info" %}}\n{W}\n{{% endhint %}}', [W]),
    ],
)
def test_marks_of_site_generators_go_and_their_text_stays(source: str, lines: list[str]) -> None:
    assert [line for line in plain_markdown(source, mdx=False).split("\n") if line.strip()] == lines


@pytest.mark.parametrize(
    "line",
    [
        "!!! important things here.",
        "Why??? not sure",
        "the tag `{% include x %}` of Liquid",
        "{% x in y %}",
        "a /// b",
        "/// usr",
    ],
)
def test_what_only_looks_like_such_a_mark_stays(line: str) -> None:
    assert plain_markdown(line, mdx=False) == line


@pytest.mark.parametrize(
    "opener",
    [
        "<h3><button>Fees</button></h3>",
        "<button>What does it cost?</button>",
        '<div role="button">What does it cost?</div>',
        '<div class="card-header"><button>What does it cost?</button></div>',
    ],
)
@pytest.mark.parametrize("hidden", ["hidden", 'aria-hidden="true"'])
def test_an_answer_that_a_button_shows_is_text(opener: str, hidden: str) -> None:
    assert W in html_text(f"<h1>Questions</h1>{opener}<div {hidden}><p>{W}</p></div><p>{'More. ' * 60}</p>")


def test_a_menu_that_a_button_shows_is_not() -> None:
    page = f"<button>Menu</button><div hidden><p>Home Contact</p></div><p>{W} {'More. ' * 60}</p>"
    assert "Contact" not in html_text(page)


def test_colours_and_letters_struck_over_are_not_text() -> None:
    assert clean_characters("\x1b[1;31mred\x1b[0m \x1b]0;title\x07N\bNA\bA") == "red NA"

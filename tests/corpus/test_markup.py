import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.corpus.decoding import decode
from embft.corpus.html import html_text
from embft.corpus.markdown import markdown_text
from embft.errors import CorpusError

MARKDOWN = """---
title: Front matter
---
# A *marked* heading

Hard
wrapped [link](http://example.org) and `code`.
中文
文字

- one
  - two
- three

```python
def f():
    return 1
```

| a | b |
|---|---|
| 1 | 2 |
"""
PAGE = """<html><head><title>Guide - The Site</title><style>p {}</style></head><body><header>menu</header>
<nav>links</nav><main><article><header><h1>Guide<a class="headerlink">¶</a></h1></header><p>One
 line <b>bold</b>.</p><ul><li><p>x</p></li><li>y</li></ul><table><tr><th>h</th><th>i</th></tr>
<tr><td>1</td><td>2</td></tr></table><pre>def f():
    return</pre></article></main><footer>legal</footer><script>track()</script></body></html>"""


def test_markdown_keeps_text_and_loses_marks() -> None:
    assert markdown_text(MARKDOWN) == (
        "Front matter\n\nA marked heading\n\nHard wrapped link and code. 中文文字\n\n- one\n  - two\n- three\n\n"
        "    def f():\n        return 1\n\na | b\n1 | 2"
    )


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert markdown_text("---\n\nkept text\n\n---\n\nmore") == "kept text\n\nmore"


def test_headings_stand_after_two_blank_lines() -> None:
    assert markdown_text("text\n\n## Next\n\nmore") == "text\n\n\nNext\n\nmore"


def test_html_keeps_what_a_reader_reads() -> None:
    assert html_text(PAGE) == "Guide\n\nOne line bold.\n\n- x\n- y\n\nh | i\n1 | 2\n\n    def f():\n        return"


def test_a_title_that_the_page_does_not_repeat_comes_first() -> None:
    assert html_text("<title>News</title><p>Text.</p>") == "News\n\nText."


def test_deeply_nested_html_is_read() -> None:
    assert "deep" in html_text("<div>" * 5000 + "deep")


@pytest.mark.parametrize(
    ("encoding", "text", "found"),
    [
        ("utf-8", "naïve 中文", "utf-8"),
        ("utf-8-sig", "naïve", "utf-8"),
        ("utf-16", "naïve 中文", "utf-16-le"),
        ("utf-16-le", "plain text without a mark", "utf-16-le"),
        ("gb18030", "中文文本，没有标记。", "gb18030"),
        ("cp1252", "café naïve “quoted” été", "windows-1252"),
    ],
)
def test_each_encoding_is_recognised(encoding: str, text: str, found: str) -> None:
    decoded = decode(text.encode(encoding))
    assert (decoded.text, decoded.encoding) == (text, found)


def test_an_html_page_is_taken_at_its_word() -> None:
    data = '<meta charset="big5"><p>繁體中文</p>'.encode("big5")
    decoded = decode(data, html=True)
    assert (decoded.text, decoded.encoding) == ('<meta charset="big5"><p>繁體中文</p>', "big5")


@pytest.mark.parametrize("data", [b"", b" \n", b"\x00\x01\x02\x00\xff\xfe\x00\x00ELF\x00"])
def test_empty_and_binary_files_are_named_as_such(data: bytes) -> None:
    with pytest.raises(CorpusError, match=r"is empty|is binary"):
        decode(data)


@given(st.binary(max_size=200))
def test_decoding_gives_text_or_a_clear_error(data: bytes) -> None:
    try:
        decoded = decode(data)
    except CorpusError:
        return
    assert isinstance(decoded.text, str)


@given(st.text(max_size=300))
def test_any_text_can_be_markup(text: str) -> None:
    assert isinstance(markdown_text(text) or "", str)
    assert isinstance(html_text(text), str)

"""Documents that are broken, odd or made to do harm: read right, or refused in words, in time, with nothing lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from more_documents import bombs, more_office, more_rows
from office_bytes import archive, epub, slides, word, workbook

from embft.config import CorpusConfig
from embft.corpus.chunking import chunk_pages
from embft.corpus.reading import read_corpus
from embft.errors import CorpusError

SECONDS_PER_MEGABYTE = 10
DOCUMENTS_BY_KIND = {
    "encodings": 42, "HTML": 34, "Markdown and MDX": 22, "plain text": 13, "rows": 16, "office files": 17,
    "markup made to hang": 30, "rows that would be lost": 9, "parts of office files": 21,
}  # fmt: skip
"""What the table of counts in the documentation says; the last test keeps it true."""

ZH = "潮汐每天涨落两次，因为月球的引力拉动海水。"
TW = "潮汐每天漲落兩次，因為月球的引力拉動海水。港口的管理員每天早上六點記錄水位。"
JA = "潮汐は毎日二回起こります。月の引力が海水を引くからです。港の管理人は毎朝水位を記録します。"
KO = "밀물과 썰물은 하루에 두 번 일어난다. 달의 인력이 바닷물을 끌어당기기 때문이다."
RU = "Приливы бывают дважды в день, потому что Луна притягивает воду. Смотритель порта записывает уровень воды."
PL = "Przypływy zdarzają się dwa razy dziennie, ponieważ księżyc przyciąga wodę. Źdźbło żółtej trawy."
FR = "La marée monte deux fois par jour. Le gardien du port note la hauteur de l’eau à côté de l’écluse."
DE = "Die Flut kommt zweimal täglich, weil der Mond das Wasser anzieht. Der Hafenwärter schreibt es auf."
EN = "The tide comes twice a day."
PAGE = "<html><head><title>T</title></head><body>{}</body></html>"


@dataclass(frozen=True)
class Hostile:
    """A document and what comes of it.

    Attributes:
        right: Pieces of text that must be there.
        wrong: Pieces that must not.
        error: What the message says, where it is refused; else None.
    """

    kind: str
    name: str
    file: str
    data: bytes
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    error: str | None = None


def encodings() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    for label, codec, text in [
        ("utf-8 with a mark", "utf-8-sig", ZH), ("utf-16 with a mark", "utf-16", ZH), ("utf-32 with a mark", "utf-32", ZH),
        ("utf-16-le without a mark", "utf-16-le", EN), ("utf-16-be without a mark", "utf-16-be", EN),
        ("Chinese utf-16-le without a mark", "utf-16-le", f"{ZH}\n{ZH}\n"),
        ("gb18030", "gb18030", ZH), ("gbk, short", "gbk", "潮汐每天涨落两次"), ("big5", "big5", TW),
        ("shift-jis", "cp932", JA), ("euc-jp", "euc_jp", JA), ("iso-2022-jp", "iso2022_jp", JA), ("euc-kr", "cp949", KO),
        ("windows-1251", "cp1251", RU), ("koi8-r", "koi8_r", RU), ("cp866", "cp866", RU), ("windows-1250", "cp1250", PL),
        ("iso-8859-2", "iso8859_2", PL), ("windows-1252", "cp1252", FR), ("one umlaut", "cp1252", DE),
        ("Excel of a Mac", "mac_roman", f"{FR}\n{FR}"), ("DOS", "cp850", f"{DE}\n{DE}"),
        ("a Mac's Cyrillic", "mac_cyrillic", RU), ("Russian utf-16-le without a mark", "utf-16-le", f"{RU}\n{RU}"),
        ("Japanese utf-16-be without a mark", "utf-16-be", JA), ("utf-32-le without a mark", "utf-32-le", ZH),
        ("a long utf-16-le without a mark", "utf-16-le", f"{EN}\n" * 9000),
        ("Russian among English", "cp1251", f"{RU}\n" + f"{EN}\n" * 60),
        ("Chinese among English", "gbk", f"{ZH}\n" + f"{EN}\n" * 60),
    ]:  # fmt: skip
        yield label, "a.txt", text.encode(codec), tuple(text.split("\n"))[:1], ("\ufffd",), None
    yield "a bad byte in utf-8", "a.txt", f"{ZH}\n".encode() + b"\xff\n" + ZH.encode(), (ZH, "\ufffd"), (), None
    yield "utf-8 cut off within a character", "a.txt", f"{ZH}{ZH}".encode()[:-1], (ZH, "\ufffd"), (), None
    yield "a bad byte in gbk", "a.txt", f"{ZH}\n".encode("gbk") + b"\xff\n" + ZH.encode("gbk"), (ZH, "\ufffd"), (), None
    yield "a bad byte in big5", "a.txt", f"{TW}\n".encode("big5") + b"\xff\n" + TW.encode("big5"), (TW,), (), None
    yield "stray zero bytes", "a.txt", f"{EN}\n".encode() * 3 + b"\0\0" + EN.encode(), (EN,), ("\0",), None
    latin = PAGE.format("It’s “five” €5…")
    yield (
        "iso-8859-1 is windows-1252", "a.html", b'<meta charset="iso-8859-1">' + latin.encode("cp1252"),
        ("It’s “five” €5…",), (), None,
    )  # fmt: skip
    yield "a page says big5", "a.html", b"<meta charset=big5><p>" + TW.encode("big5"), (TW,), (), None
    yield (
        "xml says gb2312",
        "a.xhtml",
        b'<?xml version="1.0" encoding="gb2312"?><p>' + ZH.encode("gbk"),
        (ZH,),
        (),
        None,
    )
    yield "a label in a comment", "a.html", b"<!-- <meta charset=koi8-r> --><p>" + ZH.encode(), (ZH,), (), None
    yield "a wrong label", "a.html", b"<meta charset=iso-8859-1><p>" + ZH.encode(), (ZH,), (), None
    yield "a page says utf-16", "a.html", b"<meta charset=utf-16><p>" + ZH.encode(), (ZH,), (), None
    yield "an unknown label", "a.html", b"<meta charset=klingon><p>" + ZH.encode(), (ZH,), (), None
    yield "a program", "a.txt", b"\x7fELF" + bytes(range(256)) * 9, (), (), "is a program"


def html() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    for label, body, right, wrong in [
        ("a form around all", f"<form><input value=X><p>{EN}</p></form>", (EN,), ()),
        ("an accordion of buttons", f"<h2><button>Who pays?</button></h2><p>{EN}", ("Who pays?", EN), ()),
        ("an opener", f"<button aria-expanded=false>Fees</button><p>{EN}", ("Fees",), ()),
        ("a button that acts", f"<p>{EN}</p><button>Copy</button>", (EN,), ("Copy",)),
        ("hidden until found", f'<div hidden="until-found">{EN}</div>', (EN,), ()),
        (
            "hidden for good",
            f"<p>{EN}</p>" + "<p>More text. </p>" * 40 + "<div hidden>SECRET</div>",
            (EN,),
            ("SECRET",),
        ),
        ("a panel that a button opens", f'<a href="#p">Open</a><div hidden id=p>{EN}</div>', (EN,), ()),
        ("details", f"<details><summary>More</summary>{EN}</details>", ("More", EN), ()),
        ("MathML", "<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>", ("E=mc^2",), ()),
        ("a fraction", "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", ("1/2",), ()),
        ("TeX beside MathML", "<math><mi>x</mi><annotation>TEX</annotation></math> is it", ("x is it",), ("TEX",)),
        ("a script", f"<script>bad()</script><p>{EN}", (EN,), ("bad",)),
        ("a script in a paragraph", f"<p>{EN}<script>if(a<b)bad()</script></p>", (EN,), ("bad",)),
        ("a style", f"<style>p{{color:red}}</style><p>{EN}", (EN,), ("color",)),
        ("all in a sidebar", f"<aside><p>{EN}</p></aside>", (EN,), ()),
        ("all in a header", f"<header><p>{EN}</p></header>", (EN,), ()),
        ("all in a menu", f"<nav><p>{EN}</p></nav>", (EN,), ()),
        ("without scripts only", f"<noscript><p>{EN}</p></noscript>", (EN,), ()),
        ("behind an open dialogue", f"<div aria-hidden=true><p>{EN * 20}</p></div>", (EN,), ()),
        ("a shadow tree", f"<div><template shadowrootmode=open><p>{EN}</p></template></div>", (EN,), ()),
        ("a drawing's labels", "<svg><title>no</title><g><text>North pier</text></g></svg>", ("North pier",), ()),
        ("a table in a table", "<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", ("a | b", "c"), ()),
        ("code", "<pre>def f():\n    return 1</pre>", ("def f():\n        return 1",), ()),
        ("a text field", f"<textarea>{EN}</textarea>", (EN,), ()),
        ("entities", "<p>caf&eacute; &#150; &copy; &#x4e2d;&#0;&shy;</p>", ("café – © 中",), ("\u00ad",)),
        ("unclosed tags", f"<div><p><b>{EN}<table><tr><td>cell", (EN, "cell"), ()),
        ("a bomb of divisions", "<div>" * 20_000 + EN, (EN,), ()),
        ("a bomb of lists", "<ul><li>" * 10_000 + EN, (EN,), ()),
        ("a bomb of fonts", "".join(f"<font size={i}>" for i in range(5000)) + f"<p>{EN}" * 50, (EN,), ()),
        ("a bomb of formulas", "<math>" + "<mfrac>" * 10_000 + EN, (EN.split()[0],), ()),
        ("a bomb of attributes", "<div " + " ".join(f"a{i}=1" for i in range(5000)) + f">{EN}", (EN,), ()),
    ]:
        yield label, "a.html", PAGE.format(body).encode(), right, wrong, None
    xhtml = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><script src="x"/><p>{EN}</p>'
    yield "a closed script in XHTML", "a.xhtml", xhtml.encode(), (EN,), (), None
    yield "CDATA in XHTML", "a.xhtml", b'<?xml version="1.0"?><p><![CDATA[a < b & c]]></p>', ("a < b & c",), (), None
    yield "frames", "a.html", f"<frameset><noframes><p>{EN}</noframes></frameset>".encode(), (EN,), (), None


def markdown() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    for label, file, text, right, wrong in [
        ("imports", "a.md", f"import Tabs from '@theme/Tabs';\n\n# Title\n\n{EN}", ("Title", EN), ("import", "Tabs")),
        ("imports over lines", "a.mdx", f"import {{\n  A,\n  B\n}} from 'x';\n\n{EN}", (EN,), ("import", "from")),
        ("exports", "a.mdx", f"export const a = {{\n  b: 1\n}};\n\n{EN}", (EN,), ("export", "b: 1")),
        ("prose about imports", "a.md", "import os from the library", ("import os from the library",), ()),
        ("an admonition", "a.md", f":::warning\n{EN}\n:::\n\nAfter.", ("Warning", EN, "After."), (":::",)),
        ("an admonition's title", "a.mdx", f":::tip[Mind this]\n\n{EN}\n\n:::", ("Mind this", EN), (":::", "tip")),
        ("components", "a.mdx", f"<Tabs>\n<Tab v={{a > b}}>\n\n{EN}\n\n</Tab>\n</Tabs>", (EN,), ("Tab", "}", ">")),
        ("a component in a line", "a.mdx", f"Text <Badge kind='x' /> {EN}", (EN,), ("Badge",)),
        ("a comment of MDX", "a.mdx", f"{{/* secret */}}\n\n{EN}", (EN,), ("secret",)),
        ("code in MDX", "a.mdx", "```js\nimport a from 'b';\n<A/>\n```", ("import a from 'b';", "<A/>"), ()),
        ("front matter", "a.md", f"---\ntitle: The Gauge\n---\n\n{EN}", ("The Gauge", EN), ("---",)),
        ("a footnote", "a.md", "Text[^1].\n\n[^1]: Yearly.", ("Yearly.",), ()),
        ("an alert", "a.md", f"> [!NOTE]\n> {EN}", (f"Note: {EN}",), ("[!",)),
        ("HTML within", "a.md", f"<details><summary>More</summary>\n\n{EN}\n\n</details>", ("More", EN), ("<",)),
        ("a script in a line", "a.md", f"{EN} <script>bad()</script> after", (EN, "after"), ("bad",)),
        ("rows of a cut table", "a.md", "<table>\n\n<tr><td>a</td><td>b</td></tr>\n\n</table>", ("a | b",), ()),
        ("a bomb of quotes", "a.md", ">" * 20_000 + EN, (EN,), ()),
        ("a bomb of lists", "a.md", "- " * 5_000 + EN, (EN,), ()),
        ("nested lists", "a.md", "\n".join("  " * i + f"- item{i}" for i in range(80)), ("item0", "item79"), ()),
        ("a bomb of brackets", "a.md", "[" * 30_000 + EN, (EN,), ()),
        ("a bomb of a table", "a.md", "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|b\n" * 2000 + f"\n{EN}", (EN,), ()),
        ("a bomb of components", "a.mdx", "<A x={" * 5_000 + EN, (EN,), ()),
    ]:
        yield label, file, text.encode(), right, wrong, None


def plain() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    log = "".join(f"2026-11-26 20:{i % 60:02d}:01 INFO request {i} served in 0.{i:03d} s\n" for i in range(2000))
    yield "a log", "a.log", log.encode(), ("request 1999 served",), (), None
    yield "no blank lines", "a.txt", (f"{EN} It is so. " * 6 + "\n").encode() * 300, (EN,), (), None
    yield "no spaces", "a.txt", b"Header.\n" + b"QUJDREVGR0hJ" * 5_000, ("Header.",), (), None
    yield "100,000 blank lines", "a.txt", EN.encode() + b"\n" * 100_000 + b"The end.", (EN, "The end."), (), None
    yield "one long line", "a.txt", f"{EN} ".encode() * 5_000, (EN,), (), None
    yield "a run of spaces", "a.txt", EN.encode() + b" " * 100_000 + b"The end.", (EN, "The end."), (), None
    yield "old Mac line ends", "a.txt", f"{EN}\r\rThe end.".encode(), (EN, "The end."), ("\r",), None
    yield "invisible characters", "a.txt", "in\u00advisi\u200bble \u202ebidi".encode(), ("invisible bidi",), (), None
    joined = "می\u200cخواهم क्\u200dष \U0001f468\u200d\U0001f469 \u200cLa\u200dtin"
    right = ("می\u200cخواهم क्\u200dष \U0001f468\u200d\U0001f469 Latin",)
    yield "joiners that are spelling, and others", "a.txt", joined.encode(), right, (), None
    yield "reStructuredText", "a.rst", f"Title\n=====\n\n{EN}".encode(), ("Title", EN), (), None
    yield "an empty file", "a.txt", b"", (), (), "is empty"
    yield "white space only", "a.txt", b" \n\n\t", (), (), "is empty"
    yield "a PDF named txt", "a.txt", b"%PDF-1.4\n1 0 obj", (), (), "is a PDF by its first bytes"


def rows() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    for label, file, text, right, wrong, error in [
        ("commas", "a.csv", f"id,title,text\n7,Tides,{EN}\n", ("Tides", EN), (), None),
        ("semicolons", "a.csv", f"Frage;Antwort\nWann, wie?;{EN}\n", ("Frage: Wann, wie?", f"Antwort: {EN}"), (), None),
        ("tabs", "a.tsv", f"a\tb\none, two\t{EN}\n", ("a: one, two", EN), (), None),
        ("Excel's first line", "a.csv", f"sep=;\na;b\nx;{EN}", (f"b: {EN}",), ("sep",), None),
        ("quotes and line ends", "a.csv", f'text\n"{EN}\nSecond ""line""."\n', (EN, 'Second "line".'), (), None),
        ("a quote in the middle", "a.csv", f'a,b\nx,5" pipe and {EN}\n', ('5" pipe', EN), (), None),
        ("no header", "a.csv", f"1,{EN}\n2,{ZH}\n", (EN, ZH), (), None),
        ("rows longer than the header", "a.csv", f"a,b\n1,2,{EN}\n", (EN,), (), None),
        ("a quote never closed", "a.csv", 'a,b\nx,y\nx,"y\n' + "z,z\n" * 5, (), (), "quote that opens in line 3"),
        ("a header only", "a.csv", "a,b\n", (), (), "has no rows"),
        ("lines of JSON", "a.jsonl", f'{{"text": "{EN}", "n": 1}}\n\n{{"text": "{ZH}"}}\n', (EN, ZH), (), None),
        ("a line separator in JSON", "a.jsonl", f'{{"text": "One.\u2028{EN}"}}', ("One.", EN), (), None),
        ("nested JSON", "a.jsonl", f'{{"a": ["x", {{"b": "{EN}"}}], "c": null}}', (f"x; {EN}",), ("null",), None),
        ("100,000 brackets", "a.jsonl", "[" * 100_000, (), (), "line 1 that is not JSON"),
        ("a broken line", "a.jsonl", f'{{"text": "{EN}"}}\n{{"text": ', (), (), "line 2 that is not JSON"),
        ("a list", "a.jsonl", "[1, 2]", (), (), "no JSON object"),
    ]:  # fmt: skip
        yield label, file, text.encode(), right, wrong, error


def office() -> Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]:
    paragraph = f"<w:p><w:r><w:t>{EN}</w:t></w:r></w:p>"
    over = "<m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den>"
    formula = f"<w:p><m:oMath><m:f>{over}</m:f></m:oMath></w:p>"
    table = f"<w:tbl><w:tr><w:tc>{paragraph}</w:tc><w:tc>{paragraph}</w:tc></w:tr></w:tbl>"
    good = word(paragraph)
    yield "Word", "a.docx", good, (EN,), (), None
    yield "a formula in Word", "a.docx", word(paragraph + formula), (EN, "a/b"), (), None
    yield "a table in Word", "a.docx", word(table), (EN,), (), None
    yield "Word cut in half", "a.docx", good[: len(good) // 2], (), (), "is broken"
    yield "text named docx", "a.docx", EN.encode(), (), (), "is broken or no .docx"
    yield "an encrypted Word file", "a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), (), (), "is encrypted"
    yield "an empty Word file", "a.docx", b"", (), (), "is empty"
    yield "Word without its text", "a.docx", archive({"word/x.xml": "<a/>"}), (), (), "is broken"
    bomb = archive({"word/document.xml": b"0" * 60_000_000})
    yield "a zip bomb", "a.docx", bomb, (), (), "zip bomb"
    laughs = '<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>'
    yield "a billion laughs", "a.xlsx", archive({"xl/workbook.xml": laughs}), (), (), "declares entities"
    yield "Excel", "a.xlsx", workbook(), ("Fees", "North | 5%", EN), (), None
    yield "Excel named pptx", "a.pptx", workbook(), (), (), "is broken"
    yield "PowerPoint", "a.pptx", slides(), ("The tide", EN, "In a group", "In a cell", "In the notes"), (), None
    yield "EPUB", "a.epub", epub([f"<html><body><h1>One</h1><p>{EN}</p></body></html>"]), ("One", EN), (), None
    yield (
        "EPUB with a closed script",
        "a.epub",
        epub([f"<html><head><script/></head><body>{EN}</body></html>"]),
        (EN,),
        (),
        None,
    )
    yield "EPUB without a list", "a.epub", archive({"a.xhtml": EN}), (), (), "is broken"
    yield "EPUB that is encrypted", "a.epub", archive({"META-INF/rights.xml": "<r/>"}), (), (), "DRM"


MAKERS: dict[str, Callable[[], Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]]] = {
    "encodings": encodings, "HTML": html, "Markdown and MDX": markdown, "plain text": plain, "rows": rows,
    "office files": office, "markup made to hang": bombs, "rows that would be lost": more_rows,
    "parts of office files": more_office,
}  # fmt: skip


@pytest.mark.parametrize("kind", MAKERS)
def test_every_hostile_document_is_read_right_or_refused_in_words(kind: str, tmp_path: Path) -> None:
    if "office files" in kind:
        pytest.importorskip("mammoth")
    cases = [Hostile(kind, *case) for case in MAKERS[kind]()]
    faults = [f"{case.name}: {fault}" for case in cases if (fault := fault_of(case, tmp_path))]
    assert not faults, "\n".join(faults)
    assert len(cases) == DOCUMENTS_BY_KIND[kind]


def fault_of(case: Hostile, tmp_path: Path) -> str | None:
    file = tmp_path / case.file
    file.write_bytes(case.data)
    started = time.process_time()
    try:
        pages, _ = read_corpus(CorpusConfig(name="files", path=str(file)), tmp_path)
        chunks = chunk_pages(pages, 64)
    except CorpusError as error:
        message = str(error)
        right = case.error is not None and case.error in message and "Traceback" not in message
        return None if right and case.file in message else f"refused: {message}"
    finally:
        seconds = time.process_time() - started
    text = "\n".join(page.text for page in pages)
    if case.error is not None:
        return f"read, though it should be refused: {text[:200]!r}"
    if missing := [piece for piece in case.right if piece not in text]:
        return f"lost {missing} from {text[:300]!r}"
    if present := [piece for piece in case.wrong if piece in text]:
        return f"has {present} in {text[:300]!r}"
    if not chunks:
        return "gave no chunk"
    if seconds > max(5.0, SECONDS_PER_MEGABYTE * len(case.data) / 1e6):
        return f"took {seconds:.1f} s for {len(case.data)} bytes"
    return None


def test_the_documented_number_of_documents_is_enough() -> None:
    assert sum(DOCUMENTS_BY_KIND.values()) >= 120

"""Documents made to bring a reader down, or whose text stands where readers do not look: more of `test_hostile_documents`."""

from __future__ import annotations

from collections.abc import Iterator

from office_bytes import EN, archive, epub, parts_of, slides, word, word_with, workbook_of

Made = Iterator[tuple[str, str, bytes, tuple[str, ...], tuple[str, ...], str | None]]
"""Label, file, bytes, what must be in the text, what must not, and the refusal."""
SIZE = 30_000
"""Characters of a bomb: one that takes quadratic time takes minutes at this size."""


def bombs() -> Made:
    """Text formats: what makes patterns and parsers go back and forth."""
    spaces, drawing = " " * SIZE, "<svg><foreignObject>"
    for label, file, text in [
        ("a tag without an end", "a.html", f"<p>{EN}</p><" + "a" * SIZE),
        ("a tag without an end in XHTML", "a.xhtml", f"<p>{EN}</p><" + "a" * SIZE),
        ("drawings within drawings", "a.html", drawing * 40 + f"<p>{EN}</p>"),
        ("blank lines between two ideographs", "a.html", f"<p>{EN}</p><p>中" + "\n" * SIZE + "文</p>"),
        ("100,000 links", "a.html", f"<p>{EN}</p>" + "<a href='#x'>x</a>" * (SIZE // 4)),
        ("entities", "a.html", f"<p>{EN}</p>" + "&amp;&nbsp;&#x41;" * (SIZE // 18)),
        ("one attribute of 1 MB", "a.html", f"<p title='{'a' * 1_000_000}'>{EN}</p>"),
        ("cells that span a thousand columns", "a.html", f"<p>{EN}</p><table>" + "<tr><td colspan=1000>a" * 2000),
        ("powers of powers", "a.html", f"<p>{EN}</p><math>" + "<msup>" * 10_000),
        ("CDATA that never ends", "a.xhtml", f"<p>{EN}</p>" + "<![CDATA[" * (SIZE // 9)),
        ("front matter of blank lines", "a.md", "---\n" + "\n" * SIZE + f"---\n{EN}"),
        ("a title of spaces", "a.md", f"---\ntitle: a{spaces}b\n---\n{EN}"),
        ("an admonition of spaces", "a.md", f"{EN}\n\n:::tip a{spaces}b\n"),
        ("an admonition of braces", "a.md", f"{EN}\n\n:::tip " + "{a" * (SIZE // 2)),
        ("an import of spaces", "a.mdx", f"{EN}\n\nimport{spaces}x\n"),
        ("ticks", "a.mdx", f"{EN}\n\n" + "`" * SIZE),
        ("ticks of every length", "a.mdx", f"{EN}\n\n" + "".join("a" + "`" * n for n in range(240))),
        ("tags in one line", "a.mdx", f"{EN}\n\n" + "<A>" * (SIZE // 3)),
        ("processing instructions", "a.md", f"{EN}\n\n" + "a <? " * (SIZE // 5)),
        ("comments that never end", "a.md", f"{EN}\n\n" + "a <!-- " * (SIZE // 7)),
        ("emphasis", "a.md", f"{EN}\n\n" + "*a _b **c " * (SIZE // 10)),
        ("emphasis within emphasis", "a.md", f"{EN}\n\n" + "*a **b " * 4000 + "c** d*" * 4000),
        ("references", "a.md", f"{EN}\n\n" + "".join(f"[a{n}]: /x\n" for n in range(SIZE // 12))),
        ("columns of figures", "a.txt", f"{EN}\n\n" + "1   " * (SIZE // 4) + "x"),
        ("words with hyphens over lines", "a.txt", f"{EN}\n\n" + "abc-\ndef" * (SIZE // 8)),
        ("a column of borders", "a.txt", f"{EN}\n\n" + "+---+\n| a |\n" * (SIZE // 12) + "+---+"),
    ]:
        yield label, file, text.encode(), (EN,), (), None
    yield "a picture of a text twice", "a.html", f"{drawing}<p>{EN}".encode(), (EN,), (f"{EN}\n\n{EN}",), None
    yield (
        "a title over lines",
        "a.md",
        f"---\ntitle: >-\n  The Gauge\n---\n{EN}".encode(),
        ("The Gauge", EN),
        (">-",),
        None,
    )
    declared = '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY co "The <b>Company</b>"><!ENTITY e SYSTEM "file:///etc/passwd">]>'
    page = f"<html><body><p>&co; says: {EN} &e;</p></body></html>"
    yield "entities of its own", "a.xhtml", (declared + page).encode(), ("The Company says", EN), ("root:", "]>"), None
    laughs = '<!ENTITY a0 "hahahaha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f"<!DOCTYPE html [{laughs}]><html><body>&a8;</body></html>"
    yield "a billion laughs in XHTML", "a.xhtml", bomb.encode(), (), (), "unfold to more than"


def more_rows() -> Made:
    """Rows that would be lost, or taken for others."""
    for label, file, text, right, error in [
        ("a text column twice", "a.csv", f"id,text,text\n1,{EN},b\n", (), "two columns 'text'"),
        ("an unknown column twice", "a.csv", f"name,value,value\nx,{EN},2\n", (EN, "value"), None),
        ("a key twice in JSON", "a.jsonl", f'{{"text": "{EN}", "text": "b"}}\n', (), "stands twice"),
        ("a text with a comma and no quotes", "a.csv", f"id,text\n1,{EN}, and more\n", (), "3 cells in row 1"),
        ("records of several makers", "a.jsonl", f'{{"text": "one"}}\n{{"content": "{EN}"}}\n{{"body": "three"}}\n',
         ("one", EN, "three"), None),
        ("an id twice", "a.csv", f"id,text\n1,{EN}\n1,other\n", (EN, "other"), None),
        ("a column named as a number", "a.csv", f"a,column 3,\n1,2,{EN}\n", ("column 3: 2", EN), None),
        ("20,000 columns", "a.csv", ",".join(f"c{n}" for n in range(20_000)) + "\n" + f"{EN}," * 20_000, (EN,), None),
        ("NaN", "a.jsonl", f'{{"text": "{EN}", "n": NaN}}\n', (EN,), None),
    ]:  # fmt: skip
        yield label, file, text.encode(), right, (), error


def more_office() -> Made:
    """Parts of office files that readers pass over, and parts that are shown without end."""
    paragraph = f"<w:p><w:r><w:t>{EN}</w:t></w:r></w:p>"
    box = f"<w:txbxContent>{paragraph.replace(EN, 'In a box')}</w:txbxContent>"
    drawn = f"<w:drawing><wps:txbx>{box}</wps:txbx></w:drawing>"
    old = f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
    both = f"<mc:AlternateContent><mc:Choice>{drawn}</mc:Choice>{old}</mc:AlternateContent>"
    run = "<w:r><w:t>{}</w:t></w:r>"
    gone = '<w:del w:id="2"><w:r><w:delText>Gone</w:delText></w:r></w:del>'
    changed = f'<w:p><w:ins w:id="1">{run.format("Put in")}</w:ins>{gone}</w:p>'
    note = '<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = {"footnotes": '<w:footnote w:id="2">' + paragraph.replace(EN, "Below the line") + "</w:footnote>"}
    deep = "<w:tbl><w:tr><w:tc>" * 3000 + paragraph + "</w:tc></w:tr></w:tbl>" * 3000
    for label, body, more, right, wrong, error in [
        ("tracked changes", changed + paragraph, {}, ("Put in", EN), ("Gone",), None),
        ("a simple field", f"<w:p><w:fldSimple>{run.format('Chapter 7')}</w:fldSimple></w:p>" + paragraph, {},
         ("Chapter 7", EN), (), None),
        ("a text box", f"<w:p><w:r>{drawn}</w:r></w:p>" + paragraph, {}, ("In a box", EN), (), None),
        ("a text box in two forms", f"<w:p><w:r>{both}</w:r></w:p>" + paragraph, {}, ("In a box", EN),
         ("In a box\n\nIn a box",), None),
        ("a footnote", note + paragraph, notes, ("Below the line", EN), (), None),
        ("a footnote 5,000 times", note * 5000, notes, (), (), "refers 5,000 times to 1 footnotes"),
        ("tables 3,000 deep", deep, {}, (), (), "nests its tables"),
        ("formulas without an end", paragraph + "<!--" + "<m:oMath>" * 7000 + "-->", {}, (EN,), (), None),
    ]:  # fmt: skip
        yield label, "a.docx", word_with(body, **more), right, wrong, error
    yield "a paragraph of 12 MB", "a.docx", word(paragraph.replace(EN, "a" * 12_000_000)), (), (), "zip bomb"
    yield (
        "3,000 members",
        "a.docx",
        archive({**parts_of(word(paragraph)), **{f"x{n}.xml": "<a/>" for n in range(3000)}}),
        (EN,),
        (),
        None,
    )
    far = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}"><v>2</v></c></row>' for n in range(1, 1501))
    yield "cells 16,384 columns apart", "a.xlsx", workbook_of(far), (), (), "far more cells"
    yield (
        "two cells far apart",
        "a.xlsx",
        workbook_of(far[: far.find("</row>") + 6]),
        ("1 | ", " | 2"),
        (" | " * 60,),
        None,
    )
    last = f'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>{EN}</t></is></c></row>'
    yield "the last row alone", "a.xlsx", workbook_of(last), (EN,), (), None
    yield "a row beyond the last", "a.xlsx", workbook_of(last.replace("1048576", "999999999999")), (), (), "rows beyond"
    same = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 9001))
    yield (
        "one long string 9,000 times",
        "a.xlsx",
        workbook_of(same, f"<si><t>{'long ' * 2000}</t></si>"),
        (),
        (),
        "far more cells or text",
    )
    parts = parts_of(slides())
    listed = parts["ppt/presentation.xml"].decode()
    first = listed[listed.find("<p:sldId ") : listed.find("/>", listed.find("<p:sldId ")) + 2]
    again = "".join(first.replace('id="256"', f'id="{256 + n}"', 1) for n in range(5000))
    yield (
        "one slide 5,000 times",
        "a.pptx",
        archive({**parts, "ppt/presentation.xml": listed.replace(first, again)}),
        (),
        (),
        "lists 5,000 slides",
    )
    slide = parts["ppt/slides/slide1.xml"].decode()
    shape = (
        '<p:sp><p:nvSpPr><p:cNvPr id="88" name="t"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>'
        "<a:p><a:r><a:t>With a formula</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    space = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    forms = f'<mc:AlternateContent {space}><mc:Choice Requires="a14">'
    forms += f"{shape}</mc:Choice><mc:Fallback>{shape.replace('With a formula', 'PICTURE')}</mc:Fallback></mc:AlternateContent>"
    both_forms = {**parts, "ppt/slides/slide1.xml": slide.replace("</p:spTree>", f"{forms}</p:spTree>")}
    yield "a shape in two forms", "a.pptx", archive(both_forms), ("With a formula", EN), ("PICTURE",), None
    entity = '<!DOCTYPE html [<!ENTITY t "' + EN + '">]>'
    yield "EPUB with entities of its own", "a.epub", epub([f"{entity}<html><body>&t;</body></html>"]), (EN,), (), None
    itself = '<!DOCTYPE html [<!ENTITY t "&t;">]>'
    yield (
        "EPUB with an entity of itself",
        "a.epub",
        epub([f"{itself}<html><body>&t;</body></html>"]),
        (),
        (),
        "stands for itself",
    )
    chapter = parts_of(epub([EN]))
    opf = chapter["OPS/p.opf"].replace(b"c%200.xhtml", b"../../../etc/passwd")
    yield (
        "EPUB that points outside",
        "a.epub",
        archive({**chapter, "OPS/p.opf": opf}),
        (),
        (),
        "chapters that are not in it",
    )
    many = "".join(f'<item id="c{n}" href="C{n}.xhtml"/>' for n in range(4000))
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(4000))
    crowd = {
        **{name: data for name, data in chapter.items() if name != "OPS/p.opf"},
        "OPS/p.opf": f'<package xmlns="http://o"><manifest>{many}</manifest><spine>{order}</spine></package>',
        "OPS/c0.xhtml": EN, **{f"OPS/x{n}.xhtml": "<p>a</p>" for n in range(4000)},
    }  # fmt: skip
    yield "EPUB of 4,000 chapters that are not there", "a.epub", archive(crowd), (EN,), (), None

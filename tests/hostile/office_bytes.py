"""Small office files, made by hand where no library is needed."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

EN = "The tide comes twice a day."


def archive(parts: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        for name, data in parts.items():
            written.writestr(name, data)
    return file.getvalue()


def word(body: str) -> bytes:
    office = "http://schemas.openxmlformats.org/officeDocument/2006"
    return archive({
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{office}/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        f'xmlns:m="{office}/math"><w:body>{body}</w:body></w:document>',
    })  # fmt: skip


def parts_of(data: bytes) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def word_with(body: str, **parts: str) -> bytes:
    """A Word file with parts beside its text, such as footnotes."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    names = {
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    }
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    made = parts_of(word(body))
    made["word/document.xml"] = made["word/document.xml"].replace(b"<w:document ", f"<w:document {declared} ".encode())
    links = ""
    for name, content in parts.items():
        space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        made[f"word/{name}.xml"] = f"<w:{name} {space}>{content}</w:{name}>".encode()
        links += f'<Relationship Id="{name}" Type="{office}/{name}" Target="{name}.xml"/>'
    if links:
        space = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
        made["word/_rels/document.xml.rels"] = f"<Relationships {space}>{links}</Relationships>".encode()
    return archive(dict(made))


def workbook_of(rows: str, strings: str | None = None) -> bytes:
    """An Excel file whose sheet has these rows, in XML; and its shared strings."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    made: dict[str, str | bytes] = dict(parts_of(workbook()))
    made["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    if strings is not None:
        made["xl/sharedStrings.xml"] = f'<sst xmlns="{space}">{strings}</sst>'
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        types = str(made["[Content_Types].xml"], "utf-8") if isinstance(made["[Content_Types].xml"], bytes) else ""
        if "sharedStrings" not in types:
            override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
            made["[Content_Types].xml"] = types.replace("</Types>", override)
    return archive(made)


def epub(chapters: list[str]) -> bytes:
    items = "".join(f'<item id="c{i}" href="c%20{i}.xhtml"/>' for i in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters) + 1))
    return archive({
        "META-INF/container.xml": '<c xmlns="u"><rootfile full-path="OPS/p.opf"/></c>',
        "OPS/p.opf": f'<package xmlns="http://o"><manifest>{items}</manifest><spine>{spine}</spine></package>',
        **{f"OPS/c {i}.xhtml": chapter for i, chapter in enumerate(chapters)},
    })  # fmt: skip


def workbook() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Fees"
    for row in [("Pier", "Fee"), ("North", 0.05), (None, None), (EN, "=1+1")]:
        book.active.append(row)
    book.active["B2"].number_format = "0%"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def slides() -> bytes:
    pptx = pytest.importorskip("pptx")
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "The tide"
    slide.placeholders[1].text = EN
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "In a group"
    cell = slide.shapes.add_table(1, 1, 0, 0, 9, 9).table.cell(0, 0)
    cell.text = "In a cell"
    slide.notes_slide.notes_text_frame.text = "In the notes"
    file = BytesIO()
    deck.save(file)
    return file.getvalue()

"""Files as people have them: a Word document, and pages as a scanner sees them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO

import pytest
from pdf_bytes import PdfWriter, Placed, placed_pdf

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def word_file(paragraphs: Sequence[str]) -> bytes:
    """A Word document."""
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    relation = f'<Relationship Id="r1" Type="{_OFFICE}" Target="word/document.xml"/>'
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{relation}</Relationships>')
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>')
    return file.getvalue()


def scanned_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF whose pages are pictures of these lines, without a letter to copy; skips the test where no font has their letters."""
    import numpy as np
    import pypdfium2

    writer = PdfWriter()
    for lines in pages:
        written = placed_pdf([[Placed(50, 780 - 24 * row, line, 14) for row, line in enumerate(lines)]])
        bitmap = pypdfium2.PdfDocument(written)[0].render(scale=200 / 72, grayscale=True)
        rows = np.ascontiguousarray(bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width])
        if (rows < 128).sum() < 2000:
            pytest.skip("no font with these letters: apt install fonts-wqy-zenhei")
        stream = writer.add_stream(
            rows.tobytes(),
            b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
            % (rows.shape[1], rows.shape[0]),
            packed=True,
        )
        writer.add_page(b"q 595 0 0 842 0 0 cm /S Do Q\n", xobjects=b"/S %d 0 R" % stream)
    return writer.finish()

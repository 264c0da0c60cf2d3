"""Minimal PDF files, written by hand."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
COURIER = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
CHINESE = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font "
    b"/Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> "
    b"/DW 1000 /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [0 -200 1000 900] "
    b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 90 >> >>] >>"
)


@dataclass(frozen=True)
class Placed:
    """A line of text at a place: Courier (each letter 0.6 of the size wide), or Chinese (each as wide as the size)."""

    left: float
    baseline: float
    text: str
    size: float = 10

    @property
    def operators(self) -> bytes:
        if self.text.isascii():
            font, shown = b"F2", f"({_escaped(self.text)})".encode()
        else:
            font, shown = b"F3", f"<{self.text.encode('utf-16-be').hex()}>".encode()
        return b"BT /%s %g Tf %g %g Td %s Tj ET\n" % (font, self.size, self.left, self.baseline, shown)


class PdfWriter:
    """Objects with their numbers, and the file around them. Object 1 is the catalogue, object 2 the pages."""

    def __init__(self) -> None:
        self.objects: list[bytes] = [b"", b"", HELVETICA, COURIER, CHINESE]
        self.kids: list[int] = []
        self.catalogue = b""

    def add(self, body: bytes) -> int:
        self.objects.append(body)
        return len(self.objects)

    def add_stream(self, data: bytes, entries: bytes = b"", *, packed: bool = False) -> int:
        if packed:
            data, entries = zlib.compress(data), entries + b" /Filter /FlateDecode"
        return self.add(b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data))

    def add_page(self, content: bytes, entries: bytes = b"", xobjects: bytes = b"", box: bytes = b"0 0 595 842") -> int:
        stream = self.add_stream(content)
        fonts = b"/Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >>"
        self.kids.append(
            self.add(
                b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Resources << %s /XObject << %s >> >> /Contents %d 0 R %s >>"
                % (box, fonts, xobjects, stream, entries)
            )
        )
        return self.kids[-1]

    def finish(self) -> bytes:
        kids = b" ".join(b"%d 0 R" % kid for kid in self.kids)
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R %s >>" % self.catalogue
        self.objects[1] = self.objects[1] or b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(self.kids))
        data = b"%PDF-1.6\n"
        offsets = []
        for number, body in enumerate(self.objects, start=1):
            offsets.append(len(data))
            data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        size = len(self.objects) + 1
        return (
            data
            + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
            + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
        )


def pdf_bytes(pages: Sequence[Sequence[str]]) -> bytes:
    """One Helvetica line per text line, one page per list."""
    writer = PdfWriter()
    for lines in pages:
        shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
        writer.add_page(f"BT /F1 10 Tf 12 TL 50 800 Td\n{shown}ET".encode("cp1252"))
    return writer.finish()


def placed_pdf(pages: Sequence[Sequence[Placed]], entries: bytes = b"") -> bytes:
    """Lines where they are put, in the order given."""
    writer = PdfWriter()
    for lines in pages:
        writer.add_page(b"".join(line.operators for line in lines), entries)
    return writer.finish()


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")

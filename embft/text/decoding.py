"""Bytes to text, as browsers do it, for files that do not say in which encoding they are: the one door for all of them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark starts with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSED = {
    "gb18030": "gb18030", "big5hkscs": "big5", "cp932": "shift_jis", "euc_jis_2004": "euc-jp", "cp949": "euc-kr",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "cp866": "ibm866", "cp874": "windows-874", "iso8859-2": "iso-8859-2",
    "iso8859-5": "iso-8859-5", "iso8859-6": "iso-8859-6", "iso8859-7": "iso-8859-7", "mac-roman": "macintosh",
    "mac-cyrillic": "x-mac-cyrillic", "cp437": "cp437", "cp850": "cp850", "cp852": "cp852",
    **{f"cp{number}": f"windows-{number}" for number in range(1250, 1259)},
}  # fmt: skip
"""chardet's names and the WHATWG's: what browsers decode, and what DOS and old spreadsheets wrote."""
_STRICT = (
    "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "windows-1253", "windows-1255", "windows-1257", "windows-874",
)  # fmt: skip
"""Those that some bytes are invalid in, by their names in the WHATWG's table."""
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]{0,400}?charset\s*=\s*[\"']?\s*([^\s\"'/>;]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_UTF8_BYTES = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = bytes(range(0x80, 0x100))
_CONTROLS = bytes(code for code in range(1, 0x20) if code not in b"\a\b\t\n\v\f\r\x1b")
_ESCAPED = (
    (re.compile(rb"\x1b\$[@B]|\x1b\(J"), "iso-2022-jp"),
    (re.compile(rb"\A\x1b\$\)C"), "iso2022_kr"),
)
"""Encodings made of ASCII bytes, by what they cannot be without."""
_PLAIN = re.compile(
    "[\t\n\r -~\u00a0-\u052f\u0531-\u06ff\u0900-\u0e7f\u10a0-\u10ff\u1e00-\u1fff\u2010-\u206f\u20a0-\u20bf"
    "\u2100-\u214f\u2190-\u22ff\u2460-\u27bf\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef"
    "\U0001f000-\U0001faff\U00020000-\U0002ffff]"
)
_SIGNATURES = {
    b"%PDF-": "a PDF", b"PK\x03\x04": "a ZIP archive (or an office file)", b"\xd0\xcf\x11\xe0": "an old office file",
    b"\x1f\x8b": "a gzip archive", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture",
    b"7z\xbc\xaf": "an archive", b"Rar!": "an archive", b"\x7fELF": "a program", b"SQLite format 3": "a database",
    b"PAR1": "a Parquet file", b"{\\rtf": "an RTF file",
}  # fmt: skip
_SAMPLE = 200_000  # bytes; chardet looks at no more
_LONG_LINE = 1000  # bytes; a longer one is cut at sentence ends before its parts are compared
_BINARY_SHARE = 0.02  # of bytes that are control characters; text has none, compressed data some 8%
_ZERO_SHARE = 0.1  # of bytes that are NUL, in files whose other bytes are text: padding, a broken download
_WORD = re.compile(r"\S{0,12}[^\x00-\x7f]\S{0,12}")


@dataclass(frozen=True)
class Decoded:
    """A text and how it came about.

    Attributes:
        encoding: Its name by the WHATWG's table, or Python's where that has none.
        guessed: Nothing in the file said so.
        replaced: How many bytes were no text; each stands as U+FFFD.
        zeros: How many stray NUL bytes were left out.
    """

    text: str
    encoding: str
    guessed: bool = False
    replaced: int = 0
    zeros: int = 0

    @property
    def guess(self) -> str | None:
        """The encoding where it is a guess, with a word of the text by which a person sees whether it is right."""
        if not self.guessed:
            return None
        word = _WORD.search(self.text)
        return f"{self.encoding} (“{word[0]}”)" if word else self.encoding

    @property
    def faults(self) -> tuple[str, ...]:
        """What was wrong with the bytes, to be put behind the file's name."""
        faults = []
        if self.replaced:
            count = f"{self.replaced} bytes that are" if self.replaced > 1 else "a byte that is"
            faults.append(f"has {count} no text in {self.encoding}; each stands as \ufffd")
        if self.zeros:
            faults.append(f"has {self.zeros} stray zero bytes, which were left out")
        return tuple(faults)

    @property
    def notes(self) -> tuple[str, ...]:
        """The guess and the faults, to be put behind the file's name."""
        if self.guess is None:
            return self.faults
        return (
            f"does not name its encoding and was read as {self.guess}, a guess: save it as UTF-8 if that is wrong",
            *self.faults,
        )


def decode(data: bytes, *, html: bool = False) -> Decoded:
    """Decodes a text file.

    A byte order mark decides; then, in HTML and XML, the page's own word, by the WHATWG's table of labels (so
    ``iso-8859-1`` is Windows-1252 and ``gb2312`` is GB 18030); then UTF-8, UTF-16 and UTF-32 without a mark, and at last
    the legacy encoding that chardet finds likeliest. A byte that is no text in that encoding becomes U+FFFD, the rest is
    read as it is.

    Raises:
        ValueError: The file is empty or binary; a sentence without its subject.
    """
    if not data.strip(b" \t\r\n\f\0"):
        raise ValueError("is empty: take it out, or get it again")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _leniently(data[len(mark) :], encoding)
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise ValueError(f"is {what} by its first bytes: give it the right ending, or take it out")
    for escape, encoding in _ESCAPED:
        if escape.search(data) and not _count(data, _HIGH):
            return _leniently(data, encoding, guessed=True)
    zeros = data.count(0)
    without = data.replace(b"\0", b"") if zeros else data
    has_controls = _count(without, _CONTROLS) > max(2, _BINARY_SHARE * len(without))
    if zeros or has_controls:
        # What is UTF-8 but for some zeros is that, though two of its bytes make a Chinese character in UTF-16.
        stray = zeros <= _ZERO_SHARE * len(data) and not has_controls and _try(without, "utf-8") is not None
        if not stray and (wide := _without_mark(data)) is not None:
            return wide
    if zeros > _ZERO_SHARE * len(data) or has_controls:
        raise ValueError("is binary, not text: take it out, or convert it")
    narrow = _narrow(without, _declared(without) if html else None)
    return Decoded(narrow.text, narrow.encoding, narrow.guessed, narrow.replaced, zeros)


def _narrow(data: bytes, declared: str | None) -> Decoded:
    """Decodes what is made of single bytes, after the page's word, else by what the bytes look like."""
    if (text := _try(data, "utf-8")) is not None:
        # Pages that were saved anew keep an old label; no other encoding gives valid UTF-8 by chance.
        return Decoded(text, "utf-8", guessed=declared not in (None, "utf-8") and not text.isascii())
    high = _count(data, _HIGH)
    if declared is not None:
        at_its_word = _leniently(data, declared)
        if at_its_word.replaced <= 0.1 * high:
            return at_its_word
    sequences = _UTF8_BYTES.findall(data)
    if len(sequences) > high - sum(map(len, sequences)):
        return _leniently(data, "utf-8")
    wide = _without_mark(data)
    return wide if wide is not None else _leniently(data, _guess(data), guessed=True)


def _declared(data: bytes) -> str | None:
    """The encoding that a page names, by its label in the WHATWG's table."""
    from webencodings import lookup

    head = _COMMENT.sub(b"", data[:4096])
    match = _XML.search(head) or _META.search(head)
    encoding = lookup(match[1].decode("ascii", "replace")) if match else None
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    # A page whose label could be read is not in UTF-16, whatever it says; browsers take it for UTF-8.
    return "utf-8" if encoding.name.startswith("utf-16") else encoding.name


def _guess(data: bytes) -> str:
    """The likeliest legacy encoding.

    chardet first sees in which encodings the bytes are valid, so that one bad byte rules out the right one. Where a
    strict encoding fits but for a few bytes, chardet is asked again without them; it counts if chardet then names it.
    """
    sample = _telling(data)[:_SAMPLE]
    whole = _chardet(sample)
    if whole in _STRICT:
        return whole
    high = _count(sample, _HIGH)
    for name in _STRICT:
        lenient = _leniently(sample, name)
        if 0 < lenient.replaced <= max(4, 0.03 * high):
            without = lenient.text.replace("\ufffd", "").encode(_codec(name), "ignore")
            if _chardet(without) == name:
                return name
    return whole


def _telling(data: bytes) -> bytes:
    """The lines that tell an encoding: of those with bytes beyond ASCII, the ones that are not far thinner than others.

    A few lines of Russian among hundreds in English would else be taken for English with odd quotation marks, and the
    quotation marks of English lines for those of Russian. Where half of the bytes beyond ASCII stand in lines of some
    density or more, lines of less than half of it are left out.
    """
    parts = []
    for line in data.splitlines():
        pieces = re.split(rb"(?<=[.!?;]) ", line) if len(line) > _LONG_LINE else (line,)
        parts += [(count / len(piece), count, piece) for piece in pieces if (count := _count(piece, _HIGH))]
    half = sum(count for _, count, _ in parts) / 2
    middle = 0.0
    for density, count, _ in sorted(parts, key=lambda part: part[0]):
        half -= count
        if half <= 0:
            middle = density
            break
    return b"\n".join(piece for density, _, piece in parts if density >= middle / 2)


def _chardet(data: bytes) -> str:
    import chardet

    name = chardet.detect(data or b" ", include_encodings=_GUESSED, compat_names=False)["encoding"]
    return _GUESSED.get(name or "", "windows-1252")


def _without_mark(data: bytes) -> Decoded | None:
    """Reads UTF-16 or UTF-32 that bears no mark: one byte order gives ordinary characters throughout, the other does not."""
    if len(data) < 4:
        return None
    for encoding in ("utf-32-le", "utf-32-be"):
        if len(data) % 4 == 0 and (text := _try(data, encoding)) is not None:
            return Decoded(text, encoding, guessed=True)
    even = data[: len(data) // 2 * 2]
    samples = {encoding: even[: 1 << 16].decode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be")}
    shares = {encoding: len(_PLAIN.findall(sample)) / len(sample) for encoding, sample in samples.items()}
    best = max(shares, key=lambda encoding: shares[encoding])
    spaces = sum(samples[best].count(mark) for mark in " \n，。、")
    # Any two bytes are a Chinese character in one order or the other, so that the bytes alone must show it too.
    if shares[best] < 0.97 or shares[best] - min(shares.values()) < 0.1 or not spaces:
        return None
    return _leniently(data, best, guessed=True)


def _leniently(data: bytes, name: str, *, guessed: bool = False) -> Decoded:
    text = data.decode(_codec(name), "replace")
    present = data.count("\ufffd".encode()) if name == "utf-8" else 0
    return Decoded(text, name, guessed, max(0, text.count("\ufffd") - present))


def _codec(name: str) -> str:
    from webencodings import lookup

    encoding = lookup(name)
    # GBK's decoder is that of GB 18030 (WHATWG, Encoding, 10.1.1): it has the euro sign, and more characters.
    return name if encoding is None else "gb18030" if name == "gbk" else str(encoding.codec_info.name)


def _count(data: bytes, which: bytes) -> int:
    return len(data) - len(data.translate(None, which))


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None

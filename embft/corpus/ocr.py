"""Pictures of text to text, by Tesseract."""

from __future__ import annotations

import csv
import hashlib
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from embft.damaged import make_folder, remove
from embft.errors import CorpusError
from embft.files import write_text
from embft.text.tokens import CJK

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

logger = logging.getLogger(__name__)

_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "auto": ("eng", "chi_sim"), "en": ("eng",), "zh": ("chi_sim", "eng"), "de": ("deu",), "fr": ("fra",), "es": ("spa",),
    "it": ("ita",), "pt": ("por",), "nl": ("nld",), "ru": ("rus",), "pl": ("pol",), "sv": ("swe",), "da": ("dan",),
    "no": ("nor",), "fi": ("fin",), "cs": ("ces",), "hu": ("hun",), "tr": ("tur",), "el": ("ell",), "ar": ("ara",),
    "he": ("heb",), "th": ("tha",), "vi": ("vie",), "ja": ("jpn", "eng"), "ko": ("kor", "eng"),
}  # fmt: skip
"""Tesseract's names; where letters of two scripts are mixed, the first one decides about spaces."""

_PACKAGES = "apt install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim"
_HAN = re.compile("[\u3400-\u9fff]")
_BETWEEN_WIDE = re.compile(rf"(?<=[{CJK}\u3000-\u303f\uff00-\uffef]) (?=[{CJK}\u3000-\u303f\uff00-\uffef])")
_MANY_HAN = 0.15  # of the letters: the page is Chinese
_DOUBTFUL = 60.0  # mean confidence in percent below which a page may stand upside down
_NOISE = 15.0  # words of less confidence are specks
_LONGEST_SECONDS = 300
_BATCH = 4


@dataclass(frozen=True)
class Recognised:
    """What was read from one picture.

    Attributes:
        text: Lines; a blank line between paragraphs.
        confidence: Mean over characters, 0 to 100.
    """

    text: str
    confidence: float


@dataclass(frozen=True)
class Tesseract:
    """A Tesseract that is installed.

    Attributes:
        version: Its own words, for the cache.
        languages: Its names of those to read, the likeliest first.
        choose: Whether the order follows what a page turns out to be written in.
        cache: Folder in which each page's text is kept; a page takes seconds.
    """

    version: str
    languages: tuple[str, ...]
    choose: bool = False
    cache: Path | None = None
    env: Mapping[str, str] = field(default_factory=lambda: {**os.environ, "OMP_THREAD_LIMIT": "1"}, repr=False)

    def read(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[Recognised]:
        """Reads pictures of pages, several at once.

        Args:
            pictures: uint8 [height, width], grey.
        """
        with ThreadPoolExecutor(max_workers=min(_BATCH, os.cpu_count() or 1)) as pool:
            return list(pool.map(self._read_kept, pictures))

    def _read_kept(self, picture: npt.NDArray[np.uint8]) -> Recognised:
        if self.cache is None:
            return self._read_page(picture)
        name = hashlib.sha256(
            repr((self.version, self.languages, self.choose, picture.shape)).encode() + picture.tobytes()
        ).hexdigest()[:32]
        kept = self.cache / f"{name}.txt"
        if os.path.lexists(kept):
            if (known := _kept_page(kept)) is not None:
                return known
            logger.warning("The text of a page that %s keeps is damaged: the page is read again.", kept)
            remove(kept)
        page = self._read_page(picture)
        make_folder(self.cache, self.cache.parent)
        write_text(kept, f"{page.confidence:.1f} {text_digest(page.text)}\n{page.text}")
        return page

    def _read_page(self, picture: npt.NDArray[np.uint8]) -> Recognised:
        import numpy as np

        page = self._recognise(picture)
        if page.confidence < _DOUBTFUL and (turns := self._quarter_turns(picture)):
            other = self._recognise(np.rot90(picture, turns))
            page = max(page, other, key=lambda one: one.confidence)
        return page

    def _recognise(self, picture: npt.NDArray[np.uint8]) -> Recognised:
        page = self._once(picture, self.languages)
        letters = sum(map(str.isalpha, page.text))
        if self.choose and len(_HAN.findall(page.text)) > _MANY_HAN * max(1, letters):
            return self._once(picture, tuple(reversed(self.languages)))
        return page

    def _once(self, picture: npt.NDArray[np.uint8], languages: Sequence[str]) -> Recognised:
        table = self._run(picture, "-l", "+".join(languages), "--psm", "3", "tsv")
        return _text_of(table)

    def _quarter_turns(self, picture: npt.NDArray[np.uint8]) -> int:
        """How many quarters a picture must be turned, counter-clockwise, to stand upright."""
        try:
            answer = self._run(picture, "--psm", "0")
        except CorpusError:  # too few letters to tell
            return 0
        turn = re.search(r"Rotate: (\d+)", answer)
        return -int(turn[1]) // 90 % 4 if turn else 0

    def _run(self, picture: npt.NDArray[np.uint8], *arguments: str) -> str:
        import numpy as np

        height, width = picture.shape
        data = b"P5 %d %d 255\n" % (width, height) + np.ascontiguousarray(picture).tobytes()
        command = ["tesseract", "stdin", "stdout", "--dpi", "300", *arguments]
        try:
            done = subprocess.run(
                command, input=data, capture_output=True, env=dict(self.env), timeout=_LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise CorpusError(f"has a page that Tesseract did not read in {_LONGEST_SECONDS} seconds") from None
        if done.returncode:
            words = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
            raise CorpusError(f"has a page that Tesseract cannot read ({words})")
        return done.stdout.decode("utf-8", "replace")


def _kept_page(kept: Path) -> Recognised | None:
    """A page's text, if it is what was written."""
    try:
        head, _, text = kept.read_bytes().decode().partition("\n")
        confidence, expected = head.split(" ")
        return Recognised(text, float(confidence)) if text_digest(text) == expected else None
    except (OSError, ValueError):
        return None


def text_digest(text: str) -> str:
    """Digest of a text as `write_text` writes it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def open_tesseract(language: str, cache: Path | None = None) -> Tesseract:
    """Finds Tesseract and its data.

    Args:
        language: As ``corpus.language``; ``auto`` reads English and Chinese.
        cache: See `Tesseract`.

    Raises:
        CorpusError: It is not installed, or has no data for the language; with the command that installs it.
    """
    version, installed = _installed()
    if version is None:
        raise CorpusError(
            f"corpus.ocr=auto needs Tesseract, which is not installed: `{_PACKAGES}` (macOS: `brew install tesseract "
            "tesseract-lang`), or leave corpus.ocr out."
        )
    wanted = _LANGUAGES.get(language, _LANGUAGES["auto"])
    present = tuple(name for name in wanted if name in installed)
    if not present or (language != "auto" and wanted[0] not in present):
        package = "tesseract-ocr-" + wanted[0].replace("_", "-")
        raise CorpusError(
            f"corpus.ocr=auto: Tesseract has no data for '{wanted[0]}' (it has {', '.join(sorted(installed)) or 'none'}): "
            f"`apt install {package}`."
        )
    return Tesseract(version, present, choose=language == "auto" and len(present) > 1, cache=cache)


@cache
def _installed() -> tuple[str | None, frozenset[str]]:
    if shutil.which("tesseract") is None:
        return None, frozenset()
    version = subprocess.run(["tesseract", "--version"], capture_output=True, check=False).stdout.decode(
        "utf-8", "replace"
    )
    languages = subprocess.run(["tesseract", "--list-langs"], capture_output=True, check=False).stdout.decode(
        "utf-8", "replace"
    )
    return version.splitlines()[0] if version else "tesseract", frozenset(languages.split("\n")[1:]) - {"", "osd"}


def _text_of(table: str) -> Recognised:
    """Puts the words of Tesseract's table into lines and paragraphs."""
    lines: list[str] = []
    total = weight = 0.0
    place = paragraph = None
    for row in _rows(table):
        word, confidence = row["text"].strip(), float(row["conf"])
        if not word or confidence < _NOISE:
            continue
        total, weight = total + confidence * len(word), weight + len(word)
        here = row["block_num"], row["par_num"], row["line_num"]
        if here == place:
            lines[-1] += f" {word}"
        else:
            lines += ["", word] if paragraph not in (None, here[:2]) else [word]
        place, paragraph = here, here[:2]
    text = "\n".join(_BETWEEN_WIDE.sub("", line) for line in lines)
    return Recognised(text, total / weight if weight else 0.0)


def _rows(table: str) -> Iterator[dict[str, str]]:
    for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") == "5" and row.get("text"):
            yield row

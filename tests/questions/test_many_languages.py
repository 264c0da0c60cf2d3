"""Manuals in German, French, Japanese and Korean: readable questions, right terms, right audits, in one run and part by part."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from forks import typed

from embft.config import FiltersConfig
from embft.dataset.question_audits import language_findings
from embft.questions.extractive import extractive
from embft.questions.filters import filter_questions
from embft.questions.prompt import Prompt
from embft.questions.sentences import sentences
from embft.questions.traits import kind_of
from embft.questions.unaskable import boilerplate
from embft.records import Chunk, Question, RetrievalDataset, Splits
from embft.text.content_words import content_words, word_count
from embft.text.languages import guess, languages_of

pytestmark = pytest.mark.slow

PAGES = {
    "de": """2.1.1. Paketverwaltung einrichten

Das Betriebssystem installiert Softwarepakete aus einem Archiv, das von vielen Freiwilligen gepflegt wird. Beschädigte Pakete \
werden vor der Installation an ihrer Prüfsumme erkannt und nicht ausgeführt. Die Konfigurationsdateien liegen im Verzeichnis \
für Systemeinstellungen und werden bei einer Aktualisierung niemals überschrieben.

2.1.2. Gerätedateien und was sie mit der Hardware des Rechners verbindet

Eine Gerätedatei ist ein Eintrag im Dateisystem, über den ein Programm die Hardware anspricht. Überprüfen Sie die \
Wiederherstellung der Sicherungskopien mindestens einmal im Jahr auf einem zweiten Rechner.

Lesen Sie Abschnitt 2.1.4, „Grundlegende Vorsichtsmaßnahmen“, bevor Sie verschlüsselte Datenträger an fremde Rechner anschließen.
""",
    "fr": """2.1.1. Gestion des paquets

Le système installe des paquets logiciels depuis une archive entretenue par de nombreux bénévoles. L'intégrité des paquets \
téléchargés est vérifiée avant l'installation grâce à leur empreinte numérique. Les fichiers de configuration modifiés par \
l'administrateur ne sont jamais écrasés pendant une mise à jour.

2.1.2. Fichiers de périphériques et le matériel de votre ordinateur

Un fichier de périphérique est une entrée du système de fichiers par laquelle un programme accède au matériel. Vérifiez la \
restauration des sauvegardes au moins une fois par an sur un deuxième ordinateur.
""",
    "ja": """2.1.1. パッケージ管理

システムはアーカイブからパッケージをインストールします。ダウンロードしたパッケージは、インストールの前にチェックサムで検証されます。\
管理者が変更した設定ファイルは、アップグレードの際に上書きされることはありません。

2.1.2. デバイスファイル

デバイスファイルとは、プログラムがハードウェアを利用するための特別なファイルです。公開鍵を使うとパスワードなしでログインできます。\
少なくとも年に一度は別の計算機でバックアップの復元を確認してください。
""",
    "ko": """2.1.1. 패키지 관리

운영 체제는 자원봉사자들이 관리하는 아카이브에서 패키지를 설치합니다. 손상된 패키지는 설치하기 전에 검사 합계로 확인됩니다. \
관리자가 수정한 설정 파일은 업그레이드할 때 절대로 덮어쓰지 않습니다.

2.1.2. 장치 파일

장치 파일은 프로그램이 하드웨어에 접근하기 위한 파일 시스템의 항목입니다. 공개 키를 사용하면 암호 없이 로그인할 수 있습니다. \
적어도 일 년에 한 번은 다른 컴퓨터에서 백업 복원을 확인하십시오.
""",
}
CONTENTS = {
    "de": "Inhaltsverzeichnis\n\n2.1.1. Paketverwaltung\n2.1.2. Gerätedateien\n2.1.3. Netzwerk\n2.1.4. Vorsicht\n2.1.5. Kopien\n",
    "fr": "Table des matières\n\n1. Paquets ....... 12\n2. Réseau ........ 14\n3. Clés .......... 17\n4. Copies ........ 21\n",
    "ja": "目次\n\n2.1.1. パッケージ管理\n2.1.2. デバイス\n2.1.3. ネットワーク\n2.1.4. バックアップ\n2.1.5. 設定\n",
    "ko": "차례\n\n2.1.1. 패키지 관리\n2.1.2. 장치\n2.1.3. 네트워크\n2.1.4. 백업\n2.1.5. 설정\n",
}
SECTION = re.compile(r"\d+\.\d+\.\d+")
LETTERS = {"de": "äöüß", "fr": "éèàê", "ja": "ッ設", "ko": "지설"}


def chunks_of(text: str, document: str) -> list[Chunk]:
    """The sections as chunks."""
    parts = re.split(r"\n\n(?=2\.1\.)", text)
    return [Chunk(f"{document}{place}", part, document, None, 0, len(part)) for place, part in enumerate(parts)]


@pytest.mark.parametrize("code", PAGES)
def test_questions_are_readable_and_of_the_language(code: str) -> None:
    found, _ = extractive(chunks_of(PAGES[code], code), 4)
    texts = [question.text for question in found]
    assert len(texts) >= 5
    assert not [text for text in texts if SECTION.search(text)]
    # No word has lost a letter: each stands in the text as it is.
    lowered = PAGES[code].lower()
    plain = [text for text in texts if not text.startswith(("was ist", "qu'est-ce")) and "何ですか" not in text]
    assert [word for text in plain for word in content_words(text, code) if word.lower() not in lowered] == []
    assert any(letter in text for letter in LETTERS[code] for text in texts)
    assert not [text for text in texts if text.endswith((".", "。", ","))]


@pytest.mark.parametrize(
    ("code", "question"),
    [
        ("de", "was ist Gerätedatei"),
        ("fr", "qu'est-ce que fichier de périphérique"),
        ("ja", "デバイスファイルとは何ですか"),
    ],
)
def test_a_definition_becomes_a_question_of_its_language(code: str, question: str) -> None:
    assert question in {one.text for one in extractive(chunks_of(PAGES[code], code), 6)[0]}


@pytest.mark.parametrize("code", CONTENTS)
def test_contents_and_headings_are_never_asked_about(code: str) -> None:
    assert boilerplate(CONTENTS[code]) == "table of contents"
    questions, _ = extractive([*chunks_of(CONTENTS[code], "toc"), *chunks_of(PAGES[code], code)], 4)
    assert not [one for one in questions if one.chunk_ids[0].startswith("toc")]
    headings = {line.split(" ", 1)[1] for line in PAGES[code].splitlines() if SECTION.match(line)}
    assert not headings & {one.text for one in questions}


@pytest.mark.parametrize(
    ("code", "text", "count"),
    [
        ("de", "Am 3. Mai kam z. B. Dr. Meier. Überall lag Schnee. „Gut.“ Er ging.", 4),
        ("ja", "彼は「はい。」と言った。終わり！次は？", 3),
        ("hi", "यह एक वाक्य है। दूसरा वाक्य है॥ तीसरा?", 3),
        ("ar", "هل هذا صحيح؟ نعم. هذا صحيح.", 3),
        ("am", "ይህ ነው። ሌላ።", 2),
        ("my", "ဤသည်။ နောက်။", 2),
        ("km", "នេះ។ ពីរ។", 2),
        ("el", "Τι είναι αυτό; Ένα σύστημα. Έτοιμο.", 3),
        ("ko", "패키지를 설치합니다. 버전은 3.5 이다. 끝!", 3),
        ("ru", "Это т. е. пакет. Он готов. Ура!", 3),
    ],
)
def test_each_script_s_stops_end_a_sentence(code: str, text: str, count: int) -> None:
    assert len(sentences(text, code)) == count


def test_lengths_count_words_where_there_are_no_spaces() -> None:
    assert word_count("設定ファイルの場所") == 4
    assert word_count("패키지 설치 방법") == 3
    assert word_count("ระบบปฏิบัติการ") >= 2


def test_kinds_of_questions_are_told_in_other_languages() -> None:
    assert kind_of("Wie installiere ich ein Paket?", "de") == "how or why"
    assert kind_of("pourquoi le paquet est cassé", "fr") == "how or why"
    assert kind_of("設定ファイルはどこですか", "ja") == "fact"
    assert kind_of("패키지를 어떻게 설치하나요?", "ko") == "how or why"
    assert kind_of("was the package installed?") == "yes or no"


def test_an_llm_is_asked_in_the_language_of_the_passage() -> None:
    for name in ("article", "search", "simple", "typed"):
        for code, called in (("de", "German"), ("fr", "French"), ("ja", "Japanese"), ("ko", "Korean")):
            assert f"Write the questions in {called}, the language of the passage." in Prompt(name).fill(PAGES[code], 2)
        assert "the language of the passage" not in Prompt(name).fill("How a loop stops early, and what break does.", 2)
    assert "in German" in Prompt("search", "de").fill("System", 2)
    assert "in Chinese" in Prompt("article").fill("用人单位应当按照劳动合同约定支付劳动报酬。", 2)
    assert "the language of the passage" not in Prompt("search").fill("用人单位应当按照劳动合同约定支付劳动报酬。", 2)


def test_a_prompt_with_a_place_for_the_language_has_it_filled(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("{count} questions in {language}: {chunk}", encoding="utf-8")
    assert Prompt(str(file)).fill(PAGES["de"], 2).startswith("2 questions in German: 2.1.1.")


def test_an_english_question_about_a_german_passage_is_thrown_out() -> None:
    chunk = Chunk("c", PAGES["de"], "d", None, 0, 1)
    texts = (
        "How are damaged packages recognised before they are installed?",
        "Woran werden beschädigte Pakete erkannt?",
        "apt",
    )
    asked = [Question(str(place), text, ("c",), "openai") for place, text in enumerate(texts)]
    kept, rejected = filter_questions(asked, [chunk], FiltersConfig(language=True), "auto", lambda questions: [])
    assert [one.text for one in kept] == list(texts[1:])
    assert [one.detail for one in rejected] == ["English, not German"]
    japanese = Chunk("j", PAGES["ja"], "d", None, 0, 1)
    kept, _ = filter_questions(
        [Question("0", "設定変更 確認", ("j",), "openai")],
        [japanese],
        FiltersConfig(language=True),
        "auto",
        lambda questions: [],
    )
    assert kept  # Japanese need not have kana


@pytest.mark.parametrize(("code", "called"), [("de", "German"), ("fr", "French"), ("ja", "Japanese"), ("ko", "Korean")])
def test_a_model_for_another_language_is_told(code: str, called: str) -> None:
    corpus = {chunk.id: chunk.text for chunk in chunks_of(PAGES[code], code)}
    queries = {one.id: one.text for one in extractive(chunks_of(PAGES[code], code), 3)[0]}
    part = RetrievalDataset(queries, corpus, {key: (next(iter(corpus)),) for key in queries})
    nothing = RetrievalDataset({}, {}, {})
    splits = Splits(
        nothing, nothing, part, {}, {"dev": ("dev",), "test": ("test",)}, dict.fromkeys(queries, "extractive")
    )
    chunks, questions = language_findings(splits, "en")
    assert f"The model is for English, but 2 of 2 chunks looked at are in {called}" in chunks.text
    assert called in questions.text
    assert (
        language_findings(splits, code)
        == language_findings(splits, f"en+{code}")
        == language_findings(splits, "multi")
        == []
    )


def test_a_run_over_four_languages_asks_finds_and_warns(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "docs").mkdir()
    for code, text in PAGES.items():
        (tmp_path / "docs" / f"{code}.md").write_text(f"{CONTENTS[code]}\n\n{text}", encoding="utf-8")
    done = typed("corpus=files", "corpus.path=docs", "corpus.chunk_tokens=96", "dataset.block_pages=1", "training=none",
                 f"model.path={tiny_model}", "model.language=en",
                 "evaluation=base_only", "evaluation.resamples=100", "tracking=local", "hydra.run.dir=outputs/many",
                 cwd=tmp_path, environment={**os.environ, "HF_HUB_OFFLINE": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    folder = tmp_path / "outputs" / "many"
    test = json.loads((folder / "dataset" / "test.json").read_text(encoding="utf-8"))
    asked = list(test["queries"].values())
    assert asked
    assert not [text for text in asked if SECTION.search(text)]
    spoken = {guess(text).language for text in test["corpus"].values()} & set(PAGES)
    assert spoken <= set(languages_of([*test["corpus"].values()]).all)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"]["bm25"]["hit_rate@5"] > 0.5
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "The model is for English" in report

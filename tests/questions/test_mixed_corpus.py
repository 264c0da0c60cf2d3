"""In a corpus of several languages each chunk is asked about in its own, however few chunks are in it."""

from __future__ import annotations

from pydoc_data.topics import topics

import pytest

from embft.config import QuestionsConfig
from embft.questions.tasks import make_tasks
from embft.records import Chunk

GERMAN = (
    "Das Betriebssystem installiert Softwarepakete aus einem Archiv, das von vielen Freiwilligen gepflegt wird. Beschädigte "
    "Pakete werden vor der Installation an ihrer Prüfsumme erkannt und nicht ausgeführt. Die Konfigurationsdateien liegen im "
    "Verzeichnis für Systemeinstellungen und werden bei einer Aktualisierung niemals überschrieben, auch nicht die eigenen."
)
CHINESE = "潮汐每天涨落两次，因为月球的引力拉动海水。港口的管理员每天早上六点记录水位，并在月底把记录寄给测量局。"


def prompts(chunks: list[Chunk], **settings: str) -> dict[str, str]:
    config = QuestionsConfig(name="x", backend="openai", prompt="search", **settings)
    return {task.chunks[0].id: task.message(2) for task in make_tasks(chunks, config)}


@pytest.mark.parametrize("others", [1, 70])
def test_a_german_and_a_chinese_chunk_among_english_ones(others: int) -> None:
    english = [
        Chunk(f"e{at}", text[:600], f"{name}.txt", None, 0, 600)
        for at, (name, text) in enumerate(list(topics.items())[:others])
    ]
    asked = prompts(
        [*english, Chunk("de", GERMAN, "handbuch.txt", None, 0, 1), Chunk("zh", CHINESE, "手册.txt", None, 0, 1),
         Chunk("short", "apt-get install", "handbuch.txt", None, 0, 1)]
    )  # fmt: skip
    assert "Write the questions in German" in asked["de"]
    assert "Write the questions in German" in asked["short"]  # says nothing itself: as its document
    assert "问题" in asked["zh"].replace(CHINESE, "")
    rest = [text for key, text in asked.items() if key.startswith("e")]
    assert not [text for text in rest if "the language of the passage" in text or "问题" in text]


def test_a_setting_decides_for_all() -> None:
    asked = prompts(
        [Chunk("de", GERMAN, "a", None, 0, 1), Chunk("en", topics["for"][:600], "b", None, 0, 1)], language="fr"
    )
    assert all("Write the questions in French" in text for text in asked.values())

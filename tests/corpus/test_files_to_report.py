"""What people have, from the file to the report, as they type it: Word, scans in English and Chinese, chunks with Chinese ids."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forks import typed
from made_files import scanned_pdf, word_file

pytestmark = pytest.mark.slow

WORD = [
    "The harbour office keeps a log of every tide at the north pier and sends the readings to the survey.",
    "Doubtful readings are marked with a cross and left out of the yearly mean of the almanac.",
    "A keeper who finds the gauge frozen takes the height from the painted staff beside the gate.",
    "Visitors who bring a bicycle leave it at the east gate, where a warden hands out a numbered tag.",
]
SCANNED = [
    "Bakers call the weight of water per weight of flour",
    "the hydration of a dough. A dough without salt rises",
    "faster and tastes of little, since salt slows the yeast.",
    "The oven is heated for an hour before the first loaf.",
]
CHINESE = [
    "潮汐每天涨落两次，因为月球的引力拉动海水。",
    "大潮出现在新月和满月之后，小潮出现在弦月之后。",
    "港口的管理员每天早上六点记录水位并寄给测量局。",
]
CHUNKS = {
    "手册-一": "潮汐每天涨落两次，因为月球的引力拉动海水，所以港口的水位也随之变化。",
    "手册-二": "港口的管理员每天早上六点记录水位，并在月底把记录寄给测量局保存。",
    "手册-三": "蜜蜂在冬天围成一团，靠抖动翅膀保持温暖，直到春天的花朵开放为止。",
    "手册-四": "面团里不放盐发酵更快，但是味道很淡，因为盐会减慢酵母菌的活动。",
    "手册-五": "钟摆的金属杆遇热伸长，所以夏天的钟走得慢，除非使用因瓦合金制造。",
    "手册-六": "访客把自行车停放在东门，由看守发给号码牌，离开的时候再次出示它。",
}
CHEAP = ("training=none", "evaluation=base_only", "tracking=local", "evaluation.resamples=100")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = typed(*arguments, *CHEAP, cwd=cwd, environment={**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def seen(folder: Path) -> str:
    """The words of the report's page and of the data that its explorer shows, without their white space."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    return "".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def asked(folder: Path) -> dict[str, Any]:
    return {row["question"]: row for row in map(json.loads, (folder / "per_query.jsonl").read_text().splitlines())}


def human(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


@pytest.mark.slow
def test_word_and_scans_in_two_languages_come_to_the_report(tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed: apt install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim")
    if (
        "chi_sim"
        not in subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    ):
        pytest.skip("Tesseract has no Chinese: apt install tesseract-ocr-chi-sim")
    pytest.importorskip("mammoth", reason="pip install 'embft[office]'")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rules.docx").write_bytes(word_file(WORD))
    (tmp_path / "docs" / "bread.pdf").write_bytes(scanned_pdf([SCANNED]))
    (tmp_path / "docs" / "潮汐.pdf").write_bytes(scanned_pdf([CHINESE]))
    questions = {
        "what happens to doubtful readings": {"evidence": "marked with a cross and left out of the yearly mean"},
        "what do bakers call water per flour": {"document": "bread.pdf", "page": 1},
        "大潮什么时候出现": {"document": "潮汐.pdf", "page": 1},
    }
    human(tmp_path / "asked.jsonl", [{"question": text, **place} for text, place in questions.items()])

    done = run(
        "corpus.path=docs", "corpus.ocr=auto", "corpus.chunk_tokens=40", "questions.human=asked.jsonl",
        "dataset.dev_fraction=0", "hydra.run.dir=out", cwd=tmp_path,
    )  # fmt: skip

    report, rows = seen(tmp_path / "out"), asked(tmp_path / "out")
    assert set(questions) <= set(rows)
    for name in ("bread.pdf", "潮汐.pdf"):
        assert f"{name}:page1(1of1)wasreadbyOCR" in report
        assert name in done.stdout + done.stderr
    assert all("".join(text.split()) in report for text in questions)
    chunks = " ".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("chunks.jsonl"))
    assert "Doubtful readings are marked with a cross" in chunks
    assert "hydration of a dough" in chunks
    assert "大潮出现在新月和满月之后" in chunks


@pytest.mark.slow
def test_chunks_with_chinese_ids_keep_them_up_to_the_report(tmp_path: Path) -> None:
    with (tmp_path / "块.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            [("编号", "正文", "来源"), *((k, v, "手册") for k, v in CHUNKS.items())]
        )
    human(
        tmp_path / "问题.jsonl",
        [
            {"question": "盐对酵母有什么作用", "chunk_ids": ["手册-四"]},
            {"question": "自行车停在哪里", "evidence": "访客把自行车停放在东门"},
            {"question": "为什么夏天的钟慢", "chunk_ids": ["手册-五"]},
        ],
    )

    run(
        "corpus=chunks", "corpus.path=块.csv", "questions.human=问题.jsonl", "dataset.dev_fraction=0",
        "hydra.run.dir=out", cwd=tmp_path,
    )  # fmt: skip

    rows = asked(tmp_path / "out")
    assert {text: row["relevant"] for text, row in rows.items()} == {
        "盐对酵母有什么作用": ["手册-四"],
        "自行车停在哪里": ["手册-六"],
        "为什么夏天的钟慢": ["手册-五"],
    }
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "out" / "dataset").glob("*.json")]
    kept: dict[str, str] = {}
    for part in parts:
        kept |= part.get("corpus", part)
    assert kept == CHUNKS
    report = seen(tmp_path / "out")
    assert "盐对酵母有什么作用" in report
    assert "手册-四" in report

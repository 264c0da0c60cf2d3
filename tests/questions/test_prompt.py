"""Prompts: by name, by path, by language; braces in a chunk are only text."""

from __future__ import annotations

from pathlib import Path

import pytest

from embft.errors import QuestionError
from embft.questions.prompt import Prompt


def test_the_article_asks_in_its_own_words() -> None:
    filled = Prompt("article").fill("Revenue rose.", 2)
    assert "You are a Teacher/ Professor. Your task is to setup 2 questions for an upcoming quiz/examination." in filled
    assert "Context information is below." in filled
    assert "Revenue rose." in filled


def test_a_chinese_chunk_gets_the_chinese_prompt_and_an_english_one_the_english() -> None:
    prompt = Prompt("search")
    assert "搜索框" in prompt.fill("向量数据库用于检索高维向量。", 2)
    assert "search box" in prompt.fill("A vector database.", 2)


def test_the_language_can_be_set() -> None:
    assert "搜索框" in Prompt("search", "zh").fill("A vector database.", 2)
    assert "search box" in Prompt("search", "en").fill("向量数据库。", 2)


@pytest.mark.parametrize("chunk", ["{count} {chunk} {", "f'{x!r}' {{}}", "a } b"])
def test_braces_in_a_chunk_are_only_text(tmp_path: Path, chunk: str) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("Ask {count} about: {chunk}", encoding="utf-8")
    assert Prompt(str(file)).fill(chunk, 3) == f"Ask 3 about: {chunk}"


def test_a_users_prompt_may_have_a_chinese_sibling(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("{count} {chunk}", encoding="utf-8")
    (tmp_path / "mine.zh.txt").write_text("问{count}：{chunk}", encoding="utf-8")
    assert Prompt(str(tmp_path / "mine.txt")).fill("光合作用。", 1) == "问1：光合作用。"


def test_a_missing_place_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("Ask about: {chunk}", encoding="utf-8")
    with pytest.raises(QuestionError, match=r"lacks \{count\}"):
        Prompt(str(file))


def test_an_unknown_name_comes_with_the_nearest_and_the_choices() -> None:
    with pytest.raises(QuestionError, match=r"Did you mean 'search'\?.*article, pairs, search"):
        Prompt("serch")


def test_the_examples_of_a_prompt_are_known_so_that_echoes_can_be_dropped() -> None:
    assert len(Prompt("simple").examples) == 2
    assert Prompt("article").examples == ()

"""Every key of the schema says when it is read, and what it means; the reference is what the schema says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from embft.config import GROUPS, register
from embft.config.command_line import command_line_problems
from embft.config.hints import meant_by
from embft.config.keys import all_keys
from embft.config.usage import conditions

ROOT = Path(__file__).parents[2]
register()


def test_every_key_stands_in_the_table_and_nothing_else_does() -> None:
    groups = {*GROUPS, "experiment"}
    missing = set(all_keys()) - set(conditions())
    assert not missing, f"say in embft/config/usage.py when these are read: {sorted(missing)}"
    assert set(conditions()) - set(all_keys()) == groups


def test_every_key_has_a_meaning_and_every_number_its_limits() -> None:
    for key in all_keys().values():
        assert key.meaning.endswith((".", '"')), f"{key.name} needs a sentence below it in the schema"
        assert key.type not in {int, float} or key.limits or key.is_list, f"{key.name} has no limits"


@pytest.mark.parametrize("name", [name for name, needed in conditions().items() if needed])
def test_a_key_that_is_not_read_names_what_reads_it(name: str) -> None:
    for condition in conditions()[name]:
        assert condition.words


def test_a_name_of_a_key_is_found_by_its_last_word() -> None:
    for name in all_keys():
        leaf = name.rpartition(".")[2]
        if "." in name and leaf != "name":
            assert "Did you mean" in meant_by(leaf), leaf


def test_what_a_file_of_a_group_sets_is_nobody_s_mistake() -> None:
    # retrieval=truncate sets bm25_pairs, and no system here uses BM25.
    overrides = ["retrieval=truncate", "evaluation.systems=[base,tuned]"]
    assert command_line_problems(overrides, ROOT / "configs") == []
    [problem] = command_line_problems([*overrides, "retrieval.bm25_pairs=0"], ROOT / "configs")
    assert "retrieval.bm25_pairs is given and would not be used" in problem


def test_the_reference_is_what_the_schema_says() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "reference.py"))
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert page == script["page"](), "run: python scripts/reference.py"
    assert all(f"`{name}`" in page for name in all_keys())

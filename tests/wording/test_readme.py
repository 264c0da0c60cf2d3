"""The two READMEs tell the same: each figure, command and link of one is in the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))


def commands(text: str) -> list[str]:
    """The lines of code blocks that are typed, without their remarks."""
    lines = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    typed = (line.partition("  #")[0].strip() for line in lines)
    return [line for line in typed if line.startswith(("git ", "make ", "python", ".venv/"))]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(lambda text: re.findall(r"\.\d{3}(?: \[\.\d{3}, \.\d{3}\])?", text), id="figures"),
        pytest.param(lambda text: sorted(re.findall(r"[-+]\d+\.\d\b", text)), id="differences"),
        pytest.param(commands, id="commands"),
        pytest.param(lambda text: sorted(set(re.findall(r"\]\((?!#|README)([^)]*\.(?:md|png)[^)]*)\)", text)) - {
            "docs/images/report.png", "docs/images/report-zh.png"}), id="links"),
        pytest.param(lambda text: len(re.findall(r"^## ", text, re.MULTILINE)), id="sections"),
    ],
)  # fmt: skip
def test_both_readmes_have_the_same(found) -> None:
    assert found(CHINESE) == found(ENGLISH)


def test_each_readme_leads_to_the_other() -> None:
    assert "(README.zh.md)" in ENGLISH.partition("##")[0]
    assert "(README.md)" in CHINESE.partition("##")[0]

"""The table of public reports names tests that exist, and cases that they hold."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = re.findall(
    r"^\| (.+?) \| `(tests/\S+?\.py)::(\w+)` \| (.+?) \|$",
    (ROOT / "tests" / "public_reports.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_every_report_has_a_test() -> None:
    assert len(ROWS) >= 50
    missing = [
        f"{file}::{name}"
        for _, file, name, _ in ROWS
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert not missing


def test_the_cases_that_a_row_names_are_there() -> None:
    """What stands in quotation marks beside one of the tables is an entry of it."""
    tables = {"chat_faults": "services/chat_faults.py", "hostile_documents": "hostile/test_hostile_documents.py"}
    for _, file, _, right in ROWS:
        table = next((path for name, path in tables.items() if name in file), None)
        if table is not None:
            text = (ROOT / "tests" / table).read_text(encoding="utf-8")
            assert all(f'"{entry}"' in text for entry in re.findall(r'"([^".]+)"', right)), right

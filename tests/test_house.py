"""The house rules that can be counted. `make check` runs this file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / "embft").rglob("*.py")), ROOT / "run.py", *sorted((ROOT / "scripts").glob("*.py"))]
MOST_LINES = 300
MOST_UNTYPED = 58
"""Mappings of anything: where JSON is read or written, and nowhere else."""


def test_no_file_is_longer_than_a_person_reads_at_once():
    every = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in every}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_untyped_mappings_stand_only_where_json_is_read_or_written():
    pattern = re.compile(r"(?:dict|Mapping)\[str, Any\]")
    counts = {
        path.relative_to(ROOT).as_posix(): len(pattern.findall(path.read_text(encoding="utf-8"))) for path in SOURCES
    }
    assert sum(counts.values()) <= MOST_UNTYPED, sorted((count, name) for name, count in counts.items() if count)


def test_the_command_line_imports_nothing_heavy():
    heavy = ("torch", "sentence_transformers", "transformers", "wandb", "openai", "datasets", "scipy", "pandas")
    code = f"import sys, run; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"

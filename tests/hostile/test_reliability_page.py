"""docs/reliability.md states how much is tried; the counts are the tests' own."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """Rows of the table between the marks of a name, without its head."""
    (text,) = re.findall(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", PAGE, re.DOTALL)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()[2:]]


def imported(name: str, *folders: str) -> object:
    """A module of the tests, which are no package."""
    paths = [str(ROOT / "tests" / folder) for folder in folders]
    sys.path[:0] = paths
    try:
        return importlib.import_module(name)
    finally:
        del sys.path[: len(paths)]


def test_the_counts_of_hostile_inputs_are_those_of_the_tests():
    documents = imported("test_hostile_documents", "hostile").DOCUMENTS_BY_KIND
    datasets = ("tables", "llama_index", "beir", "questions")
    configurations = imported("command_lines", "hostile")
    caches = ("sqlite_caches", "stages", "checkpoints", "downloads")
    expected = [
        *documents.values(),
        imported("test_hostile_pdfs", "hostile", "corpus").COUNT,
        *(len(imported(f"test_hostile_{kind}", "hostile").CASES) for kind in datasets),
        *(len(imported(f"test_hostile_{kind}", "hostile").CASES) for kind in ("chunk_files", "folders")),
        imported("test_hostile_models", "hostile", "").HOSTILE_MODELS,
        *(len(getattr(configurations, name)) for name in ("REFUSED", "TAKEN", "TYPED")),
        sum(len(imported(f"test_hostile_{kind}", "hostile", "").CASES) for kind in caches),
    ]
    assert [int(row[1]) for row in table("counts")] == expected


def test_the_faults_of_services_are_those_of_the_fault_server():
    counts = imported("fault_counts", "services", "").fault_counts()
    assert [[row[0], *map(int, row[1:])] for row in table("faults")] == [list(row) for row in counts]

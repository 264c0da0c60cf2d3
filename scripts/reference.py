"""Writes docs/reference.md, every configuration key, and the schema of metrics.json: python scripts/reference.py [--check]."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from embft.config import GROUPS, register
from embft.config.composing import config_tree
from embft.config.reference import reference
from embft.files import write_text
from embft.reporting.metrics_schema import metrics_schema
from embft.runs.stopping import quietly

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
SCHEMA = ROOT / "docs" / "metrics.schema.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line. Returns 0; with --check 1 where the page is not what the schema says."""
    parser = argparse.ArgumentParser(description="Writes docs/reference.md and docs/metrics.schema.json.")
    parser.add_argument("--check", action="store_true", help="write nothing, and tell whether the page is up to date")
    options = parser.parse_args(arguments)
    text = page()
    if options.check:
        current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        print(
            f"{PAGE.name} is up to date."
            if current
            else f"{PAGE.name} is out of date: run python scripts/reference.py."
        )
        return 0 if current else 1
    write_text(PAGE, text)
    write_text(SCHEMA, json.dumps(metrics_schema(), indent=2, ensure_ascii=False) + "\n")
    print(PAGE, SCHEMA, sep="\n")
    return 0


def page() -> str:
    """The page as the schema and the files of configs/ have it."""
    register()
    tree = config_tree(ROOT / "configs")
    return reference({group: tree.options(group) for group in GROUPS})


if __name__ == "__main__":
    sys.exit(quietly(main))

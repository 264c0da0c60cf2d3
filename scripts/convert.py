"""Turns a dataset into another format: python scripts/convert.py IN OUT [--to beir|datasets|llama_index] [--split test]."""

from __future__ import annotations

import sys

from embft.commands.convert import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

"""Opens a page to write and judge questions by hand: python scripts/label.py RUN | corpus.path=FILE [--questions FILE]."""

from __future__ import annotations

import sys
from pathlib import Path

from embft.labelling.command import main

if __name__ == "__main__":
    sys.exit(main(None, Path(__file__).resolve().parents[1] / "configs"))

"""Opens a page to write and judge questions by hand: python scripts/label.py RUN | corpus.path=FILE [--questions FILE]."""

from __future__ import annotations

import sys

from embft.labelling.command import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

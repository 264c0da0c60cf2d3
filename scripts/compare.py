"""Lists runs and sweeps side by side: python scripts/compare.py outputs/sweeps/X [...] [--html compare.html]."""

from __future__ import annotations

import sys

from embft.commands.compare import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

"""What lies in the cache of stages, and what may go: python scripts/cache.py list|why|verify|prune."""

from __future__ import annotations

import sys

from embft.commands.cache import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

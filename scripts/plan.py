"""What a sweep would do, before it starts: python scripts/plan.py -m KEY=A,B ..."""

from __future__ import annotations

import sys

from embft.commands.plan import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

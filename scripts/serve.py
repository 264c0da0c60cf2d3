"""Serves what a run found best: python scripts/serve.py outputs/runs/NAME [--system fused] [--port 8000]."""

from __future__ import annotations

import sys

from embft.runs.stopping import quietly
from embft.serving.command import main

if __name__ == "__main__":
    sys.exit(quietly(main))

"""Checks what is served against a run: python scripts/check_served.py URL|FOLDER --run RUN."""

from __future__ import annotations

import sys

from embft.runs.stopping import quietly
from embft.serving.check_command import main

if __name__ == "__main__":
    sys.exit(quietly(main))

"""Puts a run's tuned model on the Hugging Face hub: python scripts/publish.py RUN OWNER/NAME [--public] [--dry-run]."""

from __future__ import annotations

import sys

from embft.commands.publish import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

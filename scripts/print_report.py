"""Prints a run's report as a PDF or a PNG: python scripts/print_report.py RUN report.pdf [--dark] [--width 1200]."""

from __future__ import annotations

import sys

from embft.commands.print_report import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

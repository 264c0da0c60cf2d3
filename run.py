"""Runs one experiment, or with -m a sweep of them. `python run.py --help` shows what can be set."""

import sys

from embft.entry import run

if __name__ == "__main__":
    sys.exit(run())

"""Lists runs and sweeps side by side: python scripts/compare.py outputs/sweeps/X [...]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from embft.errors import EmbftError
from embft.reporting.compare import collect, print_comparison, write_csv
from embft.reporting.wording import LABELS


def main() -> int:
    """Parses the command line; returns 2 for a mistake in it."""
    parser = argparse.ArgumentParser(description="Lists runs and sweeps side by side.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a run folder or a sweep's folder")
    parser.add_argument(
        "--metric", choices=list(LABELS), default="ndcg@10", help="what is compared (default: %(default)s)"
    )
    parser.add_argument("--system", default="tuned", help="whose difference to base is shown (default: %(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write every figure of every job to FILE")
    arguments = parser.parse_args()
    try:
        print_comparison(arguments.folders, arguments.metric, arguments.system)
        if arguments.csv:
            write_csv(arguments.csv, collect(arguments.folders))
    except EmbftError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

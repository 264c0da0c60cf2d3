"""Exports what a run found best: python scripts/export.py RUN DIR --to parquet|onnx|qdrant|lancedb|elasticsearch."""

from __future__ import annotations

import sys

from embft.export.command import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))

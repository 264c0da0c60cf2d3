"""One process of a job: ``python -m embft.scaling.rank MODULE:FUNCTION FOLDER``."""

from __future__ import annotations

import sys
from importlib import import_module


def do(work: str, folder: str) -> int:
    """Calls ``module:function`` with the job's folder; returns its exit status."""
    module, _, name = work.partition(":")
    status: int = getattr(import_module(module), name)(folder)
    return status


if __name__ == "__main__":
    sys.exit(do(*sys.argv[1:3]))

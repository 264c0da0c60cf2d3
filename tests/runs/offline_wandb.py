"""What an offline run of Weights & Biases was told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def told(folder: Path) -> dict[str, Any]:
    """The summary of the one offline run of a folder, as wandb's own command reads it back."""
    [run] = (folder / "wandb").glob("offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(run)]
    summary: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)[
        "summary"
    ]
    return summary

"""Which checkpoint a training continues from: the newest that is what was written, and whose best epoch is there too."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from pickle import UnpicklingError

from embft.damaged import remove
from embft.files import file_digest, read_json, sync, sync_below, write_json

logger = logging.getLogger(__name__)

STATE = "trainer_state.json"
WEIGHTS = "trained.safetensors"
"""In a checkpoint: what is trained."""
PROCESSES = "processes"
"""Beside these weights: how many processes trained them, and wrote the states of their random numbers."""
_DIGESTS = "digests.json"
"""Written last: size and digest of all other files."""


def seal(checkpoint: Path) -> None:
    """Writes down what a checkpoint holds, once it is on the disk."""
    files = [path for path in sorted(checkpoint.iterdir()) if path.is_file() and path.name != _DIGESTS]
    sync_below(checkpoint)
    write_json(checkpoint / _DIGESTS, {path.name: [path.stat().st_size, file_digest(path)] for path in files})
    sync(checkpoint.parent)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that can be gone on from; those that cannot are removed.

    What a kill left half written, or half removed, goes without a word. What was whole once and is damaged is named.
    """
    if not folder.is_dir():
        remove(folder)
        return None
    places = {int(name[1]): path for path in folder.iterdir() if (name := re.fullmatch(r"checkpoint-(\d+)", path.name))}
    damaged = []
    for number, path in list(places.items()):
        fault = _fault(path)
        if fault is not None:
            if fault:
                damaged.append(f"{path} ({fault})")
            remove(places.pop(number))
    # A training that continues must be able to return to the epoch that was best so far.
    while places and (best := _best(last := places[max(places)])) is not None and not (folder / best).is_dir():
        damaged.append(f"{last} (its best epoch, {best}, is lost)")
        remove(places.pop(max(places)))
    newest = places[max(places)] if places else None
    if damaged:
        logger.warning(
            "Damaged checkpoints: %s. The training %s.",
            "; ".join(damaged), f"continues from {newest.name}" if newest else "starts anew",
        )  # fmt: skip
    return newest


def _fault(checkpoint: Path) -> str | None:
    """None: it is whole. Empty: it never was. Else what is damaged."""
    if not checkpoint.is_dir():
        return "no folder"
    try:
        state = read_json(checkpoint / STATE)["global_step"]
    except FileNotFoundError:
        return ""  # the trainer writes it last
    except (OSError, ValueError, LookupError, TypeError):
        return STATE
    try:
        if (checkpoint / _DIGESTS).exists():
            for name, (size, content) in read_json(checkpoint / _DIGESTS).items():
                file = checkpoint / name
                if not file.is_file() or file.stat().st_size != size or file_digest(file) != content:
                    return str(name)
            return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return _DIGESTS
    # Not sealed: a kill came just before, or while it was being removed.
    return None if isinstance(state, int) and _loads(checkpoint) else ""


def _loads(checkpoint: Path) -> bool:
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(checkpoint / WEIGHTS, "np") as weights:
            processes = int(weights.metadata()[PROCESSES])
        for name in ("optimizer.pt", "scheduler.pt"):
            torch.load(checkpoint / name, map_location="cpu", weights_only=True)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, EOFError, UnpicklingError, SafetensorError):
        return False
    numbers = ["rng_state.pth"] if processes == 1 else [f"rng_state_{number}.pth" for number in range(processes)]
    return all((checkpoint / name).is_file() for name in numbers)


def _best(checkpoint: Path) -> str | None:
    """The name of the checkpoint that was best on dev, if dev was asked."""
    best = read_json(checkpoint / STATE).get("best_model_checkpoint")
    return None if best is None else Path(best).name

"""Where a run's figures go besides its own files: a local log always, and the service that is wanted.

`open_tracker` is the only door; the rest of embft knows the `Tracker` protocol and nothing of a service.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from embft.config import TrackingConfig
from embft.tracking.tracker import TRACKING_FILE, LocalTracker, PairTracker, Product, Tracker

__all__ = ["TRACKING_FILE", "Product", "Tracker", "open_tracker"]


def open_tracker(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None = None, settings: Mapping[str, object]
) -> AbstractContextManager[Tracker]:
    """Opens the run's tracker; use it with ``with``, and an exception that leaves the block marks the run as failed.

    Args:
        config: The tracking group: backend, mode, project...
        folder: The run folder; there must be one. ``tracking.jsonl`` is written into it in any case.
        name: The run's name.
        group: Name of the sweep that the run belongs to, or None.
        settings: The resolved configuration. Must hold no secret: it is written to disk and uploaded.
    """
    local = LocalTracker(folder, name=name, group=config.group or group, settings=settings)
    if config.backend == "local":
        return local
    if config.backend != "wandb":
        from embft.tracking.services import open_service

        return PairTracker(local, open_service(config, folder=folder, name=name, group=group, settings=settings))
    from embft.tracking.wandb_run import open_wandb

    remote = open_wandb(config, folder=folder, name=name, group=group, settings=settings)
    return local if remote is None else PairTracker(local, remote)

"""Trackio, MLflow and TensorBoard by their names in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from embft.config import TrackingConfig
from embft.tracking.service import ServiceTracker
from embft.tracking.tracker import plain


def open_service(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None, settings: Mapping[str, object]
) -> ServiceTracker:
    """Opens a run at Trackio, MLflow or TensorBoard; arguments as for `embft.tracking.open_tracker`."""
    run = {"folder": folder.absolute(), "name": name, "group": config.group or group, "settings": plain(settings)}
    if config.backend == "mlflow":
        from embft.tracking.mlflow_run import open_mlflow

        return ServiceTracker("MLflow", lambda: open_mlflow(config, **run))
    if config.backend == "trackio":
        from embft.tracking.trackio_run import open_trackio

        return ServiceTracker("Trackio", lambda: open_trackio(config, **run))
    from embft.tracking.tensorboard_run import open_tensorboard

    return ServiceTracker("TensorBoard", lambda: open_tensorboard(config, **run))

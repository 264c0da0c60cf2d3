"""The trackers that come with an extra, and the packages that each needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from embft.config.experiment import TrackingConfig

PACKAGES = {"trackio": ("trackio",), "mlflow": ("mlflow", "sqlalchemy", "alembic"), "tensorboard": ("tensorboard",)}
"""By backend. MLflow keeps its runs in a database, and its small package brings nothing that writes to one."""


def tracking_problems(config: TrackingConfig) -> Iterator[str]:
    """A tracker that is not installed: better known before a run than after it."""
    if lacking := [name for name in PACKAGES.get(config.backend, ()) if find_spec(name) is None]:
        yield (
            f"tracking={config.backend} needs the Python package{'s' if len(lacking) > 1 else ''} {' and '.join(lacking)}: "
            f"pip install 'embft[{config.backend}]'."
        )

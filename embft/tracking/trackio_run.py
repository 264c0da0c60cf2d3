"""A run of Trackio: in its database on this machine (TRACKIO_DIR), without an account."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embft.config import TrackingConfig
from embft.tracking.service import numbers


class TrackioRun:
    """A `embft.tracking.service.Service`.

    Args:
        run: What ``trackio.init`` returned.
        folder: The run folder.
    """

    name = "Trackio"

    def __init__(self, run: Any, folder: Path) -> None:
        self._run, self._folder = run, folder
        self.address = f"trackio show --project {run.project}"

    def log(self, values: Mapping[str, float], step: int | None) -> None:
        self._run.log(numbers(values), step=step)

    def summary(self, values: Mapping[str, object]) -> None:
        self._run.log({key: value for key, value in values.items() if value is not None})

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        import trackio

        self._run.log({name: trackio.Table(columns=list(columns), data=[list(row) for row in rows])})

    def file(self, path: Path) -> None:
        # Its path alone: Trackio keeps copies of files as versions of artifacts, and these lie in the run folder.
        self._run.log({f"file/{path.name}": str(path.absolute())})

    def finish(self, failed: bool) -> None:
        try:
            self._run.log({"status": "failed" if failed else "ok"})
        finally:
            with contextlib.redirect_stdout(io.StringIO()):
                self._run.finish()


def open_trackio(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None, settings: Mapping[str, object]
) -> TrackioRun:
    """Opens a run; arguments as for `embft.tracking.open_tracker`."""
    import trackio

    about = {"embft.folder": str(folder), "tags": list(config.tags), "notes": config.notes}
    options = {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
    with contextlib.redirect_stdout(io.StringIO()):
        run = trackio.init(project=config.project, name=name, group=group, config={**settings, **about}, **options)
    return TrackioRun(run, folder)

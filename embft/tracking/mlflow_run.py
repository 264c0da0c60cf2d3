"""A run of MLflow: in a local database, or at the server that MLFLOW_TRACKING_URI names.

What MLflow does by default and this module does not: report how it is used to its makers, and wait for a server that is not
there for a quarter of an hour.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from embft.config import TrackingConfig
from embft.tracking.service import flat, numbers, without_password

STORE = Path("outputs")
"""Where the database and the files lie, below the folder that the command was typed in."""
_LONGEST = 5000
"""Characters of a parameter or a tag; MLflow refuses longer ones."""
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class MlflowRun:
    """A `embft.tracking.service.Service`.

    MLflow allows no ``@`` in a name: ``hit_rate@5`` is ``hit_rate_at_5`` there, as its own metrics are called.

    Args:
        client: An ``mlflow.MlflowClient``.
        run_id: Of an open run.
        address: Where it is seen.
    """

    name = "MLflow"

    def __init__(self, client: Any, run_id: str, address: str) -> None:
        self._client, self._run_id, self.address = client, run_id, address

    def log(self, values: Mapping[str, float], step: int | None) -> None:
        self._send_metrics(numbers(values), step or 0)

    def summary(self, values: Mapping[str, object]) -> None:
        figures = numbers(values)
        self._send_metrics(figures, 0)
        for key, value in values.items():
            if key not in figures and value is not None:
                self._client.set_tag(self._run_id, known_name(key), str(value)[:_LONGEST])

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        # The form that mlflow.load_table reads, which itself would need pandas here.
        self._client.log_dict(self._run_id, {"columns": list(columns), "data": rows}, f"{name}.json")

    def file(self, path: Path) -> None:
        self._client.log_artifact(self._run_id, str(path))

    def finish(self, failed: bool) -> None:
        self._client.set_terminated(self._run_id, "FAILED" if failed else "FINISHED")

    def _send_metrics(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(known_name(key), value, now, step) for key, value in values.items()]
        for start in range(0, len(metrics), 1000):  # the most in one request
            self._client.log_batch(self._run_id, metrics=metrics[start : start + 1000])


def open_mlflow(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None, settings: Mapping[str, object]
) -> MlflowRun:
    """Opens a run; arguments as for `embft.tracking.open_tracker`."""
    for variable, value in _DEFAULTS.items():
        os.environ.setdefault(variable, value)
    from mlflow import MlflowClient
    from mlflow.entities import Param

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    address = os.environ.get("MLFLOW_TRACKING_URI")
    if address is None:
        store = STORE.absolute()
        store.mkdir(parents=True, exist_ok=True)
        database = f"sqlite:///{(store / 'mlflow.db').as_posix()}"
        # Jobs that begin at the same time would all create its tables.
        with FileLock(store / "mlflow.db.lock"):
            client = MlflowClient(tracking_uri=database)
            experiment = _experiment(client, config.project, (store / "mlflow-files").as_uri())
        address = f"mlflow ui --backend-store-uri {database}"
    else:
        client = MlflowClient(tracking_uri=address)
        experiment = _experiment(client, config.project, None)
        address = without_password(address)
    tags = {
        "embft.folder": str(folder),
        **({"embft.group": group} if group else {}),
        **({"mlflow.note.content": config.notes} if config.notes else {}),
        **{f"label.{known_name(tag)}": "true" for tag in config.tags},
    }
    run = client.create_run(experiment, run_name=name, tags=tags)
    params = [Param(known_name(key), str(value)[:_LONGEST]) for key, value in flat(settings).items()]
    for start in range(0, len(params), 100):  # the most in one request
        client.log_batch(run.info.run_id, params=params[start : start + 100])
    return MlflowRun(client, run.info.run_id, address)


def known_name(key: str) -> str:
    """A key as MLflow allows it."""
    return re.sub(r"[^\w\-. :/]", "_", key.replace("@", "_at_"), flags=re.ASCII)[:250]


def _experiment(client: Any, name: str, files: str | None) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name, artifact_location=files))

"""A run of Weights & Biases, online or kept on disk for ``wandb sync``.

What wandb does by default and this module does not: ask for a key at a prompt, print a traceback for an exception that
passes through, return the first run when a second one is opened, capture the console, report its own errors home.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from embft.config import TrackingConfig
from embft.config.fields import DEV_METRICS
from embft.tracking.tracker import Product, plain
from embft.tracking.wandb_products import send_product

_log = logging.getLogger(__name__)

# Seconds to wait for the server when a run starts. wandb's own 90 are long for a run that continues anyway.
_INIT_SECONDS = 20.0
# Seconds to wait for the server when a run ends. wandb's own wait is without end, so a server that died would hold the run.
_FINISH_SECONDS = 60.0
# Seconds in which a server that could not be reached is not tried again: each job of a sweep would wait for it.
_OUTAGE_SECONDS = 600.0
# The horizontal axis of training curves; the name that Hugging Face's own callback uses.
_STEP = "train/global_step"
# What asks the server and waits for it: where one of them failed, the others would too.
_ASKS = {"table", "artifact"}
# Ids of the environment that a run of this process has.
_taken: set[str] = set()
# When this process last could not reach the server, by the monotonic clock.
_outages: list[float] = []


class WandbTracker:
    """Tells an open run of Weights & Biases.

    A run outlives its tracking: where wandb fails midway (a full disk, a crashed service), a warning says so once and
    the experiment continues with its local files.

    Args:
        run: What ``wandb.init`` returned.
        folder: The run folder; attached files are named by their path below it.
        artifacts: How datasets and models are told of; see `TrackingConfig.artifacts`.
    """

    def __init__(self, run: Any, folder: Path, artifacts: str) -> None:
        self._run = run
        self._folder = folder.absolute()
        self._artifacts = artifacts
        self._failed: set[str] = set()
        self._guarded("start", lambda: _define_metrics(run))

    def __enter__(self) -> WandbTracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        offline, folder = self._run.offline, Path(self._run.dir).parent
        address = None if offline else self._run.url
        # Not `with run`: its __exit__ prints the traceback, also of errors that have a clear message.
        self._guarded("finish", lambda: self._run.finish(exit_code=0 if kind is None else 1))
        if self._failed:
            _let_service_go()
            _log.warning(
                "Weights & Biases: what it kept can be uploaded later with: wandb sync %s. All that was tracked is in "
                "tracking.jsonl.", folder,
            )  # fmt: skip
        elif offline:
            _log.info("Weights & Biases: kept offline; upload it with: wandb sync %s", folder)
        else:
            _log.info("Weights & Biases: %s", address)

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Adds a point; see `Tracker.log`."""
        row = dict(values) if step is None else {**values, _STEP: step}
        self._guarded("log", lambda: self._run.log(row))

    def summary(self, values: Mapping[str, object]) -> None:
        """Sets final values; see `Tracker.summary`."""
        self._guarded("summary", lambda: self._run.summary.update(plain(values)))

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Stores a ``wandb.Table``; see `Tracker.table`."""
        data = [plain(list(row)) for row in rows]

        def send() -> None:
            import wandb

            # A cell may be null or a number of another kind than the row above's; that is no reason to refuse it.
            self._run.log({name: wandb.Table(columns=list(columns), data=data, allow_mixed_types=True)})

        self._guarded("table", send)

    def file(self, path: Path) -> None:
        """Attaches a file as it is now; see `Tracker.file`."""
        path = path.absolute()
        base = self._folder if path.is_relative_to(self._folder) else path.parent
        self._guarded("file", lambda: self._run.save(str(path), base_path=str(base), policy="now", glob=False))

    def product(self, product: Product) -> None:
        """Notes an artifact; see `Tracker.product`."""
        if self._artifacts != "none":
            self._guarded("artifact", lambda: send_product(self._run, product, self._artifacts))

    def _guarded(self, what: str, action: Callable[[], object]) -> None:
        import wandb

        # What failed once may take as long again. The rest goes into the run's file, which needs no server.
        if what in self._failed:
            return
        try:
            action()
        except Exception as error:
            # Of many kinds: a server's answer that makes no sense comes as pydantic's, a crashed service as one of wandb's own
            # that is no wandb.Error.
            if isinstance(error, (TimeoutError, wandb.errors.CommError)):
                _outages.append(time.monotonic())
            if not self._failed:
                words = next(iter(str(error).splitlines()), "") or type(error).__name__
                _log.warning(
                    "Weights & Biases failed at '%s' (%s). The run continues; its figures are in its folder.",
                    what,
                    words,
                )
            self._failed |= {what} if what not in _ASKS else _ASKS


def open_wandb(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None, settings: Mapping[str, object]
) -> WandbTracker | None:
    """Opens a run, online or offline as `config.mode` and the machine allow.

    ``auto`` follows WANDB_MODE where that is set, else it is online where wandb finds a key (WANDB_API_KEY, an identity
    token, netrc or wandb's settings file) and offline where not. A run that cannot go online goes offline, with a
    warning. The key is wandb's affair: it is never read here.

    Args:
        config: The tracking group.
        folder: The run folder; wandb's files lie in its ``wandb/``.
        name: The run's name.
        group: The sweep it belongs to; `config.group` goes before it.
        settings: The resolved configuration, without secrets; ``embft.commit`` among it is the run's commit.

    Returns:
        The tracker, or None where wandb is disabled or does not start (with a warning).
    """
    mode = _wanted_mode(config.mode)
    if mode == "disabled":
        return None
    # Set before the import: wandb reports its own errors to its makers otherwise, offline too. An explicit value stays.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    if mode != "offline":
        key = _finds_key()
        if not key and mode == "online":
            _log.warning(
                "Weights & Biases: tracking.mode=online but no API key was found. Continuing OFFLINE. "
                "Set WANDB_API_KEY or run `wandb login`, then upload this run with `wandb sync`."
            )
        mode = "online" if key else "offline"
        if key and _outages and time.monotonic() - _outages[-1] < _OUTAGE_SECONDS:
            _log.warning(
                "Weights & Biases could not be reached a moment ago. Continuing OFFLINE; upload this run later with `wandb sync`."
            )
            mode = "offline"
    given = os.environ
    about = settings.get("embft")
    commit = about.get("commit") if isinstance(about, Mapping) else None
    # Null is where wandb looks into its own environment variables.
    options: dict[str, Any] = {
        "project": None if given.get("WANDB_PROJECT") and config.project == TrackingConfig.project else config.project,
        "entity": config.entity,
        "group": config.group or given.get("WANDB_RUN_GROUP") or group,
        "job_type": given.get("WANDB_JOB_TYPE") or _job_type(name, group),
        "tags": list(config.tags) or None,
        "notes": config.notes,
        # A name that is meant for one run would be that of all jobs.
        "name": None if given.get("WANDB_NAME") and group is None else name,
        "config": plain(settings),
        "dir": str(folder),
        "reinit": "finish_previous",
    }
    # Always named: wandb would take WANDB_RUN_ID for every run of the process, and later jobs would write over the first.
    run_id = options["id"] = _run_id(group)
    if mode == "online":
        try:
            return WandbTracker(
                wandb.init(mode="online", settings=_settings(commit), **options), folder, config.artifacts
            )
        except Exception as error:
            _outages.append(time.monotonic())
            _log.warning(
                "Weights & Biases cannot be reached (%s). Continuing OFFLINE; upload this run later with `wandb sync`.",
                str(error).splitlines()[0] if str(error) else type(error).__name__,
            )
            for leftover in (folder / "wandb").glob(f"run-*-{run_id}"):
                shutil.rmtree(leftover, ignore_errors=True)
            options["id"] = uuid.uuid4().hex[:8]  # wandb's service still holds the first one
    # The process-wide mode too: with it online, wandb would look for its server even where this run is offline.
    try:
        wandb.setup(wandb.Settings(silent=True, mode="offline"))
        return WandbTracker(wandb.init(mode="offline", settings=_settings(commit), **options), folder, config.artifacts)
    except Exception as error:
        _log.warning("Weights & Biases does not start (%s). The run's figures are in its folder alone.", error)
        return None


def _run_id(group: str | None) -> str:
    """WANDB_RUN_ID for the one run that it can be meant for: the first of a process, no job of a sweep. Else a new one."""
    named = os.environ.get("WANDB_RUN_ID")
    if named and group is None and named not in _taken:
        _taken.add(named)
        return named
    return uuid.uuid4().hex[:8]


def _job_type(name: str, group: str | None) -> str:
    """What kind of run it is, for the tables of Weights & Biases."""
    if group is None:
        return "run"
    return "summary" if name == f"{group}/summary" else "job"


def _wanted_mode(mode: str) -> str:
    """Returns auto, online, offline or disabled; ``auto`` follows WANDB_MODE."""
    if mode != "auto":
        return mode
    named = os.environ.get("WANDB_MODE", "").lower()
    return {"dryrun": "offline", "offline": "offline", "disabled": "disabled"}.get(named, "auto")


def _finds_key() -> bool:
    """True where wandb has credentials for its server. Neither asks for them nor tries them."""
    import wandb

    wandb.setup(wandb.Settings(silent=True, mode="online"))
    try:
        return bool(wandb.login(prompt=False, verify=False))
    except wandb.errors.AuthenticationError as error:
        _log.warning("Weights & Biases: %s", error)
        return False


def _let_service_go() -> None:
    """The next run of this process gets a service of its own; one that crashed would print a traceback at the end."""
    import wandb

    with suppress(Exception):
        wandb.teardown()


def _define_metrics(run: Any) -> None:
    # Curves get their own axis: wandb's counter drops a point whose step is lower than the last one's, silently.
    run.define_metric("train/*", step_metric=_STEP)
    # The best of a curve beside its last point. A metric that is named takes nothing from the line with the star.
    for name in DEV_METRICS:
        run.define_metric(f"train/dev_{name}", step_metric=_STEP, summary="max,last")


def _settings(commit: str | None) -> Any:
    """Quiet, and without what costs a second and tells nothing about a run: package lists, code, the folder's git state.

    Args:
        commit: Of embft's code, which decided the figures.
    """
    import wandb

    options: dict[str, Any] = {
        "silent": True,
        "console": "off",
        "symlink": False,
        "disable_code": True,
        "disable_git": True,
        "git_commit": commit,
        "x_save_requirements": False,
    }
    if "WANDB_INIT_TIMEOUT" not in os.environ:
        options["init_timeout"] = _INIT_SECONDS
    if "WANDB_FINISH_TIMEOUT" not in os.environ:
        options |= {"finish_timeout": _FINISH_SECONDS, "finish_timeout_raises": True}
    return wandb.Settings(**options)

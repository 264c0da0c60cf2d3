"""Runs found on disk: what each was set to, how it ended, what it measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.errors import RunError, nearest
from embft.reporting.phrases import printable
from embft.run_lock import in_progress

_DEPTH = 5
"""How far below a given folder runs are looked for: outputs/, outputs/sweeps/, two folders of sweeps, a sweep, a run."""
_DEPTH_OF_SWEEP = 40
"""The same below a sweep's own folder: where jobs are named by their settings, a path among them nests folders."""
SWEEP = "multirun.yaml"
"""Written by Hydra into each sweep's folder."""


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        folder: Its folder.
        status: ``ok``, ``failed``, ``running``, ``running?`` (unknown on this file system) or
            ``not started``. A run that was killed is ``failed``.
        settings: Its overrides, key to value.
        metrics: metrics.json; None where the run did not finish well.
        error: Stage and first line of what went wrong.
        seconds: Wall time; None while it runs.
    """

    folder: Path
    status: str
    settings: dict[str, str]
    metrics: dict[str, Any] | None
    error: str
    seconds: float | None

    @property
    def timings(self) -> Mapping[str, Mapping[str, Any]]:
        """By stage; empty where the run did not finish well."""
        by_stage: Mapping[str, Mapping[str, Any]] = (self.metrics or {}).get("timings", {})
        return by_stage

    @property
    def cached(self) -> str:
        """``5/7``: how many of its stages came from the cache; empty where the run did not finish well."""
        return (
            f"{sum(timing['cached'] for timing in self.timings.values())}/{len(self.timings)}" if self.timings else ""
        )

    def setting(self, key: str) -> str:
        """What the command line set; for a group that it left alone the config file chosen; else empty: the default."""
        choices = (self.metrics or {}).get("experiment", {}).get("choices", {})
        return self.settings.get(key, str(choices.get(key, "")))

    def figure(self, system: str, metric: str) -> float | None:
        """A system's mean on the test questions."""
        value: float | None = self._system(system).get(metric)
        return value

    def interval(self, system: str, metric: str) -> tuple[float, float] | None:
        """The 95% interval of `figure`."""
        ends = self._system(system).get("intervals", {}).get(metric)
        return (ends[0], ends[1]) if ends else None

    def on_dev(self, system: str, metric: str) -> float | None:
        """A system's mean on the dev questions."""
        value: float | None = self._system(system).get("dev", {}).get(metric)
        return value

    def dev_interval(self, system: str, metric: str) -> tuple[float, float] | None:
        """The 95% interval of `on_dev`."""
        ends = self._system(system).get("dev_intervals", {}).get(metric)
        return (ends[0], ends[1]) if ends else None

    @property
    def asked(self) -> tuple[str, str]:
        """Which dev and test questions it asked: a digest of each; empty where an older version did not say."""
        digests: Mapping[str, str] = (self.metrics or {}).get("dataset", {}).get("asked") or {}
        return digests.get("dev", ""), digests.get("test", "")

    @property
    def objective(self) -> float | None:
        """The dev figure that a sweeper optimises; None where the run did not finish well, or had no dev questions."""
        value: float | None = (self.metrics or {}).get("objective", {}).get("value")
        return value

    def difference(self, system: str, baseline: str, metric: str) -> tuple[float, float, float] | None:
        """Delta and its interval's ends, system less baseline, whichever way round the run compared them."""
        for row in (self.metrics or {}).get("comparisons", []):
            if row["metric"] == metric:
                low, high = row["ci95"]
                if (row["system"], row["baseline"]) == (system, baseline):
                    return row["delta"], low, high
                if (row["system"], row["baseline"]) == (baseline, system):
                    return -row["delta"], -high, -low
        return None

    def p_value(self, system: str, baseline: str, metric: str) -> float | None:
        """Of `difference`."""
        rows = (self.metrics or {}).get("comparisons", [])
        pair = {system, baseline}
        p_values: Iterator[float] = (
            r["p_value"] for r in rows if r["metric"] == metric and {r["system"], r["baseline"]} == pair
        )
        value: float | None = next(p_values, None)
        return value

    @property
    def report_language(self) -> str:
        """The language of its report; English where it has none, and where an older version did not say."""
        language: str = ((self.metrics or {}).get("report") or {}).get("language", "en")
        return language

    @property
    def built_seconds(self) -> float | None:
        """What all its stages took when they were made, whoever made them; None where the run did not finish well."""
        if not self.timings:
            return None
        return float(sum(timing.get("built_seconds") or timing["seconds"] for timing in self.timings.values()))

    def _system(self, system: str) -> Mapping[str, Any]:
        figures: Mapping[str, Any] = (self.metrics or {}).get("systems", {}).get(system, {})
        return figures


def collect(folders: Sequence[Path]) -> list[Job]:
    """Finds the runs in run folders, sweep folders and folders of these, each once.

    Within a folder, jobs with numbers for names come in the order of the numbers.

    Raises:
        RunError: A folder is not there, or holds no run.
    """
    runs_by_path: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "does not exist"
            raise RunError(
                f"{folder} {what}. Give run folders or sweep folders, such as outputs/sweeps/NAME.{_beside(folder)}"
            )
        runs = list(_runs_below(folder, _DEPTH))
        if not runs:
            raise RunError(f"{folder} holds no run: neither it nor a folder in it has a status.json.")
        for run in runs:
            runs_by_path.setdefault(run.resolve(), run)
    return [_job(folder) for folder in runs_by_path.values()]


def names_of(jobs: Sequence[Job]) -> list[str]:
    """A short name for each job: its folder's, with as many folders above it in front as keep names apart."""
    parts = [job.folder.resolve().parts for job in jobs]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(own[-depth:]) for own in parts]
        if len(set(names)) == len(names):
            break
    return names


def systems_of(jobs: Iterable[Job]) -> list[str]:
    """Every system that a job measured, in the order of the first job that has it."""
    return list(dict.fromkeys(name for job in jobs if job.metrics for name in job.metrics["systems"]))


def checked_system(name: str, jobs: Sequence[Job], option: str) -> str:
    """Returns the name.

    Raises:
        RunError: No finished job has a system of this name.
    """
    systems = systems_of(jobs)
    if systems and name not in systems:
        raise RunError(
            f"{option} {name}: no job has this system.{nearest(name, systems)} Choices: {', '.join(systems)}."
        )
    return name


def differing(jobs: Sequence[Job]) -> list[str]:
    """The settings that are not the same in all jobs, less where the cache lies: that changes no figure."""
    keys = list(dict.fromkeys(key for job in jobs for key in job.settings if key != "cache_dir"))
    return [key for key in keys if len({job.setting(key) for job in jobs}) > 1]


def short_keys(keys: Sequence[str]) -> list[str]:
    """``learning_rate`` for ``training.learning_rate``, unless another key ends in the same word."""
    last = [key.rpartition(".")[2] for key in keys]
    return [word if last.count(word) == 1 else key for key, word in zip(keys, last, strict=True)]


def named(jobs: Sequence[Job], name: str, option: str) -> Job:
    """The finished job of a name, as the table shows it.

    Raises:
        RunError: There is none.
    """
    names = names_of(jobs)
    finished = {shown: job for shown, job in zip(names, jobs, strict=True) if job.metrics}
    if name not in finished:
        raise RunError(
            f"{option} {name}: no finished job has this name.{nearest(name, finished)} "
            f"Choices: {', '.join(finished) or 'none'}."
        )
    return finished[name]


def _runs_below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / "status.json").is_file() or (folder / ".hydra").is_dir():
        yield folder
    elif depth or (folder / SWEEP).is_file():
        if (folder / SWEEP).is_file():
            depth = max(depth, _DEPTH_OF_SWEEP)
        for item in sorted(folder.iterdir(), key=_order):
            if item.is_dir() and not item.name.startswith("."):
                yield from _runs_below(item, depth - 1)


def _order(folder: Path) -> tuple[int, str]:
    return (int(folder.name) if folder.name.isdecimal() else -1, folder.name)


def _beside(folder: Path) -> str:
    """A hint where a folder beside it has nearly that name."""
    if not folder.parent.is_dir():
        return ""
    return nearest(folder.name, [item.name for item in folder.parent.iterdir() if item.is_dir()])


def _job(folder: Path) -> Job:
    status, metrics = _read(folder / "status.json"), _read(folder / "metrics.json")
    if status is None:
        # Hydra wrote its folder, then the job died before embft could say anything; or the file was damaged.
        damaged = (folder / "status.json").is_file()
        error = "status.json cannot be read" if damaged else "ended before embft began; see its log"
        return Job(
            folder, "unknown" if damaged else "not started", _settings(_hydra_overrides(folder)), None, error, None
        )
    name, error = str(status.get("status", "unknown")), _error(status)
    if name == "running" and not (alive := in_progress(folder)):
        lost = (
            "was killed, or its machine went down"
            if alive is False
            else "the file system does not tell whether it still runs"
        )
        name, error = "running?" if alive is None else "failed", f"{status.get('stage') or 'start'}: {lost}"
    if name == "ok" and (metrics is None or "systems" not in metrics):
        name, error, metrics = "failed", "metrics.json is missing or damaged", None
    settings = _settings(status.get("overrides") or _hydra_overrides(folder))
    return Job(folder, name, settings, metrics if name == "ok" else None, error, status.get("seconds"))


def _error(status: Mapping[str, Any]) -> str:
    error = status.get("error") or {}
    lines = [line.strip() for line in str(error.get("message", "")).splitlines() if line.strip()]
    first = lines[0] if lines else str(error.get("type", ""))
    if first.endswith(":") and len(lines) > 1:  # "2 problems in the configuration:" alone says nothing
        first = f"{first} {lines[1].removeprefix('- ')}"
    stage = f"{status['stage']}: " if status.get("stage") and first else ""
    return printable(f"{stage}{first}")


def _settings(overrides: Iterable[object]) -> dict[str, str]:
    pairs = (str(item).partition("=") for item in overrides)
    return {key.lstrip("+~"): value for key, _, value in pairs}


def _hydra_overrides(folder: Path) -> list[object]:
    from omegaconf import OmegaConf

    file = folder / ".hydra" / "overrides.yaml"
    if not file.is_file():
        return []
    try:
        # Unresolved: what an override refers to stands in the configuration, not here.
        items = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except Exception:  # of several libraries' making; a damaged file costs the job its settings, not the comparison
        return []
    return items if isinstance(items, list) else []


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None

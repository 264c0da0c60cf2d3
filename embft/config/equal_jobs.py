"""Sweeps that would run one and the same job again and again: found out before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from embft.config import ExperimentConfig
from embft.config.overrides import Setting

_ADD = "add what is to be chosen, such as 'training.learning_rate=tag(log,interval(1e-5,1e-4))' or 'model=choice(minilm,mpnet)'"


def equal_jobs(
    settings: Sequence[Setting], composed: DictConfig, configs: Sequence[ExperimentConfig]
) -> tuple[list[str], list[str]]:
    """What is wrong with a sweep whose jobs would be equal, and what is worth a notice.

    Args:
        settings: The overrides of the command line.
        composed: The first job's configuration, with Hydra's part.
        configs: What jobs would run: each value of each setting stands in at least one.
    """
    if _is_optuna(composed):
        return _of_optuna(settings, composed)
    if problems := list(_repeated(settings)):
        return problems, []
    if len(configs) > 1 and all(config == configs[0] for config in configs):
        keys = ", ".join(setting.key for setting in settings if len(setting.values) > 1)
        return [f"All {len(configs)} jobs of the sweep over {keys} would be equal: run one of them, without -m."], []
    return [], []


def _is_optuna(composed: DictConfig) -> bool:
    return str(OmegaConf.select(composed, "hydra.sweeper._target_")).endswith("OptunaSweeper")


def _repeated(settings: Sequence[Setting]) -> Iterator[str]:
    for setting in settings:
        for place, value in enumerate(setting.values):
            if value in setting.values[:place]:
                yield (
                    f"{setting.key}={_shown(setting.values)} has {value} twice, and both jobs would be equal: leave one out."
                )
                break


def _of_optuna(settings: Sequence[Setting], composed: DictConfig) -> tuple[list[str], list[str]]:
    sweeper = composed.hydra.sweeper
    if sweeper.get("custom_search_space") or sweeper.get("search_space"):
        return [], []  # of the user's making; what is in it shows when it runs
    trials = int(sweeper.n_trials)
    if trials < 1:
        return [f"hydra.sweeper.n_trials={trials}: it must be 1 or more, and 20 if it is left out."], []
    try:
        space = _space(settings, sweeper.params or {})
    except HydraException:
        return [], []  # which the sweeper says
    if globs := [key for key, value in space.items() if isinstance(value, Glob)]:
        return [
            f"{key}=glob(...): Optuna's sweeper takes no patterns: name the files, {key}=choice(A,B)." for key in globs
        ], []
    different = math.prod(_points(value) for value in space.values())
    if different == 1:
        what = f"only one value for {', '.join(space)}" if space else "nothing to choose"
        jobs = f"all {trials} jobs would be equal" if trials > 1 else "its one job is a run without -m"
        return [f"hydra/sweeper=optuna has {what}, so {jobs}: {_ADD}."], []
    if different < trials:
        return [], [
            f"hydra.sweeper.n_trials={trials}, and there are only {different} different jobs, so some will be repeated (quickly, "
            "from the cache). Without hydra/sweeper=optuna each runs once."
        ]
    return [], []


def _space(settings: Sequence[Setting], params: Mapping[Any, Any]) -> dict[str, object]:
    """By key, what may be chosen of it. The command line goes before a file's ``hydra.sweeper.params``."""
    parser = OverridesParser.create()
    texts = [*(f"{key}={value}" for key, value in params.items()), *(setting.text for setting in settings)]
    space: dict[str, object] = {}
    for override in parser.parse_overrides(texts):
        space.pop(override.get_key_element(), None)
        if override.is_sweep_override():
            space[override.get_key_element()] = override._value
    return space


def _points(value: object) -> float:
    """How many different values it has, as Optuna's sweeper reads it: the end of a range is one of them."""
    if isinstance(value, ChoiceSweep):
        return len({str(Override._convert_value(one)) for one in value.list})
    if isinstance(value, RangeSweep):
        start, stop, step = float(value.start or 0), float(value.stop or 0), float(value.step)
        return max(1, math.floor((stop - start) / step + 1e-9) + 1)
    if isinstance(value, IntervalSweep) and value.start is not None and value.end is not None:
        if value.start == value.end:
            return 1
        is_whole = isinstance(value.start, int) and isinstance(value.end, int)
        return value.end - value.start + 1 if is_whole else math.inf
    return math.inf


def _shown(values: Sequence[Any]) -> str:
    return ",".join("null" if value is None else str(value) for value in values)

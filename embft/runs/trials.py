"""The trials of a sweep by Optuna, in ``optuna.db`` of the sweep's folder: a sweep that is started again continues them.

Trial N is job N. At a new start the trials of the earlier ones are queued with their values, so that each job finds its own
folder: what is finished is skipped and gives its objective, what failed or was killed runs again, and new trials follow.

Optuna is an extra, so it is imported where it is needed.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from embft.errors import RunError

DATABASE = "optuna.db"
STUDY = "embft"
_FIXED = "fixed_params"
"""Optuna's name, among a trial's attributes, for the values that it was queued with."""


def resumed_storage(folder: str) -> Any:
    """The storage of a sweep's trials (``hydra.sweeper.storage``), with those of its earlier starts queued.

    Args:
        folder: The sweep's. The database is read and written by the process that starts the jobs alone.

    Returns:
        An ``optuna.storages.RDBStorage``.

    Raises:
        RunError: What lies there cannot be read.
    """
    import optuna
    from optuna.trial import TrialState, create_trial

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    database = place / DATABASE
    if database.is_file():
        unfinished = place / f".{DATABASE}"
        unfinished.unlink(missing_ok=True)
        storage = optuna.storages.RDBStorage(f"sqlite:///{unfinished}")
        study = storage.create_new_study(STUDY)
        for values in _earlier_trials(database):
            queued = create_trial(state=TrialState.WAITING, system_attrs={_FIXED: values})
            storage.create_new_trial(study, template_trial=queued)
        storage.remove_session()
        storage.engine.dispose()
        unfinished.replace(database)
    return optuna.storages.RDBStorage(f"sqlite:///{database}")


def seeded_tpe(seed: int, **options: Any) -> Any:
    """Optuna's TPE, whose draws depend on the seed, the trial and the earlier results alone, not on when the sweep was started.

    Args:
        seed: Of all draws.
        options: Those of ``optuna.samplers.TPESampler``.

    Returns:
        The sampler.
    """
    import optuna

    return _reseeded(optuna.samplers.TPESampler)(seed=seed, **options)


def seeded_random(seed: int) -> Any:
    """Values at random, that depend on the seed and the trial alone. Optuna's own would repeat the first ones at a new start."""
    import optuna

    return _reseeded(optuna.samplers.RandomSampler)(seed=seed)


def _reseeded(kind: Any) -> Any:
    """The sampler with draws of its own for each trial and value.

    Args:
        kind: The class of a sampler that draws by ``_rng``.
    """
    import numpy as np

    class Sampler(kind):  # type: ignore[misc]
        def __init__(self, seed: int, **options: Any) -> None:
            super().__init__(seed=seed, **options)
            self._seed = seed

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            self._begin(trial.number, "")
            return super().sample_relative(study, trial, search_space)

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            self._begin(trial.number, param_name)
            return super().sample_independent(study, trial, param_name, param_distribution)

        def _begin(self, number: int, name: str) -> None:
            self._rng = np.random.RandomState(zlib.crc32(f"{self._seed} {number} {name}".encode()))
            if hasattr(self, "_random_sampler"):
                self._random_sampler._rng = self._rng

    return Sampler


def _earlier_trials(database: Path) -> list[dict[str, object]]:
    """The values of each trial, in the order of their numbers; empty for one that got none."""
    import optuna

    storage = None
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
        study = storage.get_study_id_from_name(STUDY)
        trials = sorted(storage.get_all_trials(study), key=lambda trial: trial.number)
        return [{**trial.system_attrs.get(_FIXED, {}), **trial.params} for trial in trials]
    except KeyError:
        return []
    except Exception as error:  # of several libraries' making
        words = " ".join(str(error).split())[:200]
        raise RunError(f"{database} cannot be read ({words}): move it away, or give another hydra.sweep.dir.") from None
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()

"""Trials of a sweep by Optuna: as Hydra's sweeper asks for them and tells what came of them, killed and started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from embft.errors import RunError
from embft.runs.trials import DATABASE, STUDY, resumed_storage, seeded_tpe

optuna = pytest.importorskip("optuna", reason="pip install 'embft[optuna]'")
TRIALS = 20
FAILING = 3


def sweep(folder: Path, *, killed_at: int = TRIALS, batch: int = 1) -> list[dict[str, float]]:
    """What `hydra_plugins.hydra_optuna_sweeper._impl` does; a kill leaves the trials of its batch without a result."""
    storage = resumed_storage(str(folder))
    study = optuna.create_study(
        study_name=STUDY, storage=storage, sampler=seeded_tpe(42), directions=["maximize"], load_if_exists=True
    )
    values: list[dict[str, float]] = []
    while len(values) < TRIALS:
        trials = [study.ask() for _ in range(min(batch, TRIALS - len(values)))]
        for trial in trials:
            trial._suggest("rate", optuna.distributions.UniformDistribution(0.0, 1.0))
            trial._suggest("model", optuna.distributions.CategoricalDistribution(["a", "b", "c"]))
            values.append(dict(trial.params))
        if len(values) > killed_at:
            return values
        for trial in trials:
            if trial.number == FAILING:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, -abs(trial.params["rate"] - 0.3) + (trial.params["model"] == "b"))
    assert study.best_trial.params["model"] == "b"
    return values


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 4])
def test_a_sweep_that_was_killed_twice_has_the_trials_of_the_unbroken_one(tmp_path: Path, batch: int) -> None:
    whole = sweep(tmp_path / "whole", batch=batch)
    assert len({row["rate"] for row in whole}) == TRIALS
    for killed_at in (4, 13):
        assert (
            sweep(tmp_path / "broken", killed_at=killed_at, batch=batch) == whole[: killed_at // batch * batch + batch]
        )
    assert sweep(tmp_path / "broken", batch=batch) == whole
    assert sweep(tmp_path / "broken", batch=batch) == whole  # and once more, though nothing is left to do


def test_another_seed_gives_other_trials(tmp_path: Path) -> None:
    study = optuna.create_study(sampler=seeded_tpe(1), directions=["maximize"])
    space = optuna.distributions.UniformDistribution(0.0, 1.0)
    assert study.ask()._suggest("rate", space) != sweep(tmp_path, killed_at=0)[0]["rate"]


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("no database, but a text that is long enough to be taken for one" * 20)
    with pytest.raises(RunError, match=r"optuna.db cannot be read .* move it away"):
        resumed_storage(str(tmp_path))

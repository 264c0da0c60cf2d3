"""Sweeps whose jobs would all be one and the same are refused, with what to add."""

from __future__ import annotations

import pytest

from embft.config import register
from embft.config.command_line import CheckedLine, check_line
from embft.config.composing import CONFIG_DIR, config_tree

OPTUNA = "hydra/sweeper=optuna"


def checked(*arguments: str, sweep: bool = True) -> CheckedLine:
    register()
    return check_line(arguments, config_tree(CONFIG_DIR), sweep=sweep)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "has nothing to choose, so all 20 jobs would be equal: add what is to be chosen, such as 'training."),
        (["seed=7", "model=minilm"], "has nothing to choose"),
        (["model=choice(minilm)"], "has only one value for model"),
        (
            ["seed=range(3,3)", "training.learning_rate=interval(1e-5,1e-5)"],
            "one value for seed, training.learning_rate",
        ),
        (["hydra.sweeper.n_trials=1"], "so its one job is a run without -m"),
        (["hydra.sweeper.n_trials=0", "seed=1,2"], "hydra.sweeper.n_trials=0: it must be 1 or more"),
        (["model=glob(*small*)"], "takes no patterns: name the files, model=choice(A,B)"),
    ],
)
def test_optuna_without_a_choice_is_refused(arguments: list[str], words: str) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    [problem] = checked(OPTUNA, *arguments).problems
    assert words in problem


@pytest.mark.parametrize(
    "choice", ["seed=interval(1,99)", "training.learning_rate=tag(log,interval(1e-5,1e-4))", "seed=range(1,20)"]
)
def test_optuna_with_a_choice_is_taken(choice: str) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    line = checked(OPTUNA, choice)
    assert (line.problems, line.notices) == ([], [])


def test_more_trials_than_there_are_jobs_is_said() -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    line = checked(OPTUNA, "seed=1,2,3", "model=choice(minilm,mpnet)")
    assert line.problems == []
    assert "n_trials=20, and there are only 6 different jobs" in line.notices[0]


@pytest.mark.parametrize("argument", ["model=minilm,minilm", "seed=1,2,1", "training.learning_rate=1e-5,0.00001"])
def test_a_value_that_stands_there_twice_is_refused(argument: str) -> None:
    [problem] = checked(argument).problems
    assert "twice, and both jobs would be equal: leave one out" in problem


@pytest.mark.parametrize(
    "arguments", [["seed=1"], ["seed=1,2"], ["tracking.notes=a,b"], ["cache_dir=a,b"], ["seed=choice(1)"]]
)
def test_other_sweeps_are_taken(arguments: list[str]) -> None:
    assert checked(*arguments).problems == []


def test_jobs_that_differ_in_words_alone_are_refused() -> None:
    # Both are the default recipe: the second value says it in another way.
    [problem] = checked("training.epochs=3,2", "training=none", "evaluation=base_only").problems
    assert "would not be used" in problem


def test_a_run_without_m_is_no_sweep() -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    assert checked(OPTUNA, sweep=False).problems == []


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_sampler_that_is_chosen_is_the_one_that_draws(sampler: str) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    register()
    composed = config_tree(CONFIG_DIR).compose([OPTUNA, f"hydra/sweeper/sampler={sampler}", "hydra.sweep.dir=there"])
    assert composed.whole.hydra.sweeper.sampler._target_ == f"embft.runs.trials.seeded_{sampler}"

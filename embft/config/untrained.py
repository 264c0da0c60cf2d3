"""What an experiment without training leaves out."""

from __future__ import annotations

from dataclasses import replace

from embft.config.experiment import ExperimentConfig

_TUNED = "tuned"


def leave_out_tuned(config: ExperimentConfig) -> ExperimentConfig:
    """The same experiment; where nothing is trained, without the tuned model, and the base model's figure as its objective.

    So ``-m training=none,default`` compares with and without. Where nothing but the tuned model is asked for, it stays as it
    is: `embft.config.problems` says so.
    """
    evaluation = config.evaluation
    systems = [name for name in evaluation.systems if name != _TUNED]
    if config.training.enabled or not systems:
        return config
    objective = evaluation.objective
    system, _, metric = objective.partition("/")
    if system == _TUNED:
        objective = f"{'base' if 'base' in systems else systems[0]}/{metric}"
    return replace(config, evaluation=replace(evaluation, systems=systems, objective=objective, general=None))

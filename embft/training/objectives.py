"""What a question's scores should be like: the losses by name.

To add one: write a function from a `Step` to a scalar, put its name into `OBJECTIVES` and into ``TrainingConfig.loss``, and
give it a file in ``configs/training/``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, arange, where
from torch.nn import functional

from embft.config.training import TrainingConfig


@dataclass(frozen=True)
class Step:
    """The cosines of a step's questions and passages, and what each pair is.

    Attributes:
        cosines: float32 [Q, P].
        positive: int64 [Q]: the column of each question's positive.
        negative: bool [Q, P]: what counts as wrong. What is neither is left out.
        guide: float32 [Q, P], a guide model's cosines; or None.
        teacher: float32 [Q, P], a teacher's scores on the scale of logits; or None.
    """

    cosines: Tensor
    positive: Tensor
    negative: Tensor
    guide: Tensor | None = None
    teacher: Tensor | None = None

    @property
    def kept(self) -> Tensor:
        """Bool [Q, P]: positives and negatives."""
        return self.negative.scatter(1, self.positive[:, None], True)

    def turned(self) -> Step:
        """The other direction: for each question's positive passage, the questions of the step; [Q, Q]."""

        def turn(matrix: Tensor) -> Tensor:
            return matrix[:, self.positive].T

        return Step(
            turn(self.cosines),
            arange(len(self.positive), device=self.positive.device),
            turn(self.negative),
            None if self.guide is None else turn(self.guide),
            None if self.teacher is None else turn(self.teacher),
        )


def ranking(step: Step, config: TrainingConfig) -> Tensor:
    """Cross-entropy of the positive among the negatives of the step.

    Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017, section 4.4;
    sentence-transformers calls it MultipleNegativesRankingLoss. With ``hardness`` each negative weighs
    exp(hardness x cosine) (Lan et al., "LLaVE", 2025, section 3.2): the close ones count for more.
    """
    logits = step.cosines / config.temperature
    if config.hardness:
        logits = where(step.negative, logits + config.hardness * step.cosines.detach(), logits)
    return functional.cross_entropy(logits.masked_fill(~step.kept, -math.inf), step.positive)


def gist(step: Step, config: TrainingConfig) -> Tensor:
    """Ranking without the negatives that a guide model finds closer to the question than its positive.

    Solatorio, "GISTEmbed: Guided In-sample Selection of Training Negatives", 2024, section 3. A margin above 0 leaves out
    near ones too.
    """
    assert step.guide is not None
    limit = step.guide.gather(1, step.positive[:, None]) - config.guide_margin
    return ranking(Step(step.cosines, step.positive, step.negative & (step.guide <= limit)), config)


def distillation(step: Step, config: TrainingConfig) -> Tensor:
    """Half ranking, half the divergence from a teacher's distribution over the same passages.

    Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, section 2, listwise as in Ren et al., "RocketQAv2",
    EMNLP 2021, section 4.1. The passages that are no negatives take part here: the teacher has an opinion of them too.
    """
    assert step.teacher is not None
    student = functional.log_softmax(step.cosines / config.temperature, dim=1)
    divergence = functional.kl_div(
        student, functional.log_softmax(step.teacher, dim=1), log_target=True, reduction="batchmean"
    )
    return (ranking(step, config) + divergence) / 2


OBJECTIVES: dict[str, Callable[[Step, TrainingConfig], Tensor]] = {
    "ranking": ranking,
    "gist": gist,
    "distillation": distillation,
}


def objective(step: Step, config: TrainingConfig) -> Tensor:
    """The loss that the recipe names, in both directions if it says so; a scalar."""
    loss = OBJECTIVES[config.loss](step, config)
    if config.symmetric:
        loss = (loss + OBJECTIVES[config.loss](step.turned(), config)) / 2
    return loss

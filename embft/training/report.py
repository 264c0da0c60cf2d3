"""What a fine-tune says of itself: figures by epoch, what was chosen, what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures.

    Attributes:
        epoch: Counted from 1; 0 is the base model.
        loss: Mean training loss; None for epoch 0.
        dev: Dev metrics by name (``ndcg@10``); empty without dev questions.
    """

    epoch: int
    loss: float | None = None
    dev: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, float]:
        """Flat, as metrics.json has it: ``{"epoch": 1, "loss": 0.5, "dev_ndcg@10": 0.7}``."""
        loss = {} if self.loss is None else {"loss": self.loss}
        return {"epoch": self.epoch, **loss, **{f"dev_{name}": value for name, value in self.dev.items()}}


@dataclass(frozen=True)
class WhiteningReport:
    """What became of whitening.

    Attributes:
        strength: See `embft.training.whitening`.
        passages: That it was worked out from.
        left_out: ``few`` (too few passages), ``alike`` (vectors too alike for it), ``harm`` (worse on dev), or None
            where it was applied.
        dev: The choosing metric ``without`` and ``with`` it; None without dev questions.
    """

    strength: float
    passages: int
    left_out: str | None = None
    dev: Mapping[str, float] | None = None


@dataclass(frozen=True)
class TrainingReport:
    """One fine-tune.

    Attributes:
        part: ``full``, ``lora`` or ``adapter``.
        loss: Its name in the configuration.
        epochs: That the recipe asks for.
        best_epoch: The epoch that is kept; 0 where dev showed harm and the base model was kept.
        last_epoch: Where it ended; before ``epochs`` where patience ended it.
        steps: Optimizer steps.
        history: One entry per epoch, beginning with the base model.
        chunks, questions, passages: That it learned from.
        device, precision: Resolved, never ``auto``.
        seconds: Wall time.
        query_prompt, document_prompt: Put before each text.
        frozen_layers: Transformer layers that stayed as they were; None for an adapter.
        processes: That trained together.
        resumed: Whether it continued from a checkpoint.
        learned_from: ``questions`` or ``windows``.
        fingerprint: Hash of the result's weights.
        settings: The recipe.
        whitening: None where it was not tried.
    """

    part: str
    loss: str
    epochs: int
    best_epoch: int
    last_epoch: int
    steps: int
    history: Sequence[Epoch]
    chunks: int
    questions: int
    passages: int
    device: str
    precision: str
    seconds: float
    query_prompt: str
    document_prompt: str
    frozen_layers: int | None = None
    processes: int = 1
    resumed: bool = False
    learned_from: str = "questions"
    fingerprint: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    whitening: WhiteningReport | None = None

    @property
    def kept_base(self) -> bool:
        """Whether dev showed that tuning did harm, so that the tuned model is the base model."""
        return self.best_epoch == 0

    def with_settings(self, **settings: Any) -> TrainingReport:
        """The same with some of its recipe's entries set."""
        return replace(self, settings={**self.settings, **settings})

    def as_json(self) -> dict[str, object]:
        """As metrics.json has it."""
        fields = {**asdict(self), "history": [epoch.as_json() for epoch in self.history]}
        if self.whitening is None:
            del fields["whitening"]
        return fields

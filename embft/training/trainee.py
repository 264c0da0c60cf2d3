"""The model as it is trained: what is frozen, what is added, and how it becomes an ordinary model again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.models.loading import load_model
from embft.models.saving import Prompts, save_model
from embft.training.freezing import freeze
from embft.training.lower_layers import LowerLayers


@dataclass
class Trainee:
    """A model ready for training.

    Attributes:
        model: A sentence-transformers model.
        lower: Remembers what its frozen layers make of a text; None where none is frozen, or dropout makes it vary.
        lora: peft's handle on the low-rank updates; None without them.
        frozen_layers: How many.
        attention: The implementation of attention that the recipe names.
    """

    model: Any
    lower: LowerLayers | None = None
    lora: Any = None
    frozen_layers: int = 0
    attention: str = "auto"

    @classmethod
    def of(cls, folder: Path, config: TrainingConfig, device: str, max_seq_length: int | None, seed: int) -> Trainee:
        """Loads the base model and takes out of the training what the recipe leaves as it is."""
        import torch

        from embft.training.attention import keep_scores

        # Before the model is loaded: layers that it lacks, and low-rank updates, are initialised at random.
        torch.manual_seed(seed)
        model = load_model(folder, device, max_seq_length, attention=config.attention, dropout=config.dropout)
        if config.attention == "auto" and device == "cpu":
            keep_scores(model)
        if config.part == "lora":
            return cls(model, lora=_with_lora(model, config), attention=config.attention)
        frozen = freeze(model, train_embeddings=config.train_embeddings, frozen_share=config.frozen_share or 0.0)
        if config.compile:
            # The transformer alone, for any shape: what is around it would break the graph.
            transformer = getattr(model[0], "auto_model", model[0])
            transformer.forward = torch.compile(transformer.forward, dynamic=True)
        # In a compiled model no layer can be left out and its result put in its place.
        lower = LowerLayers(model, frozen) if frozen and config.dropout == 0 and not config.compile else None
        return cls(model, lower, frozen_layers=len(frozen), attention=config.attention)

    def save(self, output: Path, prompts: Prompts) -> None:
        """Writes an ordinary model: low-rank updates are added to the weights that they belong to.

        Args:
            output: Gets a sentence-transformers folder.
            prompts: That it was trained and measured with.

        Raises:
            ModelError: The saved model gives other vectors than this one.
        """
        if self.lora is not None:
            self.lora.merge_and_unload()
        prompts.put_into(self.model)
        # This implementation knows half precision alone.
        half = self.attention == "flash_attention_2"
        save_model(self.model, output, attention=self.attention, precision="bf16" if half else "fp32")


def _with_lora(model: Any, config: TrainingConfig) -> Any:
    """Adds low-rank updates to every linear layer and leaves all else as it is.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, section 4.1.
    """
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise TrainingError("training.part=lora needs peft: pip install 'embft[lora]'.") from error
    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        raise TrainingError("training.part=lora needs a transformer, this model has none: use training.part=full.")
    recipe = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.dropout or 0.0,
        target_modules="all-linear",
    )
    updates = LoraModel(transformer, recipe, "default")
    for name, weight in model.named_parameters():
        if "lora_" not in name:  # also of layers after the transformer
            weight.requires_grad_(False)
    return updates

"""The loss: multiple negatives ranking over batches by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn
from torch.nn import functional


class ByChunkRankingLoss(nn.Module):
    """Cross-entropy of each question's positive among the passages of the step (in-batch negatives).

    Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017, section 4.4;
    sentence-transformers calls it MultipleNegativesRankingLoss. Here a passage stands once for all its questions, and
    what is no true negative of a question (its siblings' windows, its other relevant chunks) is left out of its softmax.

    Args:
        model: A sentence-transformers model.
        temperature: Cosines are divided by it; the inverse of sentence-transformers' ``scale``.
    """

    def __init__(self, model: nn.Module, temperature: float = 0.05) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """Returns the mean loss over the step's questions; scalar.

        Args:
            features: Of the questions, then of the passages.
            labels: int64 [Q, P]: 1 positive, 0 negative, -1 left out.
        """
        questions, passages = (
            functional.normalize(self.model(feature)["sentence_embedding"], dim=-1) for feature in features
        )
        return ranking_loss(questions, passages, labels, self.temperature)

    def get_config_dict(self) -> Mapping[str, float]:
        """What the trainer notes about the loss."""
        return {"temperature": self.temperature}


def ranking_loss(questions: Tensor, passages: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The loss on vectors: [Q, dim], [P, dim] of length 1 and int64 [Q, P]; scalar, in float32 whatever the vectors."""
    scores = (questions @ passages.T).float() / temperature  # (Q, P)
    scores = scores.masked_fill(labels < 0, float("-inf"))
    return functional.cross_entropy(scores, labels.argmax(dim=1))
